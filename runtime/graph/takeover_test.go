package graph

import (
	"context"
	"slices"
	"strconv"
	"strings"
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

// What a source keeps in its state has the new name too, but for what belongs to a queue on disk that stays.
func TestWhatASourceKeepsGoesWithItsName(t *testing.T) {
	dir := t.TempDir()
	state := openState(t, dir)
	kept := map[string]string{"generations": "1, 2", "began": "3", "queue.numbers": "4"}
	for key, value := range kept {
		if err := state.Component("source.test.old").Set(key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := state.Component("source.test.new").Set("began", []byte("in another life")); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, renamed("source.test.old", &counter{until: 10, perLot: 10}, &collector{}), Options{State: state}); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, renamed("source.test.new", &claimant{counter{until: 20, perLot: 10}}, &collector{}), Options{State: openState(t, dir)}); err != nil {
		t.Fatal(err)
	}
	state = openState(t, dir)
	for key, want := range kept {
		left, has := state.Component("source.test.old").Get(key)
		moved, _ := state.Component("source.test.new").Get(key)
		if stays := key == "queue.numbers"; stays != has || stays && string(left) != want || !stays && string(moved) != want {
			t.Errorf("%s is %q under the new name, and %q under the old one", key, moved, left)
		}
	}
}

// idle is a source that gives nothing.
type idle struct{}

func (idle) Run(ctx context.Context, _ *component.Host, _ []component.Position, _ component.Output) error {
	<-ctx.Done()
	return nil
}

// Of what is on its way when reloads rename the source, or take it away and bring it back, nothing comes
// twice, is lost or comes out of order.
func TestASourceGoesOnOverReloads(t *testing.T) {
	for name, reloads := range map[string][]string{
		"renamed":                  {"source.test.new"},
		"gone, and back":           {"source.other.idle", "source.test.old"},
		"gone, and back, renamed":  {"source.other.idle", "source.test.old", "source.test.new"},
		"renamed, gone, and back":  {"source.test.new", "source.other.idle", "source.test.new"},
		"gone twice, and back":     {"source.other.idle", "source.test.old", "source.other.idle", "source.test.old"},
		"as before, with settings": {"source.test.old"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { goOnOverReloads(t, reloads) })
		})
	}
}

func goOnOverReloads(t *testing.T, reloads []string) {
	const all = 20000
	sink := &collector{delay: 10 * time.Millisecond}
	p := renamed("source.test.old", &claimant{counter{perLot: 10}}, sink)
	for _, n := range p.plan.Nodes {
		n.Fingerprint = n.Address
		n.Queue = plan.Queue{MaxEvents: 50, MaxBytes: 1 << 20, WhenFull: plan.Block}
	}
	state := openState(t, t.TempDir())
	g, err := New(p.plan, Options{State: state})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- g.Run(t.Context()) }()
	time.Sleep(2500 * time.Millisecond)
	for i, address := range reloads {
		var source component.Source = idle{}
		if strings.HasPrefix(address, "source.test.") {
			c := &claimant{counter{perLot: 10}}
			if i == len(reloads)-1 {
				c.until = all
			}
			source = c
		}
		next := renamed(address, source, sink)
		next.plan.Nodes[0].Fingerprint = strconv.Itoa(i)
		next.plan.Nodes[1].Fingerprint = "sink.test.all"
		if err := g.Reload(next.plan); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Millisecond) // what is on its way takes longer
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got := sink.numbers()
	for i, n := range got {
		if n != int64(i) {
			t.Fatalf("%d came as number %d", n, i)
		}
	}
	if len(got) != all {
		t.Errorf("%d events, want %d", len(got), all)
	}
	for _, c := range state.All() {
		if c.Source != reloads[len(reloads)-1] {
			t.Errorf("a checkpoint of %s is left", c.Source)
		}
	}
	if n := len(state.All()); n != 1 {
		t.Errorf("%d checkpoints, want 1", n)
	}
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
