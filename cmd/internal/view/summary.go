package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
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
// self is what to type for etl. A long pipeline's lines are only those that say
// most, unless verbose.
func Summary(w io.Writer, p *plan.Plan, s graph.Snapshot, elapsed time.Duration, dead component.Sink, self string, verbose bool) error {
	var b strings.Builder
	t := Sum(p, s)
	rate := 0.0
	if elapsed > 0 {
		rate = float64(t.Read) / elapsed.Seconds()
	}
	fmt.Fprintf(&b, "%s ran for %s: read %s (%s), matched %s, delivered %s, dropped %s, errors %s\n\n",
		p.Name, span(elapsed), count(t.Read), perSecond(rate), count(t.Matched), count(t.Delivered), count(t.Dropped), count(t.Errors))

	cells := [][]string{{"component", "in", "out", "dropped", "errors"}}
	nodes := slices.DeleteFunc(slices.Clone(s.Nodes), idle)
	told := nodes
	if !verbose {
		told = telling(nodes, fewRows)
	}
	for _, n := range told {
		cells = append(cells, []string{n.Address, count(n.In), count(n.Out), count(lost(n)), count(n.Errors)})
	}
	for _, line := range align(cells) {
		b.WriteString(line + "\n")
	}
	b.WriteString(others(nodes, told))
	for _, d := range s.Drops {
		if meant(s, d) {
			fmt.Fprintf(&b, "\n%s kept back %s, as it is meant to (no loss): %s", d.Address, events(d.Count), d.Reason)
			continue
		}
		fmt.Fprintf(&b, "\n%s dropped %s: %s", d.Address, events(d.Count), d.Reason)
	}
	if len(s.Drops) > 0 {
		b.WriteString("\n")
	}
	for _, n := range s.Nodes {
		if n.Repaired > 0 {
			fmt.Fprintf(&b, "\n%s: characters replaced by U+FFFD since they may not be in its results: %s\n", n.Address, count(n.Repaired))
		}
		if n.Gaps > 0 {
			fmt.Fprintf(&b, "\n%s: %s: each is in the log\n", n.Address, gaps(n))
		}
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

// meant says whether d is what a transform keeps back as its configuration says, which is no loss:
// "anomaly" only counts what comes. What its full queue drops is one.
func meant(s graph.Snapshot, d graph.Drop) bool {
	n, ok := node(s, d.Address)
	return ok && n.Type == plan.Transform && d.Reason != string(plan.DropOldest) && d.Reason != string(plan.DropNewest)
}

// fewRows is how many components a person looks through.
const fewRows = 30

// telling is most of nodes, in their order: first those with something wrong,
// then where events come from and go to, then those with the most events.
func telling(nodes []graph.NodeSnapshot, most int) []graph.NodeSnapshot {
	if len(nodes) <= most {
		return nodes
	}
	weight := func(n graph.NodeSnapshot) int {
		switch {
		case wrong(n):
			return 2
		case n.Type == plan.Source || n.Type == plan.Sink:
			return 1
		}
		return 0
	}
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := nodes[i], nodes[j]
		return cmp.Or(weight(b)-weight(a), cmp.Compare(b.In, a.In), cmp.Compare(b.Out, a.Out))
	})
	order = order[:most]
	slices.Sort(order)
	var told []graph.NodeSnapshot
	for _, i := range order {
		told = append(told, nodes[i])
	}
	return told
}

// wrong says whether something happened at n that should not.
func wrong(n graph.NodeSnapshot) bool {
	return n.Errors > 0 || n.Dropped > 0 || n.Gaps > 0 || n.Health != nil
}

// others is the line about the nodes that have none of their own.
func others(nodes, told []graph.NodeSnapshot) string {
	more := len(nodes) - len(told)
	if more == 0 {
		return ""
	}
	bad := 0
	for _, n := range nodes {
		if wrong(n) {
			bad++
		}
	}
	for _, n := range told {
		if wrong(n) {
			bad--
		}
	}
	what := "without anything to say"
	if bad > 0 {
		what = fmt.Sprintf("%s of them with errors, drops or gaps", count(int64(bad)))
	}
	return fmt.Sprintf("  and %s more, %s (--verbose shows all)\n", count(int64(more)), what)
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
