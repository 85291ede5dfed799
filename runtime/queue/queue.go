// Package queue is the bounded queue in front of a sink or stage: events in
// order, pushed and popped in batches, bounded by count and by bytes.
package queue

import (
	"context"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Queue is safe for concurrent use. Its zero value is not ready: use New.
type Queue struct {
	mu      sync.Mutex
	limits  plan.Queue
	items   []*event.Event // from head on
	head    int
	bytes   int64
	room    chan struct{} // has a token when a waiting Push may look again
	filled  chan struct{} // has a token when a waiting Pop may look again
	dropped func([]*event.Event)
}

// New makes an empty queue. dropped takes what a full queue drops by its
// policy; it is called without locks held.
func New(limits plan.Queue, dropped func([]*event.Event)) *Queue {
	return &Queue{limits: limits, room: make(chan struct{}, 1), filled: make(chan struct{}, 1), dropped: dropped}
}

// SetLimits changes the bounds; what is queued beyond them stays.
func (q *Queue) SetLimits(limits plan.Queue) {
	q.mu.Lock()
	q.limits = limits
	q.mu.Unlock()
	signal(q.room)
}

// Len is how many events and bytes wait.
func (q *Queue) Len() (events int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) - q.head, q.bytes
}

// Limits are the bounds.
func (q *Queue) Limits() plan.Queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.limits
}

// Push appends events in order. With policy block it waits while there is no
// room, event by event as room comes; the error is ctx's, and rest is what was
// not taken then. An event larger than the queue is let in alone.
func (q *Queue) Push(ctx context.Context, events []*event.Event) (rest []*event.Event, err error) {
	for len(events) > 0 {
		q.mu.Lock()
		var out []*event.Event
		switch q.limits.WhenFull {
		case plan.DropNewest:
			n := q.fill(events)
			out, events = events[n:], nil
		case plan.DropOldest:
			for {
				events = events[q.fill(events):]
				if len(events) == 0 {
					break
				}
				out = append(out, q.take())
			}
		default:
			events = events[q.fill(events):]
		}
		more := q.fits(0)
		q.mu.Unlock()
		signal(q.filled)
		if len(out) > 0 {
			q.dropped(out)
		}
		if len(events) == 0 {
			if more {
				signal(q.room) // another Push may be waiting
			}
			return nil, nil
		}
		select {
		case <-q.room:
		case <-ctx.Done():
			signal(q.room)
			return events, ctx.Err()
		}
	}
	return nil, nil
}

// PushAll appends events if there is room for all of them within patience; an
// empty queue takes any number. ok is false if none was taken.
func (q *Queue) PushAll(ctx context.Context, events []*event.Event, patience time.Duration) (ok bool) {
	if q.tryAll(events) {
		return true
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-q.room:
		case <-timer.C:
			signal(q.room) // there may be too little of it for these events, and enough for another Push
			return false
		case <-ctx.Done():
			signal(q.room)
			return false
		}
		if q.tryAll(events) {
			return true
		}
	}
}

func (q *Queue) tryAll(events []*event.Event) bool {
	bytes := int64(0)
	for _, e := range events {
		bytes += e.Size()
	}
	q.mu.Lock()
	n := len(q.items) - q.head
	ok := n == 0 || n+len(events) <= q.limits.MaxEvents && q.bytes+bytes <= q.limits.MaxBytes
	if ok {
		q.items = append(q.items, events...)
		q.bytes += bytes
	}
	more := q.fits(0)
	q.mu.Unlock()
	if ok {
		signal(q.filled)
		if more {
			signal(q.room)
		}
	}
	return ok
}

// fill takes as many events as there is room for.
func (q *Queue) fill(events []*event.Event) (n int) {
	for n < len(events) && q.fits(events[n].Size()) {
		q.items = append(q.items, events[n])
		q.bytes += events[n].Size()
		n++
	}
	return n
}

func (q *Queue) fits(size int64) bool {
	n := len(q.items) - q.head
	return n == 0 || n < q.limits.MaxEvents && q.bytes+size <= q.limits.MaxBytes
}

func (q *Queue) take() *event.Event {
	e := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	q.bytes -= e.Size()
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head > 1024 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return e
}

// Pop takes up to max events and about bytes from the front, waiting for the
// first. It returns none when ctx is done.
func (q *Queue) Pop(ctx context.Context, max int, bytes int64) []*event.Event {
	for {
		q.mu.Lock()
		var batch []*event.Event
		for q.head < len(q.items) && len(batch) < max {
			size := q.items[q.head].Size()
			if len(batch) > 0 && size > bytes {
				break
			}
			bytes -= size
			batch = append(batch, q.take())
		}
		left := q.head < len(q.items)
		q.mu.Unlock()
		if len(batch) > 0 {
			signal(q.room)
			if left {
				signal(q.filled)
			}
			return batch
		}
		select {
		case <-q.filled:
		case <-ctx.Done():
			return nil
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// TakeAll empties the queue.
func (q *Queue) TakeAll() []*event.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := append([]*event.Event(nil), q.items[q.head:]...)
	q.items, q.head, q.bytes = nil, 0, 0
	signal(q.room)
	return out
}
