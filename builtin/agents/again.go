package agents

import (
	"context"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// againInterval is how often somebody who reads the ledger beside the source looks for more.
const againInterval = 50 * time.Millisecond

// again reads the ledger beside the source that keeps it, for a sink that has fallen behind. Of
// snapshots and heartbeats it knows nothing: they tell how things are, not what has changed.
type again struct{ of *source }

// Again is a second reader of the ledger.
func (s *source) Again() component.Source { return &again{s} }

// Resume says which positions are numbers in the ledger.
func (a *again) Resume(_ *component.Host, from []component.Position) ([]bool, error) {
	if l := a.of.current(); l != nil {
		return l.has(from), nil
	}
	return make([]bool, len(from)), nil
}

// Run gives what the ledger keeps, and what comes into it, until ctx ends.
func (a *again) Run(ctx context.Context, host *component.Host, from []component.Position, out component.Output) error {
	var given *ledger // from which
	var end int64     // behind what was given
	for {
		l := a.of.current()
		switch {
		case l == nil: // the source that is to keep it has not begun
		case given == nil || given.generation != l.generation:
			next, err := lots{host, out, a.of.stream(l.generation)}.resume(ctx, l, from)
			if err != nil {
				return nil //nolint:nilerr // ctx has ended
			}
			given, end = l, next
		default:
			events, next := l.since(end)
			to := lots{host, out, a.of.stream(l.generation)}
			if to.give(ctx, events) != nil || next > end && to.stand(ctx, next) != nil {
				return nil
			}
			given, end = l, max(end, next)
		}
		if sleep(ctx, againInterval) != nil {
			return nil
		}
	}
}

var _ component.Rereader = (*source)(nil)
