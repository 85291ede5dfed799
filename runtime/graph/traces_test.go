package graph

// Traces that were wrong in an earlier state of the engine, as the model in model/ found,
// or could easily be.

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
)

// slow is a counter that can't read for a while (its file is not readable yet).
type slow struct {
	counter
	from chan []component.Position
	wait bool
}

func (s *slow) Run(ctx context.Context, h *component.Host, from []component.Position, out component.Output) error {
	s.from <- from
	if s.wait {
		<-ctx.Done()
		return nil
	}
	return s.counter.Run(ctx, h, from, out)
}

func TestASourceReplacedBeforeItsFirstLotGoesOnWhereItWasToBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		build := func(s component.Source, print string, sink *collector) *plan.Plan {
			p := newPipeline()
			p.add(plan.Node{Address: "source.test.numbers", Source: s, Fingerprint: print})
			p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true, Fingerprint: "1"}, "source.test.numbers")
			return p.plan
		}
		first := build(&counter{until: 50, perLot: 10}, "0", &collector{})
		g, err := New(first, Options{State: openState(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		sink := &collector{}
		a := &slow{from: make(chan []component.Position, 1), wait: true}
		g, stop := startGraph(t, build(a, "1", sink), Options{State: openState(t, dir)})
		t.Log("resumed from", <-a.from)
		b := &slow{from: make(chan []component.Position, 1), counter: counter{until: 100, perLot: 10}}
		if err := g.Reload(build(b, "2", sink)); err != nil {
			t.Fatal(err)
		}
		if from := <-b.from; len(from) != 1 || from[0].Offset != 50 {
			t.Errorf("the successor is told to begin at %v, want 50", from)
		}
		time.Sleep(time.Second)
		_ = stop()
	})
}

// partial answers the later message and gives the earlier one back, once.
type partial struct {
	collector
	once bool
}

func (p *partial) Limits() (int, int64, int) { return 2, 1 << 20, 2 }
func (p *partial) Deliver(ctx context.Context, m []*component.Message) error {
	if len(m) == 2 && !p.once {
		p.once = true
		m[1].Done()
		m[0].Return()
		return nil
	}
	return p.collector.Deliver(ctx, m)
}

func TestWhatIsAnsweredDoesNotOvertakeWhatCameBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		behind := &collector{}
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 10, perLot: 10}})
		p.add(plan.Node{Address: "sink.test.first", Sink: &partial{}, Required: true}, "source.test.numbers")
		p.add(plan.Node{Address: "sink.test.behind", Sink: behind, Required: true}, "sink.test.first.delivered")
		if _, err := run(t, p, Options{}); err != nil {
			t.Fatal(err)
		}
		if got := behind.numbers(); !slices.IsSorted(got) {
			t.Errorf("behind delivered: %v", got)
		}
	})
}

// other reads another file, whatever it was told.
type other struct{ counter }

func (o *other) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	stream := &event.Stream{Source: "source.test.numbers", Generation: "h"} // another file
	for n := range int64(10) {
		if err := out.Emit(ctx, numberLot(stream, n)); err != nil {
			return nil
		}
	}
	<-ctx.Done()
	return nil
}

func TestASkipEndsWhereItsGenerationNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := openState(t, t.TempDir())
		src := "source.test.numbers"
		_ = dir.Save([]state.Checkpoint{
			{Source: src, Sink: "sink.test.dead", Position: component.Position{Generation: "f", Offset: 1}},
			{Source: src, Sink: "sink.test.well", Position: component.Position{Generation: "g", Offset: 5}},
		})
		well, dead := &collector{}, &collector{}
		build := func(s component.Source, print string) *plan.Plan {
			p := newPipeline()
			p.add(plan.Node{Address: src, Source: s, Fingerprint: print})
			p.add(plan.Node{Address: "sink.test.well", Sink: well, Required: true, Fingerprint: "1"}, src)
			p.add(plan.Node{Address: "sink.test.dead", Sink: dead, Required: true, Fingerprint: "1"}, src)
			return p.plan
		}
		a := &slow{from: make(chan []component.Position, 1), wait: true}
		g, stop := startGraph(t, build(a, "1"), Options{State: dir})
		<-a.from
		if err := g.Reload(build(&other{}, "2")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		wantNumbers(t, "the dead sink", dead.numbers(), sequence(0, 10))
		wantNumbers(t, "the well sink", well.numbers(), sequence(0, 10))
		_ = stop()
	})
}

// recalling gives its first batch back while the next one is encoded.
type recalling struct {
	held  []*component.Message
	tries [][]int64
}

func (*recalling) Limits() (int, int64, int)                   { return 10, 1 << 20, 100 }
func (*recalling) Open(context.Context, *component.Host) error { return nil }
func (*recalling) Close() error                                { return nil }
func (r *recalling) Encode(m *component.Message) error {
	for _, held := range r.held {
		held.Return()
	}
	r.held = nil
	return nil
}
func (r *recalling) Deliver(_ context.Context, messages []*component.Message) error {
	var numbers []int64
	for _, m := range messages {
		numbers = append(numbers, m.Event.Offset())
	}
	r.tries = append(r.tries, numbers)
	if len(r.tries) == 1 {
		r.held = messages
		return nil
	}
	for _, m := range messages {
		m.Done()
	}
	return nil
}

func TestNothingNewerGoesBeforeWhatCameBack(t *testing.T) {
	p := newPipeline()
	sink := &recalling{}
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 20, perLot: 10}})
	p.add(plan.Node{Address: "sink.test.recalling", Sink: sink, Required: true}, "source.test.numbers")
	if _, err := run(t, p, Options{}); err != nil {
		t.Fatal(err)
	}
	want := [][]int64{sequence(0, 10), sequence(0, 10), sequence(10, 20)}
	if !slices.EqualFunc(sink.tries, want, slices.Equal) {
		t.Errorf("the batches were %v", sink.tries)
	}
}
