package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is a source of the documents {"n":0}, {"n":1}, … that can be resumed.
type counter struct {
	until   int64 // 0: without end
	perLot  int64
	settled func([]ack.Outcome)
	start   atomic.Int64 // where the last Run began
}

func (c *counter) Run(ctx context.Context, _ *component.Host, from []component.Position, out component.Output) error {
	n := int64(0)
	if len(from) > 0 {
		n = from[0].Offset
		for _, p := range from {
			n = min(n, p.Offset)
		}
	}
	c.start.Store(n)
	stream := &event.Stream{Source: "source.test.numbers", Generation: "g"}
	for c.until == 0 || n < c.until {
		lot := component.NewLot()
		lot.Stream, lot.Settled = stream, c.settled
		for range c.perLot {
			if c.until != 0 && n >= c.until {
				break
			}
			at := len(lot.Data)
			lot.Data = fmt.Appendf(lot.Data, `{"n":%d}`, n)
			lot.Lines = append(lot.Lines, component.Line{Start: at, End: len(lot.Data), Offset: n})
			n++
		}
		lot.Position = component.Position{Generation: "g", Offset: n}
		if err := out.Emit(ctx, lot); err != nil {
			return nil
		}
	}
	return nil
}

func numberLot(stream *event.Stream, n int64) *component.Lot {
	lot := component.NewLot()
	lot.Stream = stream
	lot.Data = fmt.Appendf(lot.Data, `{"n":%d}`, n)
	lot.Lines = append(lot.Lines, component.Line{End: len(lot.Data), Offset: n})
	lot.Position = component.Position{Generation: stream.Generation, Offset: n + 1}
	return lot
}

func (c *counter) Resume(_ *component.Host, from []component.Position) ([]bool, error) {
	return slices.Repeat([]bool{true}, len(from)), nil
}

// collector is a sink that keeps the numbers it got.
type collector struct {
	mu      sync.Mutex
	got     []int64
	payload []string
	fail    func(n int64) error // asked for each event; a *event.Failure is the event's own
	delay   time.Duration
	opened  int
	closed  int
}

func (c *collector) Encode(*component.Message) error             { return nil }
func (c *collector) Open(context.Context, *component.Host) error { c.opened++; return nil }
func (c *collector) Close() error                                { c.closed++; return nil }
func (c *collector) numbers() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

