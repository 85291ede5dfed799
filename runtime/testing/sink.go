package testing

import (
	"context"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// sink is the double of a sink: it encodes as the real one does.
type sink struct {
	recorder *recorder
	node     *plan.Node
	mock     *plan.Mock
}

func (r *recorder) sink(n *plan.Node) component.Sink {
	return &sink{recorder: r, node: n, mock: r.mock(n)}
}

func (s *sink) Encode(m *component.Message) error {
	if s.node.Sink == nil {
		return nil
	}
	return s.node.Sink.Encode(m)
}

func (s *sink) Open(context.Context, *component.Host) error { return nil }
func (s *sink) Close() error                                { return nil }

func (s *sink) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		receipt, f := s.answer(m.Event)
		if f != nil {
			m.Fail(f)
			continue
		}
		s.recorder.record(place{s.node.Address, plan.Events}, m.Event.WithDelivery(&event.Delivery{
			Address: s.node.Address, Time: m.Event.Received(), Payload: m.Payload, Attributes: slices.Concat(m.Attributes, receipt),
		}))
		m.Done(receipt...)
	}
	return nil
}

// answer is what the target says to e.
func (s *sink) answer(e *event.Event) (receipt []document.Member, f *event.Failure) {
	switch {
	case s.mock == nil:
		return nil, nil
	case s.mock.Set == nil:
		return nil, failure(s.mock)
	}
	said, err := set(document.NewObject(nil), s.mock.Set, e)
	if err != nil {
		return nil, event.Failf("mock", "%v", err)
	}
	for name, v := range said.Members() {
		receipt = append(receipt, document.Member{Name: name, Value: v})
	}
	return receipt, nil
}
