package graph

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// A target that takes several batches at a time gets as many as it takes
// well, and never more than the sink wants.
func TestLanesFollowTheTarget(t *testing.T) {
	for _, c := range []struct {
		name        string
		answer      func(ctx context.Context, parallel int) error
		least, most int // batches at a time, once that has settled
	}{
		{"one that is well", func(context.Context, int) error { time.Sleep(10 * time.Millisecond); return nil }, 8, 8},
		{"one that slows down beyond four", func(_ context.Context, parallel int) error {
			if parallel > 4 {
				time.Sleep(50 * time.Millisecond)
			}
			time.Sleep(10 * time.Millisecond)
			return nil
		}, 2, 6},
		{"one that refuses more than three", func(_ context.Context, parallel int) error {
			time.Sleep(10 * time.Millisecond)
			if parallel > 3 {
				return component.RetryAfter(errors.New("429"), 100*time.Millisecond)
			}
			return nil
		}, 2, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var now, most atomic.Int64
				s := &target{began: time.Now(), messages: 10, lanes: 8}
				s.answer = func(ctx context.Context, _ int, _ []int64) error {
					now.Add(1)
					defer now.Add(-1)
					time.Sleep(time.Millisecond) // what ends or begins at the same moment has done so
					n := now.Load()
					for old := most.Load(); n > old && !most.CompareAndSwap(old, n); {
						old = most.Load()
					}
					return c.answer(ctx, int(n))
				}
				r := newRig(&counter{until: 100_000, perLot: 50}, s, "1")
				r.plan.Runtime.ShutdownTimeout = time.Minute
				_, stop := startGraph(t, r.plan, Options{})
				time.Sleep(5 * time.Second)
				most.Store(0)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if n := int(most.Load()); n < c.least || n > c.most {
					t.Errorf("%d batches at a time, want %d to %d", n, c.least, c.most)
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				got := s.numbers()
				slices.Sort(got)
				wantNumbers(t, "the target", got, sequence(0, int64(len(got))))
				wantNumbers(t, "delivered", r.delivered.numbers(), sequence(0, int64(len(got))))
				wantNumbers(t, "errors", r.errors.numbers(), nil)
			})
		})
	}
}

// What came back on one lane does not wait for new events.
func TestWhatCameBackDoesNotWaitForNewEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &target{began: time.Now(), messages: 1, lanes: 4}
		s.answer = func(_ context.Context, tried int, numbers []int64) error {
			time.Sleep(10 * time.Millisecond)
			if numbers[0] == 99 && tried < 101 {
				return errors.New("reset by peer")
			}
			return nil
		}
		g, stop := startGraph(t, newRig(&lasting{counter{until: 100, perLot: 50}}, s, "1").plan, Options{})
		time.Sleep(time.Minute)
		synctest.Wait()
		got := s.numbers()
		slices.Sort(got)
		wantNumbers(t, "the target", got, sequence(0, 100))
		if n := g.nodeOf("sink.test.target"); n.Health != nil || n.Retries == 0 {
			t.Errorf("after %d retries the health is %v", n.Retries, n.Health)
		}
		_ = stop()
	})
}