func (c *collector) Deliver(ctx context.Context, messages []*component.Message) error {
	if c.delay > 0 {
		select {
		case <-time.After(c.delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, m := range messages {
		root, err := m.Event.Origin().Root()
		if err != nil {
			root = document.NewObject([]document.Member{{Name: "n", Value: document.NewInt(-1)}})
		}
		n, _ := root.Get("n").Int64()
		if c.fail != nil {
			if err := c.fail(n); err != nil {
				var f *event.Failure
				if errors.As(err, &f) {
					m.Fail(f)
					continue
				}
				return err
			}
		}
		c.mu.Lock()
		c.got = append(c.got, n)
		c.payload = append(c.payload, string(m.Payload))
		c.mu.Unlock()
		m.Done(document.Member{Name: "sequence", Value: document.NewInt(int64(len(c.got)))})
	}
	return nil
}

// where is a condition in Go.
type where func(n int64) (bool, error)

func (w where) True(e *event.Event) (bool, error) {
	root, err := e.Root()
	if err != nil {
		return false, err
	}
	n, _ := root.Get("n").Int64()
	return w(n)
}
func (where) String() string { return "test" }

// worker is a transform in Go.
type worker func(e *event.Event, out func(*event.Event)) error

func (w worker) Worker(*component.Host) (component.Worker, error)     { return w, nil }
func (w worker) Process(e *event.Event, out func(*event.Event)) error { return w(e, out) }
func (w worker) Close() error                                         { return nil }

// pipeline makes a plan of nodes whose inputs are given as addresses.
type pipeline struct {
	plan  *plan.Plan
	nodes map[string]*plan.Node
}

func newPipeline() *pipeline {
	return &pipeline{
		plan:  &plan.Plan{Runtime: plan.Runtime{Workers: 2, ShutdownTimeout: time.Second, DrainTimeout: time.Second}},
		nodes: map[string]*plan.Node{},
	}
}

func (p *pipeline) add(n plan.Node, inputs ...string) *plan.Node {
	parts := strings.Split(n.Address, ".")
	n.Type, n.Name = plan.Type(parts[0]), parts[len(parts)-1]
	if n.Queue.MaxEvents == 0 {
		n.Queue = plan.Queue{MaxEvents: 1000, MaxBytes: 1 << 20, WhenFull: plan.Block}
	}
	n.Retry = plan.Retry{Min: time.Millisecond, Max: 10 * time.Millisecond}
	for _, in := range inputs {
		address, output := in, ""
		for _, o := range []string{plan.Rejected, plan.Errors, plan.Delivered} {
			if a, ok := strings.CutSuffix(in, "."+o); ok {
				address, output = a, o
			}
		}
		n.Inputs = append(n.Inputs, plan.Port{Node: p.nodes[address], Output: output})
	}
	p.nodes[n.Address] = &n
	p.plan.Nodes = append(p.plan.Nodes, &n)
	return &n
}

func run(t *testing.T, p *pipeline, o Options) (*Graph, error) {
	t.Helper()
	g, err := New(p.plan, o)
	if err != nil {
		t.Fatal(err)
	}
	return g, g.Run(t.Context())
}

func sequence(from, to int64) (out []int64) {
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

func wantNumbers(t *testing.T, what string, got, want []int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %d events %s, want %d", what, len(got), abbreviate(got), len(want))
	}
}

func abbreviate(n []int64) string {
	if len(n) > 20 {
		return fmt.Sprint(n[:10], " … ", n[len(n)-10:])
	}
	return fmt.Sprint(n)
}

func TestOrderIsKeptThroughFiltersAndTransforms(t *testing.T) {
	p := newPipeline()
	sink, other := &collector{}, &collector{}
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 10_000, perLot: 7}})
	p.add(plan.Node{Address: "filter.even", Where: where(func(n int64) (bool, error) { return n%2 == 0, nil })}, "source.test.numbers")
	p.add(plan.Node{Address: "transform.test.copy", Transform: worker(func(e *event.Event, out func(*event.Event)) error {
		root, err := e.Root()
		out(e.Derive("transform.test.copy", -1, root))
		return err
	})}, "filter.even")
	p.add(plan.Node{Address: "sink.test.even", Sink: sink, Required: true}, "transform.test.copy")
	p.add(plan.Node{Address: "sink.test.odd", Sink: other, Required: true}, "filter.even.rejected")
	if _, err := run(t, p, Options{}); err != nil {
		t.Fatal(err)
	}
	var even, odd []int64
	for n := range int64(10_000) {
		if n%2 == 0 {
			even = append(even, n)
		} else {
			odd = append(odd, n)
		}
	}
	wantNumbers(t, "even", sink.numbers(), even)
	wantNumbers(t, "odd", other.numbers(), odd)
}

func TestAnEventThatComesOverTwoEdgesIsTakenOnce(t *testing.T) {
	p := newPipeline()
	sink := &collector{}
	all := where(func(int64) (bool, error) { return true, nil })
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 100, perLot: 10}})
	p.add(plan.Node{Address: "filter.a", Where: all}, "source.test.numbers")
	p.add(plan.Node{Address: "transform.test.copy", Transform: worker(func(e *event.Event, out func(*event.Event)) error {
		root, err := e.Root()
		out(e.Derive("transform.test.copy", 0, root))
		out(e.Derive("transform.test.copy", 1, root))
		return err
	})}, "filter.a")
	p.add(plan.Node{Address: "filter.b", Where: all}, "filter.a")
	p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "filter.a", "transform.test.copy", "filter.b", "source.test.numbers")
	if _, err := run(t, p, Options{}); err != nil {
		t.Fatal(err)
	}
	count := map[int64]int{}
	for _, n := range sink.numbers() {
		count[n]++
	}
	for n := range int64(100) {
		if count[n] != 3 { // itself once, and two that the transform made
			t.Fatalf("event %d was taken %d times, want 3", n, count[n])
		}
	}
}

