package lang

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// checkExactlyOnce refuses sinks that deliver exactly once what can't be: all
// events on the way must come again after a crash, in the order of their source.
func (l *loader) checkExactlyOnce() {
	for _, n := range l.plan.Nodes {
		t, is := n.Sink.(component.Transactional)
		if !is || !t.ExactlyOnce() {
			continue
		}
		refuse := func(message, suggestion string) {
			l.report(diag.Diagnostic{Code: diag.ExactlyOnce, Range: n.Config.Ranges["delivery"], Message: message, Suggestion: suggestion})
		}
		if n.Queue.WhenFull != plan.Block {
			refuse("exactly once is not possible with a queue that drops events", `leave when_full out: the default is "block"`)
		}
		if !n.Required {
			refuse("exactly once is not possible for a sink that nobody requires: what is on its way to it at a stop is not read again", "leave required = false out")
		}
		l.checkWay(n, map[*plan.Node]bool{}, refuse)
	}
}

// checkWay looks at all that events pass on their way to n.
func (l *loader) checkWay(n *plan.Node, seen map[*plan.Node]bool, refuse func(message, suggestion string)) {
	for _, in := range n.Inputs {
		from := in.Node
		if seen[from] {
			continue
		}
		seen[from] = true
		switch {
		case from.Type == plan.Sink:
			refuse("exactly once is not possible for the outputs of another sink: "+from.Address+" may answer again for an event after a crash", "read what "+from.Address+" reads")
		case from.Stage != nil && !from.Disabled:
			refuse("exactly once is not possible behind "+from.Address+": what it makes of several events has no position in a source", "")
		case from.Type == plan.Source && from.Queue.WhenFull != plan.Block:
			refuse("exactly once is not possible with a source that drops events: "+from.Address, `leave when_full out there: the default is "block"`)
		case from.Type == plan.Source && from.Queue.Disk:
			refuse("exactly once is not possible behind a queue on disk: the numbers of "+from.Address+"'s events are not those of their origin, which can't be asked again", "write its events to a file first, and read that")
		case from.Type == plan.Source && from.Source != nil && !readsAgain(from.Source):
			refuse("exactly once is not possible with a source that has no positions to go on from: "+from.Address, "write its events to a file first, and read that")
		default:
			l.checkWay(from, seen, refuse)
		}
	}
}
