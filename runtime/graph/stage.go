package graph

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/queue"
)

// stageRunner runs a component.Stage: one goroutine that sees all events in
// order and may keep them. Its queue belongs to the address. Whatever the stage
// emits may have to wait for a queue behind it, so nobody but that goroutine calls
// the stage: a reload or a stop leaves an order, and does not wait.
type stageRunner struct {
	g       *Graph
	address string
	stats   *Counters
	queue   *queue.Queue

	// Of the goroutine.
	step    *step
	stage   component.Stage
	walk    *walk
	emitted int              // since the call of the stage began
	drops   map[string]int64 // since then, by reason

	mu        sync.Mutex
	next      time.Time // of the next Wake; zero: none
	pinned    *program  // after a removal
	successor *step     // is to take over
	flush     bool      // all that is kept is to go on
	look      bool      // the clock was moved
	interrupt func()    // ends the wait for events
	flushed   bool      // the last flush had anything to emit
}

func (g *Graph) newStageRunner(s *step) *stageRunner {
	r := &stageRunner{
		g: g, address: s.node.Address, stats: s.stats, step: s,
		walk: &walk{now: g.options.World.Now}, drops: map[string]int64{}, interrupt: func() {},
	}
	r.queue = queue.New(s.node.Queue, func(events []*event.Event) {
		bytes := int64(0)
		for _, e := range events {
			bytes += e.Size()
			e.ReleaseAll(ack.Abandoned)
		}
		g.gone(len(events), bytes)
		g.drop(r.stats, r.address, string(s.node.Queue.WhenFull), int64(len(events)))
	})
	return r
}

func (r *stageRunner) start() error {
	stage, err := r.step.node.Stage.Stage(r.g.host(r.step))
	if err != nil {
		return fmt.Errorf("%s: %w", r.address, err)
	}
	r.stage = stage
	r.g.outlets.Go(func() { r.g.atWork.do(r.address, r.run) })
	return nil
}

func (r *stageRunner) run() {
	for r.g.hard.Err() == nil {
		events := r.pop()
		r.process(events)
		r.obey()
	}
}

// pop waits for events, until the stage is to be woken or there is an order.
func (r *stageRunner) pop() []*event.Event {
	ctx, cancel := context.WithCancel(r.g.hard)
	defer cancel()
	r.mu.Lock()
	r.interrupt = cancel
	if r.flush || r.look || r.successor != nil {
		cancel()
	}
	next := r.next
	r.mu.Unlock()
	if !next.IsZero() {
		ctx, cancel = context.WithTimeout(ctx, next.Sub(r.g.options.World.Now()))
		defer cancel()
	}
	return r.queue.Pop(ctx, 1000, 1<<20)
}

// process gives events to the stage, and wakes it when it is time.
func (r *stageRunner) process(events []*event.Event) {
	now := r.g.options.World.Now()
	next := r.wakesAt()
	due := !next.IsZero() && !now.Before(next)
	if len(events) == 0 && !due {
		return
	}
	r.during(func() {
		for _, e := range events {
			if err := r.give(e); err != nil {
				r.walk.next(nil)
				r.walk.fail(r.step, e, err)
			}
		}
		if due {
			r.setWake(time.Time{})
			r.WakeAt(r.stage.Wake(now, r))
		}
	})
	bytes := int64(0)
	for _, e := range events {
		e.ReleaseAll(ack.Accepted)
		bytes += e.Size()
	}
	r.g.gone(len(events), bytes)
}

// give gives one event to the stage. One that makes it panic costs that event.
func (r *stageRunner) give(e *event.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = crashed(p)
		}
	}()
	return r.stage.Process(e, r)
}

// during runs f, whose emitted events go on afterwards, and says whether there
// were any.
func (r *stageRunner) during(f func()) (any bool) {
	p := r.g.programFor(r.address, &r.mu, &r.pinned)
	defer p.release()
	r.step, r.emitted = p.byName[r.address], 0
	r.walk.begin(p, p.crews[r.address], nil, -1)
	f()
	for reason, n := range r.drops {
		r.g.discard(r.address, reason, n)
	}
	clear(r.drops)
	r.g.deliver(p, r.walk.end())
	return r.emitted > 0
}

// obey does what a reload or a stop has ordered. What a stage that is replaced
// has kept goes on first: nobody would release it later.
func (r *stageRunner) obey() {
	r.mu.Lock()
	flush, successor := r.flush, r.successor
	r.successor = nil
	if r.look {
		r.look = false
		defer r.g.queued.Add(-1)
	}
	r.mu.Unlock()
	if !flush && successor == nil {
		return
	}
	any := r.during(func() { r.stage.Flush(r) })
	if flush {
		r.mu.Lock()
		r.flush, r.flushed = false, any
		r.mu.Unlock()
		r.g.queued.Add(-1)
	}
	if successor == nil {
		return
	}
	stage, err := successor.node.Stage.Stage(r.g.host(successor))
	if err != nil {
		r.g.fail(fmt.Errorf("%s: %w", r.address, err))
		return
	}
	r.stage = stage
	r.setWake(time.Time{})
}

// orderFlush makes the stage emit or release all that it keeps.
func (r *stageRunner) orderFlush() { r.order(&r.flush) }

// orderLook makes the stage look at a clock that was moved.
func (r *stageRunner) orderLook() { r.order(&r.look) }

// order sets what the stage is to do next. Until that is done it counts as an
// event on its way.
func (r *stageRunner) order(what *bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !*what {
		*what = true
		r.g.queued.Add(1)
	}
	r.interrupt()
}

// hadToFlush says whether the last flush had anything to emit.
func (r *stageRunner) hadToFlush() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flushed
}

// replace makes the stage of s take over.
func (r *stageRunner) replace(s *step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.successor = s
	r.queue.SetLimits(s.node.Queue)
	r.interrupt()
}

// remove ends a stage that is in the pipeline no more. p is the last program
// that knows it, and stays for what may still come.
func (r *stageRunner) remove(p *program) {
	r.mu.Lock()
	r.pinned = p.pin()
	r.mu.Unlock()
	r.orderFlush()
}

// Emit is component.Emitter's.
func (r *stageRunner) Emit(e *event.Event) {
	r.emitted++
	r.walk.counts[r.step.index].out++
	r.walk.next(nil)
	r.walk.send(r.step, plan.Events, r.step.events, e, 0)
}

// Keep is component.Emitter's.
func (r *stageRunner) Keep(e *event.Event) {
	e.HoldAll()
	r.g.budget.add(e.Size())
}

// Release is component.Emitter's.
func (r *stageRunner) Release(e *event.Event) {
	e.ReleaseAll(ack.Accepted)
	r.g.budget.add(-e.Size())
}

// Drop is component.Emitter's.
func (r *stageRunner) Drop(reason string) {
	r.walk.counts[r.step.index].rejected++
	r.drops[reason]++
}

// WakeAt is component.Emitter's.
func (r *stageRunner) WakeAt(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.IsZero() || !r.next.IsZero() && r.next.Before(t) {
		return
	}
	r.next = t
}

// wakesAt is when the stage is woken next; zero if not at all.
func (r *stageRunner) wakesAt() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

func (r *stageRunner) setWake(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = t
}
