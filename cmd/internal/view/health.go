package view

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/graph"
)

// waitsFor is why the node, which is not well, waits and until when.
func waitsFor(n graph.NodeSnapshot, now time.Time) string {
	why := Visible(n.Health.Error())
	if next := nextTry(n, now); next != "" {
		return why + "; " + next
	}
	return why
}

// nextTry is when the target is tried again: "" where a try is on its way, or
// the component sees to it itself. An open circuit is a target that keeps
// failing, and gets one event to try.
func nextTry(n graph.NodeSnapshot, now time.Time) string {
	left := n.RetryAt.Sub(now).Round(time.Second)
	switch {
	case n.RetryAt.IsZero():
		return ""
	case left <= 0 && n.CircuitOpen:
		return "open: one event is tried now"
	case left <= 0:
		return ""
	case n.CircuitOpen:
		return "open: one event is tried in " + left.String()
	}
	return "tried again in " + left.String()
}