func TestErrorsGoToTheirListenersElseToTheDeadLetters(t *testing.T) {
	p := newPipeline()
	sink, listener, dead := &collector{}, &collector{}, &collector{}
	sink.fail = func(n int64) error {
		if n%10 == 3 {
			return event.Failf("too_large", "too large")
		}
		return nil
	}
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 100, perLot: 9}})
	p.add(plan.Node{Address: "filter.a", Where: where(func(n int64) (bool, error) {
		if n%10 == 5 {
			return false, event.Failf("expression", "no")
		}
		return true, nil
	})}, "source.test.numbers")
	p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "filter.a")
	p.add(plan.Node{Address: "sink.test.listener", Sink: listener, Required: true}, "sink.test.all.errors")
	if _, err := run(t, p, Options{DeadLetters: dead}); err != nil {
		t.Fatal(err)
	}
	if n := len(sink.numbers()); n != 80 {
		t.Errorf("the sink has %d events, want 80", n)
	}
	wantNumbers(t, "the sink's errors", listener.numbers(), []int64{3, 13, 23, 33, 43, 53, 63, 73, 83, 93})
	wantNumbers(t, "the filter's errors", dead.numbers(), []int64{5, 15, 25, 35, 45, 55, 65, 75, 85, 95})
}

func TestATargetThatFailsIsTriedAgainInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		var calls int
		sink := &collector{}
		sink.fail = func(int64) error {
			if calls++; calls%3 == 0 {
				return errors.New("connection refused")
			}
			return nil
		}
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 300, perLot: 10}})
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "source.test.numbers")
		if _, err := run(t, p, Options{}); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "the sink", sink.numbers(), sequence(0, 300))
	})
}

func TestTheEndDoesNotWaitForReceiptsWithoutATaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		sink, receipts := &collector{}, &collector{fail: func(int64) error { return errors.New("no socket") }}
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 300, perLot: 10}})
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "source.test.numbers")
		p.add(plan.Node{Address: "sink.test.receipts", Sink: receipts}, "sink.test.all.delivered")
		g, err := run(t, p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "the sink", sink.numbers(), sequence(0, 300))
		s := g.Snapshot()
		if want := []Drop{{"sink.test.receipts", "left at the end", 300}}; !slices.Equal(s.Drops, want) {
			t.Errorf("dropped %v, want %v", s.Drops, want)
		}
		if s.MemoryUsed != 0 {
			t.Errorf("%d bytes are still on the books", s.MemoryUsed)
		}
	})
}

func TestOutcomesReachTheSource(t *testing.T) {
	p := newPipeline()
	sink := &collector{fail: func(n int64) error {
		if n == 2 {
			return event.Failf("bad", "bad")
		}
		return nil
	}}
	var got []ack.Outcome
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 4, perLot: 4, settled: func(o []ack.Outcome) { got = o }}})
	p.add(plan.Node{Address: "filter.a", Where: where(func(n int64) (bool, error) { return n != 1, nil })}, "source.test.numbers")
	p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "filter.a")
	if _, err := run(t, p, Options{DeadLetters: &collector{}}); err != nil {
		t.Fatal(err)
	}
	want := []ack.Outcome{ack.Accepted, ack.Accepted, ack.Rejected, ack.Accepted}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}

