package graph

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
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
	if err := r.step.node.Sink.Open(ctx, r.g.host(r.step)); err != nil {
		return fmt.Errorf("%s: %w", r.address, err)
	}
	r.opened = true
	return nil
}

func (r *runner) start() {
	r.g.outlets.Go(r.send)
	r.g.outlets.Go(r.complete)
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

// serve delivers with one component until taking is done, and then sees to
// what is on its way: it gets the drain timeout if the target is well, none if
// it is not. What has no answer then stays in the window for the successor.
func (r *runner) serve(taking, delivering context.Context, abort context.CancelFunc, n *plan.Node) {
	messages, bytes, inFlight := 1000, int64(1<<20), 0
	if b, ok := n.Sink.(component.Batching); ok {
		messages, bytes, inFlight = b.Limits()
	}
	pause := backoff{Retry: n.Retry}
	inherited := true // what a predecessor left must be encoded anew
	for taking.Err() == nil {
		if inFlight > 0 {
			r.window.waitFor(taking, func() bool { return r.window.unanswered() < inFlight || r.window.returned() })
		} else {
			r.window.waitFor(taking, func() bool { return r.window.unanswered() == 0 })
		}
		if r.window.returned() {
			r.window.waitFor(taking, func() bool { return r.window.unanswered() == 0 })
		}
		batch := r.window.retry()
		switch {
		case len(batch) == 0:
			if batch = flights(r.queue.Pop(taking, messages, bytes)); len(batch) == 0 {
				continue
			}
			r.encode(n, batch)
			r.window.add(batch)
		case inherited:
			r.encode(n, batch)
		}
		inherited = false
		err := r.deliver(delivering, n.Sink, batch)
		switch {
		case err == nil:
			pause.reset(r)
		case delivering.Err() != nil:
		case component.IsFatal(err):
			r.endRun(taking, err)
		default:
			pause.wait(taking, r, err)
		}
	}
	if r.window.unanswered() > 0 {
		drain := r.g.drainTimeout()
		if !r.stats.healthy() {
			drain = 0
		}
		timer := time.AfterFunc(drain, abort)
		r.window.waitFor(r.g.hard, func() bool { return r.window.unanswered() == 0 })
		timer.Stop()
	}
	r.window.giveBack()
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

// flights are messages to be, for events.
func flights(events []*event.Event) []*flight {
	out := make([]*flight, len(events))
	for i, e := range events {
		out[i] = &flight{message: &component.Message{Event: e}, size: e.Size()}
	}
	return out
}

// encode makes the messages of flights for the component of n. What an event
// itself makes impossible is answered at once, in its place.
func (r *runner) encode(n *plan.Node, flights []*flight) {
	var slab []byte
	for _, f := range flights {
		old := f.message
		m := &component.Message{Event: old.Event, Attempts: old.Attempts}
		m.Answer = func(m *component.Message, receipt []document.Member, err error) {
			r.window.answer(f, m, receipt, err)
		}
		if room := cap(slab) - len(slab); room < int(f.size) {
			slab = make([]byte, 0, max(slabSize, int(f.size)))
		}
		at := len(slab)
		var err error
		if slab, err = payload(n, m.Event, slab); err == nil {
			m.Payload = slab[at:len(slab):len(slab)]
			err = encode(n.Sink, m)
		}
		r.window.encoded(f, m)
		if err != nil {
			r.window.answer(f, m, nil, failure(err, r.address, r.g.options.World.Now()))
		}
	}
}

// encode calls a sink's. One that panics costs its event.
func encode(sink component.Sink, m *component.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = crashed(r)
		}
	}()
	return sink.Encode(m)
}

// payload appends what a sink sends for e.
func payload(n *plan.Node, e *event.Event, dst []byte) ([]byte, error) {
	if n.Payload != nil {
		return n.Payload.AppendText(dst, e)
	}
	return e.AppendJSON(dst), nil
}

