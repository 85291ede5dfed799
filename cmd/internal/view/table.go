package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// table is the live picture in lines of at most columns characters: the five
// numbers, a line for each node, and a bar for each backlog. Where rows are
// too few, filters and transforms go first.
func table(p *plan.Plan, m *meter, started time.Time, columns, rows int) []string {
	s := m.past[len(m.past)-1]
	t := Sum(p, s)
	readRate := 0.0
	for _, n := range s.Nodes {
		if n.Type == plan.Source {
			readRate += m.rate(n.Address, in)
		}
	}
	lines := []string{
		fmt.Sprintf("%s  %s  %s in flight", p.Name, span(s.Time.Sub(started)), size(s.MemoryUsed)),
		fmt.Sprintf("read %s (%s)  matched %s  delivered %s  dropped %s  errors %s",
			count(t.Read), perSecond(readRate), count(t.Matched), count(t.Delivered), count(t.Dropped), count(t.Errors)),
	}
	var bars []string
	for _, n := range s.Nodes {
		if n.HasProgress {
			bars = append(bars, bar(n, m.rate(n.Address, read), columns))
		}
	}
	cells := [][]string{{"", "in", "in/s", "out", "dropped", "errors", "queue"}}
	notes := []string{""}
	for _, n := range quietLast(s.Nodes, rows-len(lines)-len(bars)-2) {
		if !idle(n) {
			cells = append(cells, row(n, m.rate(n.Address, in)))
			notes = append(notes, trouble(n, s.Time))
		}
	}
	for i, line := range align(cells) {
		lines = append(lines, line+notes[i])
	}
	lines = append(lines, bars...)
	for i := range lines {
		lines[i] = clip(strings.TrimRight(lines[i], " "), columns-1)
	}
	return lines
}

// quietLast is the nodes that room has a line for: all, else sources and sinks.
func quietLast(nodes []graph.NodeSnapshot, room int) []graph.NodeSnapshot {
	if len(nodes) <= room {
		return nodes
	}
	var ends []graph.NodeSnapshot
	for _, n := range nodes {
		if n.Type == plan.Source || n.Type == plan.Sink {
			ends = append(ends, n)
		}
	}
	return ends[:min(len(ends), max(room, 0))]
}

func row(n graph.NodeSnapshot, rate float64) []string {
	queue := ""
	if n.Type == plan.Sink {
		queue = percent(fill(n))
	}
	return []string{n.Address, count(n.In), perSecond(rate), count(n.Out), count(lost(n)), count(n.Errors), queue}
}

// trouble is what the node waits for.
func trouble(n graph.NodeSnapshot, now time.Time) string {
	switch {
	case n.Health == nil && n.Gaps > 0:
		return "  " + gaps(n)
	case n.Health == nil:
		return ""
	case n.LastAck.IsZero():
		return "  waiting: " + waitsFor(n, now)
	}
	return fmt.Sprintf("  waiting: %s (last answer %s)", waitsFor(n, now), ago(now, n.LastAck))
}

// fill is how full the node's queue is, by what is nearer to its limit.
func fill(n graph.NodeSnapshot) float64 {
	var f float64
	if n.QueueMaxEvents > 0 {
		f = float64(n.QueueEvents) / float64(n.QueueMaxEvents)
	}
	if n.QueueMaxBytes > 0 {
		f = max(f, float64(n.QueueBytes)/float64(n.QueueMaxBytes))
	}
	return f
}

func percent(f float64) string { return fmt.Sprintf("%d %%", int(f*100)) }

// bar is how far a source has read what is there for it.
func bar(n graph.NodeSnapshot, rate float64, columns int) string {
	if n.Read >= n.Total {
		return fmt.Sprintf("  %s  %s read, nothing waits", n.Address, size(n.Read))
	}
	done := float64(n.Read) / float64(n.Total)
	cells := min(max(columns/4, 10), 30)
	full := int(done * float64(cells))
	left := ""
	if rate > 0 {
		left = ", " + span(time.Duration(float64(n.Total-n.Read)/rate*float64(time.Second))) + " left"
	}
	return fmt.Sprintf("  %s  %s%s  %s  %s of %s%s", n.Address,
		strings.Repeat("█", full), strings.Repeat("░", cells-full), percent(done), size(n.Read), size(n.Total), left)
}
