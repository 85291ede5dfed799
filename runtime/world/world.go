package world

import (
	"context"
	"net"
	"time"
)

// World is what a component gets of the outside. Waiting is done with package
// time, whose clock testing/synctest can make virtual; Now is the clock that
// events see, which a test may set.
type World struct {
	FS       FS
	Notifier Notifier
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Listen   func(ctx context.Context, network, address string) (net.Listener, error)
	Now      func() time.Time
}
