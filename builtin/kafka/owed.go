package kafka

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// An event that was given and got no answer must come again before any newer one:
// a commit of the newer one without it would say that it is committed too, and the
// next start would pass over it without a word. The runtime keeps that order, and
// here it is held to it.

// passed is component.Fatal if messages do not begin with what is owed. The run
// ends then, and the next one goes on at its checkpoints.
func (o *once) passed(messages []*component.Message) error {
	left := o.owed
	for _, m := range messages {
		if len(left) == 0 {
			break
		}
		if m.Event.Stream().Replayed {
			continue
		}
		if owed := left[0]; m.Event.Stream().Source != owed.Stream().Source || refusedOf(m.Event) != refusedOf(owed) {
			return component.Fatal(fmt.Errorf("transaction %s: an event (%s) was to be committed before an older one that has no answer (%s): "+
				"that must not happen, please report it; nothing is lost, the next start goes on before both",
				o.transactionalID(), whereabouts(m.Event), whereabouts(owed)))
		}
		left = left[1:]
	}
	return nil
}

// owe notes what is left of messages without an answer. They began with what
// was owed before; what of that did not come with them is still owed.
func (o *once) owe(messages []*component.Message) {
	if len(o.owed) == 0 && len(o.pending) == 0 {
		return
	}
	came := 0
	for _, m := range messages {
		if !m.Event.Stream().Replayed {
			came++
		}
	}
	var owed []*event.Event
	for _, m := range o.pending {
		if !m.Event.Stream().Replayed {
			owed = append(owed, m.Event)
		}
	}
	o.owed, o.pending = append(owed, o.owed[min(came, len(o.owed)):]...), nil
}

func whereabouts(e *event.Event) string {
	return fmt.Sprintf("%s at %d of %s", e.Stream().Source, e.Offset(), e.Stream().Generation)
}
