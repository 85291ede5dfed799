package testing

import (
	"context"

	"github.com/wazuh-etl/etl/runtime/plan"
)

// turns let the sources give the inputs of a test one after the other, in the order written.
type turns struct {
	given []chan struct{} // closed when that input is given, or nobody gives it
}

func newTurns(p *plan.Plan, t *plan.Test) *turns {
	there := map[string]bool{}
	for _, n := range p.Nodes {
		there[n.Address] = true
	}
	q := &turns{}
	for i, in := range t.Inputs {
		q.given = append(q.given, make(chan struct{}))
		if !there[in.Address] {
			close(q.given[i])
		}
	}
	return q
}

// take gives input i when all before it are given.
func (q *turns) take(ctx context.Context, i int, give func() error) error {
	for _, before := range q.given[:i] {
		select {
		case <-before:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer close(q.given[i])
	return give()
}
