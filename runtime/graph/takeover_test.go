package graph

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// claimant is a source that was renamed.
type claimant struct{ counter }

func (c *claimant) Claims(p component.Position) bool { return p.Generation == "g" }

func renamed(address string, source component.Source, sink *collector) *pipeline {
	p := newPipeline()
	p.add(plan.Node{Address: address, Source: source})
	p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, address)
	return p
}

func TestARenamedSourceTakesOver(t *testing.T) {
	dir := t.TempDir()
	if _, err := run(t, renamed("source.test.old", &counter{until: 100, perLot: 10}, &collector{}), Options{State: openState(t, dir)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		address string
		source  component.Source
		want    []int64
	}{
		{"source.other.new", &claimant{counter{until: 150, perLot: 10}}, sequence(0, 150)}, // of another kind
		{"source.test.new", &claimant{counter{until: 150, perLot: 10}}, sequence(100, 150)},
		{"source.test.old", &counter{until: 150, perLot: 10}, sequence(0, 150)}, // has nothing any more, and does not claim
	} {
		got := &collector{}
		if _, err := run(t, renamed(c.address, c.source, got), Options{State: openState(t, dir)}); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, c.address, got.numbers(), c.want)
	}
}

// Of what is on its way when a reload renames the source nothing comes twice, is lost or
// comes out of order.
func TestASourceIsRenamedByReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		sink := &collector{delay: 10 * time.Millisecond}
		p := renamed("source.test.old", &claimant{counter{perLot: 10}}, sink)
		for _, n := range p.plan.Nodes {
			n.Fingerprint = n.Address
			n.Queue = plan.Queue{MaxEvents: 50, MaxBytes: 1 << 20, WhenFull: plan.Block}
		}
		state := openState(t, dir)
		g, err := New(p.plan, Options{State: state})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		time.Sleep(2500 * time.Millisecond)
		next := renamed("source.test.new", &claimant{counter{perLot: 10, until: 20000}}, sink)
		next.plan.Nodes[0].Fingerprint = "new"
		next.plan.Nodes[1].Fingerprint = "sink.test.all"
		if err := g.Reload(next.plan); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		cancel()
		got := sink.numbers()
		last := int64(-1)
		for _, n := range got {
			if n > last+1 {
				t.Fatalf("%d came behind %d", n, last)
			}
			last = max(last, n)
		}
		if last != 19999 || len(got) != 20000 {
			t.Errorf("%d events up to %d, want each below 20000 once", len(got), last)
		}
		for _, c := range state.All() {
			if c.Source != "source.test.new" {
				t.Errorf("a checkpoint of %s is left", c.Source)
			}
		}
		if n := len(state.All()); n != 1 {
			t.Errorf("%d checkpoints, want 1", n)
		}
	})
}

// A sink learns all names of a source that was renamed, at every start, also under the old ones; a name that
// another source has now is none of them.
func TestNamesOfARenamedSource(t *testing.T) {
	dir := t.TempDir()
	if _, err := run(t, renamed("source.test.a", &counter{until: 10, perLot: 10}, &collector{}), Options{State: openState(t, dir)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		address string
		want    []string
	}{
		{"source.test.b", []string{"source.test.b", "source.test.a"}},
		{"source.test.b", []string{"source.test.b", "source.test.a"}},
		{"source.test.c", []string{"source.test.c", "source.test.b", "source.test.a"}},
		{"source.test.a", []string{"source.test.a", "source.test.c", "source.test.b"}},
	} {
		p := renamed(c.address, &claimant{counter{until: 10, perLot: 10}}, &collector{})
		g, err := run(t, p, Options{State: openState(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.want {
			if got := g.host(g.program.byName["sink.test.all"]).Names(name); !slices.Equal(got, c.want) {
				t.Errorf("%s: the names of %s are %q, want %q", c.address, name, got, c.want)
			}
		}
	}
	p := renamed("source.test.a", &claimant{counter{until: 10, perLot: 10}}, &collector{})
	p.add(plan.Node{Address: "source.test.b", Source: &counter{until: 10, perLot: 10}})
	g, err := run(t, p, Options{State: openState(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	if got := g.namesOf("source.test.b"); got != nil {
		t.Errorf("source.test.b, a source of its own, is also called %q", got)
	}
}
