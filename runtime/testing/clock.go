package testing

import (
	"context"
	"time"

	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// clock is that of a test: it stands still until an input lets time pass.
type clock struct {
	*plan.Clock
	graph *graph.Graph
}

func newClock(t *plan.Test) *clock {
	t.Clock.Set(t.Clock.Now()) // the machine's, if the test has no other
	return &clock{Clock: t.Clock}
}

// pass waits until what was given is through, and lets time pass, with all that is due in it. The error is ctx's.
func (c *clock) pass(ctx context.Context, after time.Duration) error {
	return c.graph.Advance(ctx, c.Now().Add(after), c.Set)
}
