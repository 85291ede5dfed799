package graph

import (
	"context"
	"sync"

	"github.com/wazuh-etl/etl/runtime/plan"
)

// budget bounds what all events in flight may hold, in bytes. Only sources
// wait for it: what is already inside can always move on, so that a full
// budget never locks the graph up.
type budget struct {
	mu    sync.Mutex
	limit int64 // 0: none
	used  int64
	room  chan struct{} // closed and replaced whenever there is room again
}

func newBudget(memory int64) *budget {
	return &budget{limit: share(memory), room: make(chan struct{})}
}

// own is about what the process needs for itself: its code, of which some 25 MiB are resident, and components without events.
const own = 32 << 20

// share is what of a pipeline's memory events in flight may hold: half of what the process leaves, since as much again is
// garbage and what is made of them on the way.
func share(memory int64) int64 { return max(memory/4, (memory-own)/2) }

func (b *budget) setMemory(memory int64) {
	b.mu.Lock()
	b.limit = share(memory)
	b.wake()
	b.mu.Unlock()
}

// wake lets everybody look again.
func (b *budget) wake() {
	close(b.room)
	b.room = make(chan struct{})
}

func (b *budget) fits() bool { return b.limit == 0 || b.used < b.limit }

// add charges n bytes, which may be negative, without waiting.
func (b *budget) add(n int64) {
	b.mu.Lock()
	full := !b.fits()
	b.used += n
	if full && b.fits() {
		b.wake()
	}
	b.mu.Unlock()
}

// wait waits until there is room. The error is ctx's.
func (b *budget) wait(ctx context.Context) error {
	for {
		b.mu.Lock()
		ok, room := b.fits(), b.room
		b.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *budget) usage() (used, limit int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used, b.limit
}

// bound makes a sink's queue small enough that a full one, of a target that is
// away, leaves the budget to the others.
func (g *Graph) bound(q plan.Queue) plan.Queue {
	if _, limit := g.budget.usage(); limit > 0 {
		q.MaxBytes = min(q.MaxBytes, max(limit/4, 1))
	}
	return q
}
