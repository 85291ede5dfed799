// Package flow holds the components that work on events alone and talk to
// nothing outside.
package flow

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// reshape is transform "map". It has no state: one serves all workers.
type reshape struct {
	address string
	moves   []move
	removes [][]string
	sets    []component.NamedTemplate
}

// move is one rename.
type move struct{ from, to []string }

func (r *reshape) Worker(*component.Host) (component.Worker, error) { return r, nil }

func (r *reshape) Close() error { return nil }

// Process makes the new event. All that is read is read from e as it came, so
// that neither the order of the renames nor what else changes matters: two
// members can swap their names, and a template sees what is removed.
func (r *reshape) Process(e *event.Event, out func(*event.Event)) error {
	was, err := e.Root()
	if err != nil {
		return err
	}
	now := was
	for _, m := range r.moves {
		now = now.Without(m.from)
	}
	for _, path := range r.removes {
		now = now.Without(path)
	}
	for _, m := range r.moves {
		if v := was.At(m.from...); v.Kind() != document.Missing {
			now = now.With(m.to, v)
		}
	}
	for _, s := range r.sets {
		v, err := s.Template.Value(e)
		if err != nil {
			return err
		}
		if v.Kind() == document.Missing { // nil as a whole value is null
			v = document.NewNull()
		}
		now = now.With(s.Path, v)
	}
	out(e.Derive(r.address, -1, now))
	return nil
}
