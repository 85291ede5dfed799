package graph

import (
	"context"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// holder is a sink that has many batches in its hands before it answers the
// first message, as one that waits for a slow target has.
type holder struct {
	t    *testing.T
	want int // messages before any answer
	held []*component.Message
}

func (*holder) Encode(*component.Message) error                 { return nil }
func (*holder) Open(context.Context, *component.Host) error     { return nil }
func (*holder) Close() error                                    { return nil }
func (s *holder) Limits() (messages int, bytes int64, most int) { return 7, 1 << 20, 2 * s.want }

func (s *holder) Deliver(_ context.Context, messages []*component.Message) error {
	if s.held = append(s.held, messages...); len(s.held) < s.want {
		return nil
	}
	for _, m := range s.held {
		if want := string(m.Event.AppendJSON(nil)); string(m.Payload) != want {
			s.t.Errorf("the payload of %s has become %s", want, m.Payload)
		}
		// What a sink appends to one payload is not the next one's beginning.
		_ = append(m.Payload, "overwritten"...)
	}
	for _, m := range s.held {
		if want := string(m.Event.AppendJSON(nil)); string(m.Payload) != want {
			s.t.Errorf("after an append to another, the payload of %s is %s", want, m.Payload)
		}
		m.Done()
	}
	return nil
}

// Payloads are written into memory that is used again. None may lie in it.
func TestAPayloadIsTheMessagesOwn(t *testing.T) {
	const events = 2000
	s := &holder{t: t, want: events}
	p := newPipeline()
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: events, perLot: 30}})
	p.add(plan.Node{Address: "sink.test.holder", Sink: s, Required: true,
		Queue: plan.Queue{MaxEvents: 100, MaxBytes: 16 << 20, WhenFull: plan.Block}}, "source.test.numbers")
	g, err := New(p.plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.held) != events {
		t.Errorf("%d messages, want %d", len(s.held), events)
	}
}
