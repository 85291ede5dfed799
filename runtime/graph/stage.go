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
// order and may keep them. Its queue belongs to the address.
type stageRunner struct {
	g       *Graph
	address string
	stats   *Counters
	queue   *queue.Queue

	mu     sync.Mutex // held while the stage runs
	step   *step
	stage  component.Stage
	next   time.Time
	walk   *walk
	pinned *program // after a removal
}

func (g *Graph) newStageRunner(s *step) *stageRunner {
	r := &stageRunner{g: g, address: s.node.Address, stats: s.stats, step: s, walk: &walk{now: g.options.World.Now}}
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
	r.g.outlets.Go(r.run)
	return nil
}

func (r *stageRunner) run() {
	for r.g.hard.Err() == nil {
		ctx, cancel := context.WithCancel(r.g.hard)
		if wake := r.wakeAt(); !wake.IsZero() {
			cancel()
			ctx, cancel = context.WithTimeout(r.g.hard, wake.Sub(r.g.options.World.Now()))
		}
		events := r.queue.Pop(ctx, 1000, 1<<20)
		cancel()
		r.process(events)
	}
}

func (r *stageRunner) wakeAt() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

// process gives events to the stage, and wakes it when it is time.
func (r *stageRunner) process(events []*event.Event) {
	p := r.program()
	defer p.release()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.during(p, func() {
		for _, e := range events {
			if err := r.stage.Process(e, r); err != nil {
				r.walk.next(nil)
				r.walk.fail(r.step, e, err)
			}
		}
		if now := r.g.options.World.Now(); !r.next.IsZero() && !now.Before(r.next) {
			r.next = time.Time{}
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

// program is the one that knows the stage, acquired: the current one, or the
// last one before the stage was removed.
func (r *stageRunner) program() *program {
	if p := r.g.current(); p.byName[r.address] != nil {
		return p
	} else {
		p.release()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pinned.acquire()
}

// remove ends a stage that is in the pipeline no more. p is the last program
// that knows it, and stays for what may still come.
func (r *stageRunner) remove(p *program) {
	r.flush(p)
	r.mu.Lock()
	r.pinned = p.pin()
	r.mu.Unlock()
}

// during runs f, whose emitted events go on in p afterwards.
func (r *stageRunner) during(p *program, f func()) {
	r.step = p.byName[r.address]
	r.walk.begin(p, p.crews[r.address], nil, -1)
	f()
	r.g.deliver(p, r.walk.end())
}

// flush makes the stage emit or release all that it keeps.
func (r *stageRunner) flush(p *program) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.during(p, func() { r.stage.Flush(r) })
}

// replace makes the stage of s take over. What the old one kept goes on first.
func (r *stageRunner) replace(p *program, s *step) error {
	stage, err := s.node.Stage.Stage(r.g.host(s))
	if err != nil {
		return fmt.Errorf("%s: %w", r.address, err)
	}
	r.flush(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stage, r.next = stage, time.Time{}
	r.queue.SetLimits(s.node.Queue)
	return nil
}

// Emit is component.Emitter's.
func (r *stageRunner) Emit(e *event.Event) {
	r.walk.counts[r.step.index].out++
	r.walk.next(nil)
	r.walk.send(r.step, plan.Events, r.step.events, e, 0)
}

// Keep is component.Emitter's.
func (r *stageRunner) Keep(e *event.Event) { e.HoldAll() }

// Release is component.Emitter's.
func (r *stageRunner) Release(e *event.Event) { e.ReleaseAll(ack.Accepted) }

// WakeAt is component.Emitter's.
func (r *stageRunner) WakeAt(t time.Time) {
	if t.IsZero() || !r.next.IsZero() && r.next.Before(t) {
		return
	}
	r.next = t
}
