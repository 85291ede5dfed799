// Package view shows what a running pipeline does: a table that is refreshed
// in place where there is a terminal, attributes for a log line where there is
// none, and the summary when it has come to its end.
package view

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Totals is a pipeline in five numbers, since the start.
type Totals struct {
	Read      int64 // events and lines that the sources gave, broken ones included
	Matched   int64 // of them and what was made of them: came to a sink
	Delivered int64 // of these: taken for good
	Dropped   int64 // lost to full queues
	Errors    int64 // sent to an errors output
}

// Sum adds up what s says of p. Sinks behind another sink's output or behind an
// errors output are no deliveries: they tell of one.
func Sum(p *plan.Plan, s graph.Snapshot) Totals {
	var t Totals
	first := map[string]bool{}
	for _, n := range p.Nodes {
		first[n.Address] = n.Type == plan.Sink && firstSink(n)
	}
	for _, n := range s.Nodes {
		t.Dropped += n.Dropped
		t.Errors += n.Errors
		switch {
		case n.Type == plan.Source:
			t.Read += n.In
		case first[n.Address]:
			t.Matched += n.In
			t.Delivered += n.Out
		}
	}
	return t
}

func firstSink(n *plan.Node) bool {
	for _, in := range n.Inputs {
		if in.Output != plan.Delivered && in.Output != plan.Errors {
			return true
		}
	}
	return false
}

// lost is what a node took in and gave to nobody: rejected by a filter or
// script, or dropped by a full queue.
func lost(n graph.NodeSnapshot) int64 { return n.Rejected + n.Dropped }

// gaps is what a source could not read, and for ever; "" if it read everything.
func gaps(n graph.NodeSnapshot) string {
	if n.Gaps == 0 {
		return ""
	}
	what := "1 gap"
	if n.Gaps > 1 {
		what = count(n.Gaps) + " gaps"
	}
	if n.MissedBytes == 0 {
		return what + " of unknown size can't be read any more"
	}
	return fmt.Sprintf("%s, %s that are known of, can't be read any more", what, size(n.MissedBytes))
}

// idle is the built-in dead letters as they should be: not worth a line.
func idle(n graph.NodeSnapshot) bool { return n.Address == graph.DeadLetters && n.In == 0 }
