package graph

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// try is one Deliver that a target has seen.
type try struct {
	at      time.Duration // since the target was made
	numbers []int64
}

// target is a sink whose Deliver is a function of what it is given.
type target struct {
	collector
	messages, lanes int
	bytes           int64
	answer          func(ctx context.Context, tried int, numbers []int64) error // nil: all are taken; else none is

	mu    sync.Mutex
	began time.Time
	tries []try
}

func (s *target) Limits() (int, int64, int) {
	bytes := s.bytes
	if bytes == 0 {
		bytes = 1 << 20
	}
	return s.messages, bytes, 0
}

func (s *target) Concurrency() int { return s.lanes }

func (s *target) Deliver(ctx context.Context, messages []*component.Message) error {
	var numbers []int64
	for _, m := range messages {
		numbers = append(numbers, m.Event.Origin().Offset())
	}
	s.mu.Lock()
	s.tries = append(s.tries, try{time.Since(s.began), numbers})
	tried := len(s.tries)
	s.mu.Unlock()
	if err := s.answer(ctx, tried, numbers); err != nil {
		return err
	}
	s.collector.mu.Lock()
	s.got = append(s.got, numbers...)
	s.collector.mu.Unlock()
	for _, m := range messages {
		m.Done()
	}
	return nil
}

func (s *target) seen() []try {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tries)
}

// sizes are how many messages each Deliver was given.
func sizes(tries []try) (n []int) {
	for _, t := range tries {
		n = append(n, len(t.numbers))
	}
	return n
}

// lasting is a counter that stays when it has given all.
type lasting struct{ counter }

func (l *lasting) Run(ctx context.Context, h *component.Host, from []component.Position, out component.Output) error {
	err := l.counter.Run(ctx, h, from, out)
	<-ctx.Done()
	return err
}

// rig is a pipeline of a counter and a target, with sinks behind both its outputs.
type rig struct {
	plan              *plan.Plan
	delivered, errors *collector
}

func newRig(source component.Source, sink component.Sink, print string) *rig {
	r := &rig{delivered: &collector{}, errors: &collector{}}
	p := newPipeline()
	p.add(plan.Node{Address: "source.test.numbers", Source: source, Fingerprint: "1"})
	p.add(plan.Node{Address: "sink.test.target", Sink: sink, Required: true, Fingerprint: print}, "source.test.numbers")
	p.add(plan.Node{Address: "sink.test.delivered", Sink: r.delivered, Required: true, Fingerprint: "1"}, "sink.test.target.delivered")
	p.add(plan.Node{Address: "sink.test.errors", Sink: r.errors, Required: true, Fingerprint: "1"}, "sink.test.target.errors")
	r.plan = p.plan
	return r
}

func (r *rig) retry(least, most time.Duration) *rig {
	for _, n := range r.plan.Nodes {
		n.Retry = plan.Retry{Min: least, Max: most}
	}
	return r
}

