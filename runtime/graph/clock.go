package graph

import (
	"context"
	"time"
)

// Advance lets time pass where World.Now is a clock that only set moves, as in tests: it
// waits until all that the sources have given is as far as it gets, and then puts the clock on, from
// one time that a stage asked to be woken at to the next, until it is to. What stages emit gets as far
// as it can before the clock moves again. The error is ctx's.
func (g *Graph) Advance(ctx context.Context, to time.Time, set func(now time.Time)) error {
	for {
		if err := g.settle(ctx); err != nil {
			return err
		}
		now, due := to, false
		stages := g.allStages()
		for _, s := range stages {
			if at := s.wakesAt(); !at.IsZero() && !at.After(now) {
				now, due = at, true
			}
		}
		if now.After(g.options.World.Now()) {
			set(now)
		}
		if !due {
			return nil
		}
		for _, s := range stages {
			s.orderLook()
		}
	}
}

// settle waits until nothing moves: no lot is on its way to a queue, and no event to an answer.
func (g *Graph) settle(ctx context.Context) error {
	for pause := 10 * time.Microsecond; !g.settled(); pause = min(2*pause, time.Millisecond) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (g *Graph) settled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.allFeeds() {
		f.mu.Lock()
		empty := f.empty()
		f.mu.Unlock()
		if !empty {
			return false
		}
	}
	return g.queued.Load() == 0
}
