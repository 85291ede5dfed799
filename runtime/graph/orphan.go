package graph

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/spool"
)

// queueOf is where the queue on disk of the source at address is, or would be.
func (g *Graph) queueOf(address string) spool.Home {
	state := g.options.State
	return spool.Home{Files: g.options.World.FS, Dir: state.ComponentDir(address), State: state.Component(address)}
}

// orphans are the addresses with a queue on disk that no source of the program
// uses: it was renamed, removed, or its queue is in memory now. The caller has g.mu.
func (g *Graph) orphans() (orphans []string, err error) {
	homes, err := g.options.State.Homes()
	if err != nil {
		return nil, err
	}
	for _, address := range homes {
		if s := g.program.byName[address]; s != nil {
			if _, used := s.node.Source.(*spool.Source); used {
				continue
			}
		}
		if g.queueOf(address).Kept() {
			orphans = append(orphans, address)
		}
	}
	return orphans, nil
}

// tellOrphans warns of events in queues on disk that nobody will deliver. Where others stand in
// for the sources that is no news: the queues are theirs.
func (g *Graph) tellOrphans() {
	if g.options.State == nil || g.options.Source != nil {
		return
	}
	g.mu.Lock()
	orphans, err := g.orphans()
	g.mu.Unlock()
	for _, address := range orphans {
		var waiting int64
		if waiting, err = g.waitingIn(address); err != nil {
			break
		}
		if waiting > 0 {
			g.log.Warn("events wait in a queue on disk that no source of the pipeline uses, and are not delivered: "+
				"give its source back its name, or print them with `etl queue export` and remove them with `etl queue drop`",
				"queue", address, "events", waiting)
		}
	}
	if err != nil {
		g.log.Warn("queues on disk that no source uses can't be looked at", "error", err)
	}
}

// waitingIn counts the events in the queue at address that are not delivered, or on their way.
func (g *Graph) waitingIn(address string) (waiting int64, err error) {
	home := g.queueOf(address)
	store, err := spool.Look(home.Files, home.Dir, home.State)
	if errors.Is(err, fs.ErrNotExist) { // taken over meanwhile
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("the queue of %s: %w", address, err)
	}
	cursors := g.cursors(address)
	if len(cursors) == 0 {
		return store.Records, nil
	}
	for _, p := range cursors {
		behind, err := store.Behind(p)
		if err != nil {
			return 0, fmt.Errorf("the queue of %s: %w", address, err)
		}
		waiting = max(waiting, behind)
	}
	return waiting, nil
}

// cursors are how far the queue at address was read by those who did so in this run, else
// where the sinks of the pipeline stood at the end of the last one; empty if nobody has read it.
func (g *Graph) cursors(address string) (cursors []component.Position) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.leaving {
		if f.address == address {
			return f.readTo()
		}
	}
	for sink, p := range g.options.State.Checkpoints(address) {
		if g.program.byName[sink] != nil {
			cursors = append(cursors, p)
		}
	}
	return cursors
}

// readTo is how far the source and its detached sinks have read.
func (f *feed) readTo() (positions []component.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.began {
		positions = append(positions, f.emitted)
	}
	for _, d := range f.sides {
		if at, ok := d.feed.position(); ok && d.detached() {
			positions = append(positions, at)
		}
	}
	return positions
}
