package testing

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// mock is what the test says about n, or about all of its group; nil: nothing.
func (r *recorder) mock(n *plan.Node) *plan.Mock {
	for i := range r.test.Mocks {
		if a := r.test.Mocks[i].Address; a == n.Address || a == n.Group {
			return &r.test.Mocks[i]
		}
	}
	return nil
}

// mockTransforms puts a double in the place of each transform that the test
// answers for. The plan is the test's own.
func (r *recorder) mockTransforms() {
	for _, n := range r.plan.Nodes {
		if m := r.mock(n); m != nil && n.Type == plan.Transform {
			n.Transform, n.Stage = &transform{m}, nil
		}
	}
}

// transform is the double of a transform. It has no state: one serves all workers.
type transform struct{ mock *plan.Mock }

func (t *transform) Worker(*component.Host) (component.Worker, error) { return t, nil }

func (t *transform) Close() error { return nil }

func (t *transform) Process(e *event.Event, out func(*event.Event)) error {
	switch m := t.mock; {
	case m.Events != nil:
		for i, v := range m.Events {
			if len(m.Events) == 1 {
				i = -1
			}
			out(e.Derive(m.Address, i, v))
		}
	case m.Set != nil:
		was, err := e.Root()
		if err != nil {
			return err
		}
		now, err := set(was, m.Set, e)
		if err != nil {
			return err
		}
		out(e.Derive(m.Address, -1, now))
	default:
		return failure(m)
	}
	return nil
}

func failure(m *plan.Mock) *event.Failure { return event.Failf("mock", "%s", m.Error) }

// set is v with what the templates make of e.
func set(v document.Value, templates []component.NamedTemplate, e *event.Event) (document.Value, error) {
	for _, s := range templates {
		x, err := s.Template.Value(e)
		if err != nil {
			return v, err
		}
		if x.Kind() == document.Missing { // nil as a whole value is null
			x = document.NewNull()
		}
		v = v.With(s.Path, x)
	}
	return v, nil
}
