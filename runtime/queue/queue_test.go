package queue

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var stream = &event.Stream{Source: "source.test.s", Generation: "g"}

func made(from, to int) (out []*event.Event) {
	for i := from; i < to; i++ {
		out = append(out, event.New(stream, int64(i), []byte(strconv.Itoa(i)), time.Time{}, ack.Token{}))
	}
	return out
}

func numbers(events []*event.Event) (out []int) {
	for _, e := range events {
		out = append(out, int(e.Offset()))
	}
	return out
}

func want(t *testing.T, got []*event.Event, from, to int) {
	t.Helper()
	if !slices.Equal(numbers(got), numbers(made(from, to))) {
		t.Errorf("got %v, want %d to %d", numbers(got), from, to-1)
	}
}

func TestPushWaitsForRoomAndKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(plan.Queue{MaxEvents: 10, MaxBytes: 1 << 20, WhenFull: plan.Block}, nil)
		var wg sync.WaitGroup
		wg.Go(func() { q.Push(t.Context(), made(0, 1000)) })
		synctest.Wait()
		if n, _ := q.Len(); n != 10 {
			t.Fatalf("%d events in a queue of 10", n)
		}
		var got []*event.Event
		for len(got) < 1000 {
			got = append(got, q.Pop(t.Context(), 7, 1<<20)...)
		}
		wg.Wait()
		want(t, got, 0, 1000)
		if n, bytes := q.Len(); n != 0 || bytes != 0 {
			t.Errorf("%d events, %d bytes left on the books", n, bytes)
		}
	})
}

func TestPushGivesBackWhatItCouldNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(plan.Queue{MaxEvents: 3, MaxBytes: 1 << 20, WhenFull: plan.Block}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		rest, err := q.Push(ctx, made(0, 5))
		if err == nil {
			t.Fatal("no error")
		}
		want(t, rest, 3, 5)
	})
}

func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		policy        plan.WhenFull
		stay, dropped []int
	}{
		{plan.DropOldest, []int{4, 5, 6}, []int{0, 1, 2, 3}},
		{plan.DropNewest, []int{0, 1, 2}, []int{3, 4, 5, 6}},
	} {
		t.Run(string(c.policy), func(t *testing.T) {
			var dropped []*event.Event
			q := New(plan.Queue{MaxEvents: 3, MaxBytes: 1 << 20, WhenFull: c.policy}, func(e []*event.Event) { dropped = append(dropped, e...) })
			q.Push(t.Context(), made(0, 2))
			q.Push(t.Context(), made(2, 7))
			if got := numbers(q.Pop(t.Context(), 100, 1<<20)); !slices.Equal(got, c.stay) {
				t.Errorf("stayed %v, want %v", got, c.stay)
			}
			if got := numbers(dropped); !slices.Equal(got, c.dropped) {
				t.Errorf("dropped %v, want %v", got, c.dropped)
			}
		})
	}
}

func TestALargerEventIsLetThroughAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(plan.Queue{MaxEvents: 10, MaxBytes: 100, WhenFull: plan.Block}, nil)
		var wg sync.WaitGroup
		wg.Go(func() { q.Push(t.Context(), made(0, 3)) })
		var got []*event.Event
		for len(got) < 3 {
			synctest.Wait()
			if n, _ := q.Len(); n != 1 {
				t.Fatalf("%d events wait, want 1", n)
			}
			got = append(got, q.Pop(t.Context(), 10, 1<<20)...)
		}
		wg.Wait()
		want(t, got, 0, 3)
	})
}

// PushAll waits, and does not spin, where there is room for some of its events
// but not for all; what it gave up is room for another Push.
func TestPushAllWaitsWhereThereIsTooLittleRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(plan.Queue{MaxEvents: 5, MaxBytes: 1 << 20, WhenFull: plan.Block}, nil)
		if !q.PushAll(t.Context(), made(0, 3), time.Second) {
			t.Fatal("an empty queue takes any number")
		}
		began := time.Now()
		if q.PushAll(t.Context(), made(3, 7), time.Second) || time.Since(began) != time.Second {
			t.Fatalf("gave up after %v", time.Since(began))
		}
		go func() {
			time.Sleep(500 * time.Millisecond)
			q.Pop(t.Context(), 2, 1<<20)
		}()
		if !q.PushAll(t.Context(), made(3, 7), time.Second) {
			t.Error("there was room after half a second")
		}
		want(t, q.Pop(t.Context(), 10, 1<<20), 2, 7)
	})
}

func TestManyPushersLoseNothing(t *testing.T) {
	q := New(plan.Queue{MaxEvents: 16, MaxBytes: 1 << 20, WhenFull: plan.Block}, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := 0; k < 1000; k += 10 {
				q.Push(t.Context(), made(i*1000+k, i*1000+k+10))
			}
		})
	}
	last := map[int]int{}
	seen := 0
	for seen < 8000 {
		for _, n := range numbers(q.Pop(t.Context(), 50, 1<<20)) {
			if before, ok := last[n/1000]; ok && n != before+1 {
				t.Fatalf("pusher %d: %d after %d", n/1000, n, before)
			}
			last[n/1000] = n
			seen++
		}
	}
	wg.Wait()
}

func BenchmarkPushPop(b *testing.B) {
	q := New(plan.Queue{MaxEvents: 10_000, MaxBytes: 1 << 30, WhenFull: plan.Block}, nil)
	batch := made(0, 100)
	b.ReportAllocs()
	for b.Loop() {
		q.Push(b.Context(), batch)
		q.Pop(b.Context(), 100, 1<<30)
	}
}
