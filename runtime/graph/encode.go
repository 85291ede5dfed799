package graph

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

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

// encode makes the messages of those of batch that are not encoded for this
// component. What an event itself makes impossible is answered at once, in its place.
func (d *delivery) encode(batch []*flight) {
	answer := func(m *component.Message, receipt []document.Member, err error) {
		d.window.answer(batch[m.Place], m, receipt, err)
	}
	var slab []byte
	bytes := int64(0)
	defer func() { d.g.budget.add(bytes) }()
	for i, f := range batch {
		if f.by == d {
			continue
		}
		m := f.message
		if f.by != nil { // a predecessor may still answer for the one it has
			m = &component.Message{Event: m.Event, Attempts: m.Attempts}
		}
		m.Answer, m.Place = answer, i
		if room := cap(slab) - len(slab); room < int(f.size) {
			slab = make([]byte, 0, max(slabSize, int(f.size)))
		}
		at := len(slab)
		var err error
		if slab, err = payload(d.node, m.Event, slab); err == nil {
			m.Payload = slab[at:len(slab):len(slab)]
			err = encode(d.node.Sink, m)
		}
		bytes += d.window.encoded(f, m, d)
		if err != nil {
			d.window.answer(f, m, nil, failure(err, d.address, d.g.options.World.Now()))
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
