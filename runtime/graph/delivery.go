package graph

import (
	"context"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// delivery is one component at work behind a runner's queue. It takes events,
// encodes them and gives them to the component, at the pace that its target keeps.
type delivery struct {
	*runner
	node     *plan.Node
	ctx      context.Context // of Deliver
	inFlight int             // messages that may be without an answer while another Deliver begins
	pace     pace
	pause    backoff

	scratch []byte // of encode
	drafts  []draft

	outcomes chan outcome // of lanes: Delivers that run beside this goroutine
	running  int
	trouble  error // what the next try waits for; nil: nothing
	failed   int   // messages of the delivery with trouble
}

// outcome is what became of one Deliver.
type outcome struct {
	messages int
	size     int64
	took     time.Duration
	err      error
}

func (r *runner) newDelivery(ctx context.Context, n *plan.Node) *delivery {
	d := &delivery{runner: r, node: n, ctx: ctx, pause: backoff{Retry: n.Retry}}
	messages, bytes, lanes := 1000, int64(1<<20), 1
	if b, ok := n.Sink.(component.Batching); ok {
		messages, bytes, d.inFlight = b.Limits()
	}
	if c, ok := n.Sink.(component.Concurrent); ok && !exactlyOnce(n.Sink) {
		lanes = c.Concurrency()
	}
	d.pace = newPace(messages, bytes, lanes)
	d.outcomes = make(chan outcome, d.pace.lanes)
	return d
}

// exactlyOnce says whether the sink needs its events in order.
func exactlyOnce(s component.Sink) bool {
	t, ok := s.(component.Transactional)
	return ok && t.ExactlyOnce()
}

// serve delivers with one component until taking is done, and then sees to
// what is on its way: it gets the drain timeout if the target is well, none if
// it is not. What has no answer then stays in the window for the successor.
func (r *runner) serve(taking, delivering context.Context, abort context.CancelFunc, n *plan.Node) {
	d := r.newDelivery(delivering, n)
	served := make(chan struct{})
	defer close(served)
	// Beside the loop: a Deliver that hangs must end too.
	context.AfterFunc(taking, func() { r.limitDrain(served, abort) })
	for taking.Err() == nil {
		d.collect(taking)
		switch {
		case d.trouble == nil:
			if batch := d.next(taking); len(batch) > 0 {
				d.start(batch)
			}
		case component.IsFatal(d.trouble):
			r.endRun(taking, d.trouble)
		default:
			d.pause.wait(taking, r, d.trouble)
			d.pace.troubled(d.failed, d.pause.broken())
			d.trouble, d.failed = nil, 0
		}
	}
	for d.running > 0 {
		d.judge(<-d.outcomes)
	}
	r.window.waitFor(r.g.hard, func() bool { return r.window.unanswered() == 0 })
	r.window.giveBack()
}

// limitDrain gives what is on its way its time, unless served comes before.
func (r *runner) limitDrain(served <-chan struct{}, abort context.CancelFunc) {
	drain := r.g.drainTimeout()
	if !r.stats.healthy() {
		drain = 0
	}
	timer := time.NewTimer(drain)
	defer timer.Stop()
	select {
	case <-timer.C:
		abort()
	case <-served:
	}
}

// collect waits until the target may get another batch. What came back comes
// again when nothing else is on its way.
func (d *delivery) collect(taking context.Context) {
	w := d.window
	for d.running > 0 {
		if d.running < d.pace.open && d.trouble == nil && !w.returned() {
			select {
			case o := <-d.outcomes:
				d.judge(o)
				continue
			default:
			}
			return
		}
		select {
		case o := <-d.outcomes:
			d.judge(o)
		case <-taking.Done():
			return
		}
	}
	if d.inFlight > 0 && d.pace.lanes == 1 {
		w.waitFor(taking, func() bool { return w.unanswered() < d.inFlight || w.returned() })
		if !w.returned() {
			return
		}
	}
	w.waitFor(taking, func() bool { return w.unanswered() == 0 })
}

// next is the next batch: of what came back if there is any, else of the
// queue. All of it is encoded for this component.
func (d *delivery) next(taking context.Context) []*flight {
	if again := d.window.retry(d.pace.batch, d.pace.room); len(again) > 0 {
		d.encode(again) // if a predecessor left it
		return again
	}
	popping, stop := context.WithCancel(taking)
	defer stop()
	if !d.window.interrupt(stop) {
		return nil
	}
	batch := flights(d.queue.Pop(popping, d.pace.batch, d.pace.room))
	if len(batch) == 0 {
		return nil
	}
	d.encode(batch)
	if !d.window.add(batch) { // something came back meanwhile, and goes first
		return nil
	}
	return batch
}

// start gives a batch to the component, on a lane of its own where there are
// several and no trouble.
func (d *delivery) start(batch []*flight) {
	d.running++
	if d.pace.open == 1 || d.pause.failures > 0 {
		d.judge(d.deliver(batch))
		return
	}
	go func() { d.outcomes <- d.deliver(batch) }()
}

// deliver gives the messages without an answer to the component. After an
// error the ones it did not answer count as returned.
func (d *delivery) deliver(batch []*flight) (o outcome) {
	messages := make([]*component.Message, 0, len(batch))
	for _, f := range batch {
		if !f.answered {
			f.message.Attempts++
			o.size += f.size
			messages = append(messages, f.message)
		}
	}
	wake(d.window.settled)
	if o.messages = len(messages); o.messages == 0 {
		return o
	}
	began := time.Now()
	o.err = d.node.Sink.Deliver(d.ctx, messages)
	o.took = time.Since(began)
	if refusal, _ := component.RefusalOf(o.err); refusal != nil {
		d.window.refuse(batch, refusal)
	} else if o.err != nil {
		d.window.comeBack(batch)
	}
	return o
}

// judge learns from what became of a batch.
func (d *delivery) judge(o outcome) {
	d.running--
	refusal, tooLarge := component.RefusalOf(o.err)
	switch {
	case o.messages == 0:
	case o.err == nil:
		d.pause.reset(d.runner)
		d.pace.taken(o.messages, o.size, o.took)
	case d.ctx.Err() != nil: // it had to end
	case refusal != nil:
		d.pause.reset(d.runner)
		if tooLarge {
			d.pace.tooLarge(o.size)
		}
	default:
		d.trouble, d.failed = worse(d.trouble, o.err), max(d.failed, o.messages)
	}
}

// worse is of two troubles the one that is waited for longer.
func worse(a, b error) error {
	if a == nil || !component.IsFatal(a) && (component.IsFatal(b) || component.RetryAfterOf(b) > component.RetryAfterOf(a)) {
		return b
	}
	return a
}
