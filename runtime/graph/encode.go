package graph

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// slabSize is how many bytes of payloads share one allocation. Small, since one
// of them keeps the memory of all.
const slabSize = 64 << 10

// flights are messages to be, for events. What a batch needs is allocated at
// once: this is done for every event that goes out.
func flights(events []*event.Event) []*flight {
	slab := make([]struct {
		flight
		message component.Message
	}, len(events))
	out := make([]*flight, len(events))
	for i, e := range events {
		one := &slab[i]
		one.message.Event = e
		one.flight.message, one.flight.size = &one.message, e.Size()
		out[i] = &one.flight
	}
	return out
}

// draft is a message whose payload is in the delivery's scratch.
type draft struct {
	flight     *flight
	message    *component.Message
	start, end int
	err        error
}

// encode makes the messages of those of batch that are not encoded for this
// component. What an event itself makes impossible is answered at once, in its place.
//
// Some payloads at a time are written into scratch, and then moved to where they
// live: one allocation of just their size, which need not be cleared before.
func (d *delivery) encode(batch []*flight) {
	answer := func(m *component.Message, receipt []document.Member, err error) {
		d.window.answer(batch[m.Place], m, receipt, err)
	}
	for i := 0; i < len(batch); {
		d.scratch, d.drafts = d.scratch[:0], d.drafts[:0]
		for ; i < len(batch) && len(d.scratch) < slabSize; i++ {
			f := batch[i]
			if f.by == d {
				continue
			}
			m := f.message
			if f.by != nil { // a predecessor may still answer for the one it has
				m = &component.Message{Event: m.Event, Attempts: m.Attempts}
			}
			m.Answer, m.Place = answer, i
			start := len(d.scratch)
			text, err := payload(d.node, m.Event, d.scratch)
			if err == nil {
				d.scratch = text
			}
			d.drafts = append(d.drafts, draft{f, m, start, len(d.scratch), err})
		}
		d.settleDrafts()
	}
}

// settleDrafts gives the drafts their payloads, and the component the messages.
func (d *delivery) settleDrafts() {
	slab := append([]byte(nil), d.scratch...)
	bytes := int64(0)
	defer func() { d.g.budget.add(bytes) }()
	for _, one := range d.drafts {
		m, err := one.message, one.err
		if err == nil {
			m.Payload = slab[one.start:one.end:one.end]
			err = encode(d.node.Sink, m)
		}
		bytes += d.window.encoded(one.flight, m, d)
		if err != nil {
			d.window.answer(one.flight, m, nil, failure(err, d.address, d.g.options.World.Now()))
		}
	}
	clear(d.drafts)
	if cap(d.scratch) > 4*slabSize { // a large event is rare: its room is not kept
		d.scratch = nil
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
