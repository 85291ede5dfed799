package testing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Journey is what became of one input event, in words.
type Journey struct {
	ID    string // of the source's event
	File  string // it came from, if any
	Steps []string
}

// journeys follows every input event through the graph.
func (r *recorder) journeys() []Journey {
	var out []Journey
	index := map[string]int{}
	at := map[string]map[string]bool{} // by origin: the addresses whose plain output it was on
	for _, h := range r.order {
		origin := h.event.Origin()
		id := origin.ID()
		i, ok := index[id]
		if !ok {
			i = len(out)
			index[id] = i
			out = append(out, Journey{ID: id, File: origin.Stream().File})
			at[id] = map[string]bool{}
		}
		if h.place.output == plan.Events {
			at[id][h.place.address] = true
		}
		if s := r.words(h.place, h.event); s != "" {
			out[i].Steps = append(out[i].Steps, s)
		}
		if n := r.node(h.place.address); n != nil && h.place.output == plan.Rejected {
			for _, reason := range reasons(n.Where, h.event) {
				out[i].Steps = append(out[i].Steps, "  "+reason)
			}
		}
	}
	for i := range out {
		out[i].Steps = append(out[i].Steps, r.swallowed(out[i], at[out[i].ID])...)
	}
	return out
}

// words says what a happening means; nothing for what goes without saying.
func (r *recorder) words(p place, e *event.Event) string {
	n := r.node(p.address)
	switch {
	case p.address == graph.DeadLetters:
		return "no component listens to this error: built-in dead letters"
	case n == nil:
		return ""
	case p.output == plan.Errors:
		return fmt.Sprintf("%s: error: %s", p.address, e.Failure().Message)
	case p.output == plan.Rejected:
		return fmt.Sprintf("%s dropped it, its where is false: %s", p.address, quoted(n.Where.String()))
	case p.output == plan.Delivered, n.Type == plan.Source:
		return ""
	case n.Type == plan.Sink:
		return fmt.Sprintf("%s sent it", p.address)
	default:
		return fmt.Sprintf("%s passed it on", p.address)
	}
}

// swallowed names the transforms that an event went into and that made nothing
// of it.
func (r *recorder) swallowed(j Journey, at map[string]bool) (steps []string) {
	for _, n := range r.plan.Nodes {
		if n.Type != plan.Transform || at[n.Address] || slices.ContainsFunc(j.Steps, func(s string) bool { return strings.HasPrefix(s, n.Address+":") }) {
			continue
		}
		for _, in := range n.Inputs {
			if in.Output == plan.Events && at[in.Node.Address] {
				steps = append(steps, n.Address+" made nothing of it")
				break
			}
		}
	}
	return steps
}

func (r *recorder) node(address string) *plan.Node {
	for _, n := range r.plan.Nodes {
		if n.Address == address {
			return n
		}
	}
	return nil
}

// whereTheyWent explains a wrong number of events: what came, and for input
// that did not come, who dropped it and why.
func (c *checker) whereTheyWent(x *plan.Expect, events []*event.Event, bodies [][]byte) string {
	const most = 10
	var b strings.Builder
	came := map[string]bool{}
	for i, e := range events {
		came[e.Origin().ID()] = true
		if i < most {
			fmt.Fprintf(&b, "got: %s\n", shown(bodies[i]))
		}
	}
	if x.Count != nil && len(events) > *x.Count {
		return strings.TrimRight(b.String(), "\n")
	}
	told := 0
	for _, j := range c.journeys() {
		if came[j.ID] || told == most {
			continue
		}
		told++
		name := j.ID
		if j.File != "" {
			name = j.File
		}
		fmt.Fprintf(&b, "missing: %s\n", name)
		for _, s := range j.Steps {
			fmt.Fprintf(&b, "  %s\n", s)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
