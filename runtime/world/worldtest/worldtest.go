// Package worldtest is a world in memory: files that can fail, fill up and
// lose what was not synced, and a network of pipes. No goroutine of it waits in the
// kernel, so that everything runs under testing/synctest.
package worldtest

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

// World is a world in memory and the handles to disturb it.
type World struct {
	world.World
	Files *FS
	Net   *Network
}

// New is an empty world. Its clock is package time's, which synctest makes virtual.
func New() *World {
	files, net := NewFS(), NewNetwork()
	return &World{
		World: world.World{FS: files, Notifier: files, Dial: net.Dial, Listen: net.Listen, Now: time.Now},
		Files: files,
		Net:   net,
	}
}
