package agents

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// beside runs a second reader of g's source from a position, until stop is called.
func (g *rig) beside(from component.Position) (side *rig, stop func()) {
	g.t.Helper()
	side = newRigIn(g.t, nil, g.host.World, g.host.StateDir)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.source.Again().Run(ctx, g.host, []component.Position{from}, side) }()
	return side, func() {
		cancel()
		if err := <-ended; err != nil {
			g.t.Error(err)
		}
	}
}

// kept is the ledger's file.
func (g *rig) kept() string {
	g.t.Helper()
	raw, err := g.host.FS.ReadFile(filepath.Join(g.host.StateDir, ledgerName))
	if err != nil {
		g.t.Fatal(err)
	}
	return string(raw)
}

// A sink that has fallen behind is given the same from where it stands, while the source goes on.
func TestAgainGivesWhatTheLedgerKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := &fakeManager{}, worldtest.New()
		f.set(one(1, active), one(2, active), one(3, active))
		g := newRig(t, f, w)
		g.source.beat = time.Second
		defer g.start()()
		pass(time.Second)
		f.set(one(1, disconnected), one(2, active), one(3, active))
		pass(6 * time.Second)
		at := g.last()
		f.set(one(1, disconnected), one(2, disconnected), one(3, active))
		pass(6 * time.Second)
		kept := g.kept()
		if known, err := g.source.Resume(g.host, []component.Position{at}); err != nil || !known[0] { // it goes on with the same ledger
			t.Errorf("asked while it runs: %v, %v", known, err)
		}
		side, stop := g.beside(at)
		defer stop()
		pass(200 * time.Millisecond)
		f.set(one(1, disconnected), one(2, disconnected), one(3, disconnected))
		if g.kept() != kept {
			t.Error("reading it again has written something")
		}
		pass(6 * time.Second)
		side.want("disconnected 002 Active Disconnected", "disconnected 003 Active Disconnected")
		for i, e := range side.have() {
			if was := g.have()[i+1]; was.number != e.number || was.raw != e.raw {
				t.Errorf("again: number %d, %s", e.number, e.raw)
			}
		}
		if side.lots[0] != at || side.last() != g.last() {
			t.Errorf("it began at %v and stands at %v, want %v and %v", side.lots[0], side.last(), at, g.last())
		}
		if n := len(side.have(typeSnapshot, typeHeartbeat)); n > 0 {
			t.Errorf("%d events that nobody keeps", n)
		}
	})
}

// It waits for a source that has not begun, and knows the positions of one that has.
func TestAgainBeforeTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active))
		g := newRig(t, f, worldtest.New())
		known, err := g.source.Again().(component.Resumable).Resume(g.host, []component.Position{{Generation: "x"}})
		if err != nil || known[0] {
			t.Errorf("it knows a position before there are any: %v", err)
		}
		side, stopSide := g.beside(component.Position{Generation: "x", Offset: 7})
		defer stopSide()
		pass(time.Second)
		defer g.start()()
		pass(time.Second)
		f.set(one(1, disconnected))
		pass(6 * time.Second)
		side.want("disconnected 001 Active Disconnected")
		known, err = g.source.Again().(component.Resumable).Resume(g.host, []component.Position{g.last(), {Generation: "x"}})
		if err != nil || !slices.Equal(known, []bool{true, false}) {
			t.Errorf("%v, %v", known, err)
		}
	})
}
