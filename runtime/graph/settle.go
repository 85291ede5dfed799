package graph

import (
	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

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

// settle feeds the sink's outputs and acknowledges.
func (r *runner) settle(w *walk, flights []*flight) {
	if len(flights) > 0 {
		beforeSettle.Pass()
		defer behindSettle.Pass()
	}
	p := r.g.programFor(r.address, &r.mu, &r.pinned)
	defer p.release()
	s := p.byName[r.address]
	w.begin(p, p.crews[r.address], nil, -1)
	now := r.g.options.World.Now()
	delivered, bytes := 0, int64(0)
	for _, f := range flights {
		bytes += f.size + f.payload
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