// deliver gives the messages without an answer to the component. After an
// error the ones it did not answer count as returned.
func (r *runner) deliver(ctx context.Context, sink component.Sink, batch []*flight) error {
	messages := make([]*component.Message, 0, len(batch))
	for _, f := range batch {
		if !f.answered {
			f.message.Attempts++
			messages = append(messages, f.message)
		}
	}
	wake(r.window.settled)
	if len(messages) == 0 {
		return nil
	}
	err := sink.Deliver(ctx, messages)
	if err != nil {
		for _, f := range batch {
			r.window.answer(f, f.message, nil, component.ErrReturned)
		}
	}
	return err
}

// complete settles answers in order until the graph is killed.
func (r *runner) complete() {
	w := &walk{now: r.g.options.World.Now}
	for {
		if flights := r.window.front(); len(flights) > 0 {
			r.settle(w, flights)
			continue
		}
		select {
		case <-r.window.settled:
		case <-r.g.hard.Done():
			// What the target has answered is acknowledged even now.
			r.settle(w, r.window.front())
			return
		}
	}
}

// program is the one that knows the sink, acquired: the current one, or the
// last one before the sink was removed.
func (r *runner) program() *program {
	if p := r.g.current(); p.byName[r.address] != nil {
		return p
	} else {
		p.release()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pinned.acquire()
}

// settle feeds the sink's outputs and acknowledges.
func (r *runner) settle(w *walk, flights []*flight) {
	if len(flights) > 0 {
		beforeSettle.Pass()
		defer behindSettle.Pass()
	}
	p := r.program()
	defer p.release()
	s := p.byName[r.address]
	w.begin(p, p.crews[r.address], nil, -1)
	now := r.g.options.World.Now()
	delivered, bytes := 0, int64(0)
	for _, f := range flights {
		bytes += f.size
		e := f.message.Event
		w.next(nil)
		if f.err != nil {
			err := failure(f.err, r.address, now)
			err.Attempts = f.message.Attempts
			w.fail(s, e, err)
			continue
		}
		delivered++
		if len(s.delivered) > 0 || p.tap != nil {
			w.send(s, plan.Delivered, s.delivered, e.WithDelivery(&event.Delivery{
				Address: r.address, Time: now, Payload: f.message.Payload,
				Attributes: append(f.message.Attributes[:len(f.message.Attributes):len(f.message.Attributes)], f.receipt...),
			}), 0)
		}
	}
	r.g.deliver(p, w.end())
	for _, f := range flights {
		outcome := ack.Accepted
		if f.err != nil {
			outcome = ack.Rejected
		}
		f.message.Event.Release(outcome)
	}
	r.g.gone(len(flights), bytes)
	if delivered > 0 {
		r.stats.acknowledged(delivered, now)
	}
	wake(r.window.changed)
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
	if events := append(r.window.recallEvents(), r.queue.TakeAll()...); len(events) > 0 {
		r.giveUp(events)
		r.g.drop(r.stats, r.address, "left at the end", int64(len(events)))
	}
}

// close closes the component after its last answer.
func (r *runner) close() {
	if r.opened {
		r.step.node.Sink.Close()
		r.opened = false
	}
}

// backoff is the pause between tries of a target that fails.
type backoff struct {
	plan.Retry
	tries int
}

// wait says that the target fails, and waits; longer each time, with jitter.
func (b *backoff) wait(ctx context.Context, r *runner, err error) {
	r.g.tellHealth(r.address, r.stats.setHealth(err), err)
	r.stats.retries.Add(1)
	pause := min(b.Min<<min(b.tries, 20), b.Max)
	b.tries++
	timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// reset says that the target has answered.
func (b *backoff) reset(r *runner) {
	if b.tries > 0 {
		r.g.tellHealth(r.address, r.stats.setHealth(nil), nil)
		b.tries = 0
	}
}
