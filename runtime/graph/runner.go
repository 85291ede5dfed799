package graph

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/queue"
)

// runner is one sink at work. The queue in front of it and what is on its way
// belong to the address, not to the component: a reload puts another component
// behind the same queue.
//
// Two goroutines: send takes events from the queue, encodes and delivers them;
// complete takes the answers in order, feeds the sink's outputs and acknowledges.
type runner struct {
	g       *Graph
	address string
	stats   *Counters
	queue   *queue.Queue
	window  *window

	mu      sync.Mutex
	step    *step // whose component is at work
	next    *step // that is to take over
	removed bool
	pinned  *program           // the last that knows the sink, after a removal
	wait    context.CancelFunc // makes send stop taking events
	opened  bool
	over    atomic.Bool // the component has ended the run: it takes no more
}

func (g *Graph) newRunner(s *step) *runner {
	r := &runner{g: g, address: s.node.Address, stats: s.stats, step: s, window: newWindow()}
	r.queue = queue.New(g.bound(s.node.Queue), func(events []*event.Event) {
		r.giveUp(events)
		g.drop(r.stats, r.address, string(s.node.Queue.WhenFull), int64(len(events)))
	})
	return r
}

// open opens the component. An error is one that waiting won't heal.
func (r *runner) open(ctx context.Context) error {
	var err error
	r.g.atWork.do(r.address, func() { err = r.step.node.Sink.Open(ctx, r.g.host(r.step)) })
	if err != nil {
		return fmt.Errorf("%s: %w", r.address, err)
	}
	r.opened = true
	return nil
}

func (r *runner) start() {
	r.g.outlets.Go(func() { r.g.atWork.do(r.address, r.send) })
	r.g.outlets.Go(func() { r.g.atWork.do(r.address, r.complete) })
}

// send serves one component after the other until the graph is killed or the
// sink is gone.
func (r *runner) send() {
	for {
		taking, wait := context.WithCancel(r.g.hard)
		delivering, abort := context.WithCancel(r.g.hard)
		r.mu.Lock()
		s := r.step
		r.wait = wait
		if r.next != nil || r.removed {
			wait()
		}
		r.mu.Unlock()
		if r.opened || r.reopen(taking) {
			r.serve(taking, delivering, abort, s.node)
		}
		wait()
		abort()
		if r.g.hard.Err() != nil {
			return
		}
		beforeClose.Pass()
		r.close()
		beforeReopen.Pass()
		r.mu.Lock()
		next, removed := r.next, r.removed
		if next != nil {
			r.step, r.next = next, nil
		}
		r.mu.Unlock()
		if removed {
			r.bury()
			return
		}
		if next == nil {
			continue
		}
		r.queue.SetLimits(r.g.bound(next.node.Queue))
	}
}

// reopen opens the component until that succeeds: after a reload a
// configuration that can't work is no reason to stop, its events wait.
func (r *runner) reopen(ctx context.Context) bool {
	pause := backoff{Retry: r.step.node.Retry}
	for ctx.Err() == nil {
		err := r.open(ctx)
		if err == nil {
			r.stats.setHealth(nil)
			return true
		}
		pause.wait(ctx, r, err)
	}
	return false
}

// endRun ends the run for the component's sake. What still comes is held,
// unanswered, so that the way to the other sinks is free for what they get.
func (r *runner) endRun(taking context.Context, err error) {
	r.stats.setHealth(err)
	r.over.Store(true)
	r.g.fail(fmt.Errorf("%s: %w", r.address, err))
	for taking.Err() == nil {
		held := flights(r.queue.Pop(taking, 1000, 1<<20))
		for _, f := range held {
			f.answered, f.err = true, component.ErrReturned
		}
		r.window.add(held)
	}
}

// giveUp lets go of events that will not be delivered.
func (r *runner) giveUp(events []*event.Event) {
	bytes := int64(0)
	for _, e := range events {
		bytes += e.Size()
		e.Release(ack.Abandoned)
	}
	r.g.gone(len(events), bytes)
}

// hopeless is how many events wait for a target that fails and that nobody
// requires, or that has ended the run.
func (r *runner) hopeless() int {
	r.mu.Lock()
	required := r.step.node.Required
	r.mu.Unlock()
	if !r.over.Load() && (required || r.stats.healthy()) {
		return 0
	}
	n := r.window.len() // before the queue: an event on its way from there to here must not count twice
	waiting, _ := r.queue.Len()
	return n + waiting
}

// leave drops what nobody requires of what is left at the end.
func (r *runner) leave() {
	if r.step.node.Required {
		return
	}
	events, payloads := r.window.recallEvents()
	r.g.budget.add(-payloads)
	if events = append(events, r.queue.TakeAll()...); len(events) > 0 {
		r.giveUp(events)
		r.g.drop(r.stats, r.address, "left at the end", int64(len(events)))
	}
}

// close closes the component after its last answer.
func (r *runner) close() {
	if r.opened {
		r.g.atWork.do(r.address, func() { r.step.node.Sink.Close() })
		r.opened = false
	}
}