func TestAFullQueueDropsByItsPolicyAndCounts(t *testing.T) {
	for _, policy := range []plan.WhenFull{plan.DropOldest, plan.DropNewest} {
		t.Run(string(policy), func(t *testing.T) {
			p := newPipeline()
			sink := &collector{delay: time.Millisecond}
			p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 5000, perLot: 50}})
			p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true, Queue: plan.Queue{MaxEvents: 10, MaxBytes: 1 << 20, WhenFull: policy}}, "source.test.numbers")
			g, err := run(t, p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := sink.numbers()
			if !slices.IsSorted(got) {
				t.Error("reordered")
			}
			s := g.Snapshot()
			dropped := s.Nodes[1].Dropped
			if dropped == 0 || int64(len(got))+dropped != 5000 {
				t.Errorf("%d delivered + %d dropped, want 5000 in all and some dropped", len(got), dropped)
			}
			if policy == plan.DropOldest && got[len(got)-1] != 4999 {
				t.Errorf("drop_oldest lost the newest event")
			}
			if s.MemoryUsed != 0 {
				t.Errorf("%d bytes are still on the books", s.MemoryUsed)
			}
		})
	}
}

func TestMemoryBoundHoldsTheSourceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		p.plan.Runtime.Memory = 128 << 10
		sink := &collector{delay: time.Hour}
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{perLot: 10}, Queue: plan.Queue{MaxEvents: 1e9, MaxBytes: 1 << 40, WhenFull: plan.Block}})
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true, Queue: plan.Queue{MaxEvents: 1e9, MaxBytes: 1 << 40, WhenFull: plan.Block}}, "source.test.numbers")
		g, err := New(p.plan, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		time.Sleep(time.Minute)
		if s := g.Snapshot(); s.MemoryUsed > 64<<10+10*512 {
			t.Errorf("%d bytes in flight, bound %d", s.MemoryUsed, s.MemoryLimit)
		}
		cancel()
		if err := <-done; !errors.Is(err, ErrAbandoned) {
			t.Errorf("got %v, want %v", err, ErrAbandoned)
		}
	})
}

// What waits for its answer holds its payload, too.
func TestMemoryBoundCountsPayloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		sink := &collector{delay: time.Hour}
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 10, perLot: 10}})
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true, Payload: constant(strings.Repeat("x", 10_000))}, "source.test.numbers")
		g, stop := startGraph(t, p.plan, Options{})
		time.Sleep(time.Minute)
		if s := g.Snapshot(); s.MemoryUsed < 10*10_000 {
			t.Errorf("%d bytes on the books, 10 payloads have 10,000 each", s.MemoryUsed)
		}
		time.Sleep(2 * time.Hour)
		if s := g.Snapshot(); s.MemoryUsed != 0 {
			t.Errorf("%d bytes are still on the books", s.MemoryUsed)
		}
		stop()
	})
}

type constant string

func (c constant) Value(*event.Event) (document.Value, error) {
	return document.NewText(string(c)), nil
}
func (c constant) AppendText(dst []byte, _ *event.Event) ([]byte, error) {
	return append(dst, c...), nil
}
func (c constant) Constant() (string, bool) { return string(c), true }

func TestATransformThatPanicsCostsOnlyItsEvent(t *testing.T) {
	p := newPipeline()
	sink, dead := &collector{}, &collector{}
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 10, perLot: 10}})
	p.add(plan.Node{Address: "transform.test.bad", Transform: worker(func(e *event.Event, out func(*event.Event)) error {
		if root, _ := e.Root(); root.Get("n").Number() == "4" {
			panic("boom")
		}
		out(e)
		return nil
	})}, "source.test.numbers")
	p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "transform.test.bad")
	if _, err := run(t, p, Options{DeadLetters: dead}); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, "dead letters", dead.numbers(), []int64{4})
	if len(sink.numbers()) != 9 {
		t.Errorf("the sink has %d events, want 9", len(sink.numbers()))
	}
}
