package graph

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

func openState(t *testing.T, path string) *state.Dir {
	t.Helper()
	d, warnings, err := state.Open(world.OS().FS, path, "test")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	return d
}

// Each sink goes on where it stood: one that was dead misses nothing, one that
// was well gets nothing twice.
func TestEachSinkResumesWhereItStood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		build := func(until int64, well, dead *collector) (*pipeline, *counter) {
			p := newPipeline()
			p.plan.Runtime.ShutdownTimeout = 50 * time.Millisecond
			source := &counter{until: until, perLot: 10}
			p.add(plan.Node{Address: "source.test.numbers", Source: source})
			p.add(plan.Node{Address: "sink.test.well", Sink: well, Required: true}, "source.test.numbers")
			p.add(plan.Node{Address: "sink.test.dead", Sink: dead, Required: true}, "source.test.numbers")
			return p, source
		}
		well, dead := &collector{}, &collector{fail: func(n int64) error {
			if n >= 40 {
				return errors.New("down")
			}
			return nil
		}}
		p, _ := build(500, well, dead)
		g, err := New(p.plan, Options{State: openState(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		time.Sleep(5 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "the well sink, first run", well.numbers(), sequence(0, 500))
		before := dead.numbers()

		again, healed := &collector{}, &collector{}
		p, source := build(1000, again, healed)
		if _, err := run(t, p, Options{State: openState(t, dir)}); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "the well sink, second run", again.numbers(), sequence(500, 1000))
		all := slices.Concat(before, healed.numbers())
		slices.Sort(all)
		wantNumbers(t, "the dead sink, both runs", slices.Compact(all), sequence(0, 1000))
		if n := len(before) + len(healed.numbers()) - 1000; n < 0 || n > 10 {
			t.Errorf("%d duplicates, want at most what was in flight", n)
		}
		if source.start.Load() == 0 {
			t.Error("the source began from the start again")
		}
	})
}

// A sink that is new gets what is read from its first start on, and then has a
// checkpoint of its own.
func TestStopBetweenCheckpointsLosesNothing(t *testing.T) {
	dir := t.TempDir()
	var got []int64
	for round := range 5 {
		p := newPipeline()
		p.plan.Runtime.ShutdownTimeout = time.Duration(round) * time.Millisecond
		sink := &collector{delay: 100 * time.Microsecond}
		until := int64(3000 * (round + 1))
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: until, perLot: 13}})
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true, Queue: plan.Queue{MaxEvents: 100, MaxBytes: 1 << 20, WhenFull: plan.Block}}, "source.test.numbers")
		g, err := New(p.plan, Options{State: openState(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(10+round*7)*time.Millisecond)
		if round == 4 {
			cancel()
			ctx, cancel = context.WithCancel(t.Context())
		}
		if err := g.Run(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		got = append(got, sink.numbers()...)
	}
	slices.Sort(got)
	wantNumbers(t, "all runs", slices.Compact(got), sequence(0, 15000))
}

// generations is a source of two generations with ten numbers each, behind one that is gone.
type generations struct{}

func (g *generations) Resume(_ *component.Host, from []component.Position) (reachable []bool, err error) {
	for _, p := range from {
		reachable = append(reachable, p.Generation != "gone")
	}
	return reachable, nil
}

func (g *generations) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	for n := range int64(20) {
		name := []string{"second", "third"}[n/10]
		if err := out.Emit(ctx, numberLot(&event.Stream{Source: "source.test.log", Generation: name}, n)); err != nil {
			return nil
		}
	}
	return nil
}

// Where the file of one sink's position is gone, and reading begins behind it, the other sinks still skip what they have.
func TestOthersSkipWhereOnePositionIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := openState(t, t.TempDir())
		if err := dir.Save([]state.Checkpoint{
			{Source: "source.test.log", Sink: "sink.test.well", Position: component.Position{Generation: "third", Offset: 15}},
			{Source: "source.test.log", Sink: "sink.test.dead", Position: component.Position{Generation: "gone", Offset: 7}},
		}); err != nil {
			t.Fatal(err)
		}
		p := newPipeline()
		well, dead := &collector{}, &collector{}
		p.add(plan.Node{Address: "source.test.log", Source: &generations{}})
		p.add(plan.Node{Address: "sink.test.well", Sink: well, Required: true}, "source.test.log")
		p.add(plan.Node{Address: "sink.test.dead", Sink: dead, Required: true}, "source.test.log")
		if _, err := run(t, p, Options{State: dir}); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "well", well.numbers(), sequence(15, 20))
		wantNumbers(t, "dead", dead.numbers(), sequence(0, 20))
	})
}
