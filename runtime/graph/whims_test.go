package graph

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

var whims = flag.Int("whims", 60, "how many random targets TestWhims plays")

// whimsical is a target that does, at random, all that a sink may do. What is
// poison it never takes, and does not always say which message it is.
type whimsical struct {
	mu       sync.Mutex
	random   *rand.Rand
	poison   map[int64]bool
	inFlight int // more than 0: answers come later
	lanes    int
	taken    *collector
	answers  sync.WaitGroup
}

func (w *whimsical) Encode(m *component.Message) error {
	if m.Event.Origin().Offset()%97 == 5 && w.poison[m.Event.Origin().Offset()] {
		return event.Failf("invalid", "nothing to send")
	}
	m.Native = w
	return nil
}
func (w *whimsical) Open(context.Context, *component.Host) error { return nil }
func (w *whimsical) Close() error                                { w.answers.Wait(); return nil }
func (w *whimsical) Limits() (int, int64, int)                   { return 20, 1 << 20, w.inFlight }
func (w *whimsical) Concurrency() int                            { return w.lanes }

func (w *whimsical) Deliver(ctx context.Context, messages []*component.Message) error {
	for _, m := range messages {
		if m.Native != w {
			panic("the message is encoded for another component")
		}
	}
	w.mu.Lock()
	whim, after := w.random.IntN(12), time.Duration(w.random.IntN(20))*time.Millisecond
	part := w.random.IntN(len(messages) + 1)
	w.mu.Unlock()
	if w.inFlight > 0 {
		for i, m := range messages {
			w.answers.Go(func() {
				sleep(ctx, after)
				if ctx.Err() != nil || whim < 2 && i >= part {
					m.Return()
				} else {
					w.take(m)
				}
			})
		}
		return nil
	}
	sleep(ctx, after)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, m := range messages[:part] { // a part is taken, whatever comes then
		if w.poison[m.Event.Origin().Offset()] {
			return component.Refused(event.Failf("poison", "400"))
		}
		w.take(m)
	}
	rest := messages[part:]
	switch {
	case whim == 0:
		return errors.New("reset by peer")
	case whim == 1:
		return component.RetryAfter(errors.New("503"), after)
	case whim == 2 && len(rest) > 1:
		return component.TooLarge(event.Failf("too_large", "413"))
	case whim == 3:
		for _, m := range rest {
			m.Return()
		}
		return nil
	}
	if slices.ContainsFunc(rest, func(m *component.Message) bool { return w.poison[m.Event.Origin().Offset()] }) {
		return component.Refused(event.Failf("poison", "400"))
	}
	for _, m := range rest {
		w.take(m)
	}
	return nil
}

func (w *whimsical) take(m *component.Message) {
	n := m.Event.Origin().Offset()
	if w.poison[n] {
		m.Fail(event.Failf("poison", "400"))
		return
	}
	w.taken.mu.Lock()
	w.taken.got = append(w.taken.got, n)
	w.taken.mu.Unlock()
	m.Done()
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Whatever a target does, and whoever takes its place at a reload: each event
// is answered once, poison goes to the errors output and nothing else does, both outputs
// keep the order of the source, and so does a target that gets one batch after the other.
// Longer: go test -run TestWhims ./runtime/graph -whims 5000
func TestWhims(t *testing.T) {
	for seed := range *whims {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(seed), 4))
				const events = 600
				poison := map[int64]bool{}
				for range random.IntN(40) {
					first := random.Int64N(events)
					for n := first; n <= first+random.Int64N(3) && n < events; n++ {
						poison[n] = true
					}
				}
				taken := &collector{}
				sequential := true
				another := func() *whimsical {
					w := &whimsical{random: rand.New(rand.NewPCG(uint64(seed), random.Uint64())), poison: poison, taken: taken}
					switch random.IntN(4) {
					case 0:
						w.inFlight, sequential = 50, false
					case 1:
						w.lanes, sequential = 1+random.IntN(6), false
					}
					return w
				}
				source := &lasting{counter{until: events, perLot: 1 + random.Int64N(60)}}
				first := newRig(source, another(), "0")
				g, stop := startGraph(t, first.plan, Options{})
				for i := range random.IntN(4) {
					time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
					next := newRig(source, another(), fmt.Sprint(i+1))
					if err := g.Reload(next.plan); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				var good, bad []int64
				for n := range int64(events) {
					if poison[n] {
						bad = append(bad, n)
					} else {
						good = append(good, n)
					}
				}
				wantNumbers(t, "delivered", first.delivered.numbers(), good)
				wantNumbers(t, "errors", first.errors.numbers(), bad)
				got := taken.numbers()
				if !sequential {
					slices.Sort(got)
				}
				wantNumbers(t, "the targets", got, good)
				if n := g.nodeOf("sink.test.target"); n.InFlight != 0 || n.QueueEvents != 0 || n.Out != int64(len(good)) {
					t.Errorf("%d in flight, %d queued, %d delivered", n.InFlight, n.QueueEvents, n.Out)
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
