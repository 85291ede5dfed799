package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Summary is the last that a run says: what each component took in and gave
// out, what full queues dropped, where the events went and how to look at them.
//
// dead is the built-in dead letters, which the plan does not have; nil for none.
// self is what to type for etl.
func Summary(w io.Writer, p *plan.Plan, s graph.Snapshot, elapsed time.Duration, dead component.Sink, self string) error {
	var b strings.Builder
	t := Sum(p, s)
	rate := 0.0
	if elapsed > 0 {
		rate = float64(t.Read) / elapsed.Seconds()
	}
	fmt.Fprintf(&b, "%s ran for %s: read %s (%s), matched %s, delivered %s, dropped %s, errors %s\n\n",
		p.Name, span(elapsed), count(t.Read), perSecond(rate), count(t.Matched), count(t.Delivered), count(t.Dropped), count(t.Errors))

	cells := [][]string{{"component", "in", "out", "dropped", "errors"}}
	for _, n := range s.Nodes {
		if !idle(n) {
			cells = append(cells, []string{n.Address, count(n.In), count(n.Out), count(lost(n)), count(n.Errors)})
		}
	}
	for _, line := range align(cells) {
		b.WriteString(line + "\n")
	}
	for _, d := range s.Drops {
		fmt.Fprintf(&b, "\n%s dropped %s: %s", d.Address, events(d.Count), d.Reason)
	}
	if len(s.Drops) > 0 {
		b.WriteString("\n")
	}
	for _, n := range s.Nodes {
		if left := int64(n.QueueEvents + n.InFlight); n.Type == plan.Sink && left > 0 {
			why := "stopped before it had them"
			if n.Health != nil {
				why = Visible(n.Health.Error())
			}
			fmt.Fprintf(&b, "\n%s: %s not delivered: %s\n", n.Address, events(left), why)
		}
	}
	b.WriteString(destinations(p, s, dead, self))
	_, err := io.WriteString(w, b.String())
	return err
}

// destinations says where the sinks that took something have put it.
func destinations(p *plan.Plan, s graph.Snapshot, dead component.Sink, self string) string {
	var b strings.Builder
	tell := func(address string, sink component.Sink) {
		counts, _ := node(s, address)
		d, ok := sink.(component.Destination)
		if !ok || counts.Out == 0 {
			return
		}
		place, command := d.Destination()
		fmt.Fprintf(&b, "\n%s: %s to %s\n", address, events(counts.Out), Visible(place))
		if arguments, ok := strings.CutPrefix(command, "etl "); ok {
			command = self + " " + arguments
		}
		if command != "" {
			fmt.Fprintf(&b, "  %s\n", Visible(command))
		}
	}
	for _, n := range p.Nodes {
		if n.Type == plan.Sink {
			tell(n.Address, n.Sink)
		}
	}
	tell(graph.DeadLetters, dead)
	return b.String()
}

func events(n int64) string {
	if n == 1 {
		return "1 event"
	}
	return count(n) + " events"
}
