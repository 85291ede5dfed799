package graph

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// tap is a source that can't be asked again: it gives the numbers from from to
// until, and knows which of them were taken.
type tap struct {
	from, until int64
	taken       *atomic.Int64
}

func (s *tap) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	stream := &event.Stream{Source: "source.test.tap", Generation: "run"}
	for n := s.from; n < s.until; n++ {
		if out.Emit(ctx, numberLot(stream, n)) != nil {
			return nil
		}
		s.taken.Store(n + 1)
	}
	return nil
}

// behindDisk is a pipeline of a tap with a queue on disk and two sinks.
func behindDisk(source component.Source, well, dead *collector) *pipeline {
	p := newPipeline()
	p.plan.Runtime.ShutdownTimeout = 50 * time.Millisecond
	p.add(plan.Node{Address: "source.test.tap", Source: source, Fingerprint: "tap", Queue: plan.Queue{MaxEvents: 100, MaxBytes: 64 << 20, WhenFull: plan.Block, Disk: true}})
	p.add(plan.Node{Address: "sink.test.well", Sink: well, Fingerprint: "well", Required: true}, "source.test.tap")
	p.add(plan.Node{Address: "sink.test.dead", Sink: dead, Required: true}, "source.test.tap")
	return p
}

func down(int64) error { return errors.New("down") }

// Everything that a source which can't be asked again has given is there after
// a restart, for each sink from where it stood, under the ids it had.
func TestQueueOnDiskResumesEachSink(t *testing.T) {
	dir := t.TempDir()
	well, dead, taken := &collector{}, &collector{fail: down}, new(atomic.Int64)
	ids := map[string]int{}
	options := func() Options {
		return Options{State: openState(t, dir), World: world.OS(), Tap: nil}
	}
	start := func(p *pipeline, o Options) (*Graph, func() error) {
		g, err := New(p.plan, o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		return g, func() error { cancel(); return <-done }
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	// The dead sink never holds up the source; the reload in between keeps the log.
	g, stop := start(behindDisk(&tap{0, 3000, taken}, well, dead), options())
	until("the source was not taken", func() bool { return taken.Load() == 3000 })
	next := behindDisk(&tap{3000, 5000, taken}, well, dead)
	next.nodes["source.test.tap"].Fingerprint = "changed"
	if err := g.Reload(next.plan); err != nil {
		t.Fatal(err)
	}
	until("the source was not taken after a reload", func() bool { return taken.Load() == 5000 })
	time.Sleep(20 * time.Millisecond)
	if err := stop(); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(dead.numbers()) != 0 {
		t.Fatal("the dead sink has got something")
	}

	before := well.numbers()
	healed := &collector{}
	p := behindDisk(&tap{5000, 6000, taken}, well, healed)
	var mu = make(chan struct{}, 1)
	mu <- struct{}{}
	o := options()
	o.Tap = func(n *plan.Node, _ string, e *event.Event) {
		if n.Address == "sink.test.dead" {
			<-mu
			ids[e.ID()]++
			mu <- struct{}{}
		}
	}
	if _, err := run(t, p, o); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, "the dead sink", healed.numbers(), sequence(0, 6000))
	all := well.numbers()
	wantNumbers(t, "the well sink", slices.Compact(slices.Sorted(slices.Values(all))), sequence(0, 6000))
	if !slices.IsSorted(before) {
		t.Error("the well sink got events in another order")
	}
	if n := len(all) - 6000; n > 200 {
		t.Errorf("%d duplicates at the well sink", n)
	}
	if ids["run@0"] != 1 || ids["run@5999"] != 1 || len(ids) != 6000 {
		t.Errorf("%d ids, the first %d times", len(ids), ids["run@0"])
	}
	if n := g.stats.counter("source.test.tap").dropped.Load(); n != 0 {
		t.Errorf("%d dropped", n)
	}
}

// What all sinks have is removed from the disk.
func TestQueueOnDiskForgets(t *testing.T) {
	taken := new(atomic.Int64)
	p := behindDisk(&tap{0, 2000, taken}, &collector{}, &collector{})
	p.nodes["source.test.tap"].Queue.MaxBytes = 128 << 10
	g, err := run(t, p, Options{State: openState(t, t.TempDir()), World: world.OS()})
	if err != nil {
		t.Fatal(err)
	}
	if n := g.stats.counter("source.test.tap").dropped.Load(); n != 0 || taken.Load() != 2000 {
		t.Errorf("%d taken, %d dropped", taken.Load(), n)
	}
}