func (g *Graph) nodeOf(address string) NodeSnapshot {
	nodes := g.Snapshot().Nodes
	return nodes[slices.IndexFunc(nodes, func(n NodeSnapshot) bool { return n.Address == address })]
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for _, c := range []struct {
		says        time.Duration
		least, most time.Duration
	}{
		{30 * time.Second, 30 * time.Second, 33*time.Second + time.Millisecond},
		{time.Millisecond, 500 * time.Millisecond, time.Second + time.Millisecond}, // the backoff is longer
		{0, 500 * time.Millisecond, time.Second + time.Millisecond},
		{-time.Hour, 500 * time.Millisecond, time.Second + time.Millisecond},
		{1 << 62, 5 * time.Minute, 5*time.Minute + 31*time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &target{began: time.Now(), messages: 100}
			s.answer = func(_ context.Context, tried int, _ []int64) error {
				if tried == 1 {
					return component.RetryAfter(errors.New("429 too many"), c.says)
				}
				return nil
			}
			g, stop := startGraph(t, newRig(&counter{until: 10, perLot: 10}, s, "1").retry(time.Second, time.Minute).plan, Options{})
			time.Sleep(c.least / 2)
			synctest.Wait()
			n := g.nodeOf("sink.test.target")
			if in := n.RetryAt.Sub(s.began); in < c.least || in > c.most || n.Health == nil || n.Health.Error() != "429 too many" || n.CircuitOpen {
				t.Errorf("%v: the next try is shown for %v, health %v, circuit open %v", c.says, in, n.Health, n.CircuitOpen)
			}
			time.Sleep(c.most)
			synctest.Wait()
			if tries := s.seen(); len(tries) < 2 || len(tries) > 3 || tries[1].at < c.least || tries[1].at > c.most {
				t.Errorf("%v: tried at %v", c.says, tries)
			}
			if n := g.nodeOf("sink.test.target"); !n.RetryAt.IsZero() || n.Health != nil {
				t.Errorf("%v: after the recovery a retry at %v, health %v", c.says, n.RetryAt, n.Health)
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What the target refuses as a whole is halved until the one to blame is
// alone. The others arrive once, in order; it goes to the errors output, once.
func TestAPoisonEventIsIsolated(t *testing.T) {
	for name, poison := range map[string][]int64{
		"first": {0}, "last": {999}, "one": {417}, "neighbours": {417, 418}, "many": {0, 1, 2, 99, 100, 500, 998, 999}, "all": sequence(0, 1000),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &target{began: time.Now(), messages: 100}
				s.answer = func(_ context.Context, _ int, numbers []int64) error {
					if slices.ContainsFunc(numbers, func(n int64) bool { return slices.Contains(poison, n) }) {
						return component.Refused(event.Failf("refused", "line too old"))
					}
					return nil
				}
				r := newRig(&counter{until: 1000, perLot: 50}, s, "1")
				g, stop := startGraph(t, r.plan, Options{})
				time.Sleep(time.Second)
				synctest.Wait()
				want := slices.DeleteFunc(sequence(0, 1000), func(n int64) bool { return slices.Contains(poison, n) })
				wantNumbers(t, "the target", s.numbers(), want)
				wantNumbers(t, "delivered", r.delivered.numbers(), want)
				wantNumbers(t, "errors", r.errors.numbers(), poison)
				if n := g.nodeOf("sink.test.target"); n.Retries != 0 || n.Health != nil {
					t.Errorf("a refusal counts as the target's trouble: %d retries, health %v", n.Retries, n.Health)
				}
				if n := len(s.seen()); n > 10+len(poison)*2*8 {
					t.Errorf("%d tries", n)
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// A batch that is too large is delivered in smaller ones, and so is what
// comes next; when the target takes more, it is given more.
func TestBatchesFitTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &target{began: time.Now(), messages: 1000, bytes: 64 << 10}
		var most atomic.Int64
		most.Store(20)
		s.answer = func(_ context.Context, _ int, numbers []int64) error {
			time.Sleep(10 * time.Millisecond)
			if int64(len(numbers)) > most.Load() || slices.Contains(numbers, 3000) {
				return component.TooLarge(event.Failf("too_large", "413"))
			}
			return nil
		}
		r := newRig(&counter{until: 40_000, perLot: 50}, s, "1")
		_, stop := startGraph(t, r.plan, Options{})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		early := s.seen()
		refused := 0
		for _, n := range sizes(early) {
			if n > 20 {
				refused++
			}
		}
		if refused < 3 || refused > len(early)/4 {
			t.Errorf("%d of %d batches were too large: %v", refused, len(early), sizes(early))
		}
		most.Store(300)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := slices.Max(sizes(s.seen()[len(early):])); n < 100 {
			t.Errorf("the largest batch of a target that takes 300 has %d", n)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "errors", r.errors.numbers(), []int64{3000})
		wantNumbers(t, "the target", s.numbers(), slices.Concat(sequence(0, 3000), sequence(3001, int64(len(s.numbers()))+1)))
	})
}

// A target that keeps failing is tried with one message at the pace of the
// backoff, and what waits does not fail.
func TestTheCircuitBreakerPostpones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &target{began: time.Now(), messages: 100}
		s.answer = func(context.Context, int, []int64) error {
			if time.Since(s.began) < 10*time.Minute {
				return errors.New("connection refused")
			}
			return nil
		}
		r := newRig(&counter{until: 2000, perLot: 50}, s, "1").retry(time.Second, time.Minute)
		g, stop := startGraph(t, r.plan, Options{})
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		dead := s.seen()
		// The first batch has what had come when the sink was free: one lot or two.
		got := sizes(dead)
		first := got[0]
		if first%50 != 0 || first > 100 || !slices.Equal(got[1:4], []int{first / 2, first / 4, 1}) || slices.Max(got[3:]) != 1 {
			t.Errorf("the dead target was given %v messages", got)
		}
		if n := len(dead); n < 9 || n > 25 {
			t.Errorf("%d tries in nine minutes", n)
		}
		n := g.nodeOf("sink.test.target")
		if in := time.Until(n.RetryAt); !n.CircuitOpen || in <= 0 || in > time.Minute {
			t.Errorf("the circuit is shown as open: %v, the next try in %v", n.CircuitOpen, in)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if n := g.nodeOf("sink.test.target"); n.CircuitOpen || !n.RetryAt.IsZero() {
			t.Errorf("the circuit is still open, the next try is shown for %v", n.RetryAt)
		}
		back := sizes(s.seen()[len(dead):])
		back = back[slices.Index(back, 2)-1:]
		// 1 + 2 + 4 + 8 + 16 are 31: what is left of the first batch comes next.
		if !slices.Equal(back[:6], []int{1, 2, 4, 8, 16, min(32, first-31)}) || slices.Max(back) != 100 {
			t.Errorf("the target that is back was given %v messages", back)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "the target", s.numbers(), sequence(0, 2000))
		wantNumbers(t, "errors", r.errors.numbers(), nil)
	})
}

// A Deliver that hangs ends with the drain timeout, so that the successor gets
// to work.
func TestAHangingDeliverHoldsUpNoReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &target{began: time.Now(), messages: 100}
		s.answer = func(ctx context.Context, _ int, _ []int64) error {
			<-ctx.Done()
			return ctx.Err()
		}
		source := &lasting{counter{until: 1000, perLot: 50}}
		g, stop := startGraph(t, newRig(source, s, "1").plan, Options{})
		time.Sleep(time.Minute)
		healed := &target{began: time.Now(), messages: 100, answer: func(context.Context, int, []int64) error { return nil }}
		if err := g.Reload(newRig(source, healed, "2").plan); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) // the drain timeout is one
		synctest.Wait()
		wantNumbers(t, "the successor", healed.numbers(), sequence(0, 1000))
		_ = stop()
	})
}
