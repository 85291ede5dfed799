package plan

import (
	"slices"

	"github.com/wazuh-etl/etl/runtime/sieve"
)

// Need is what the bytes of an event must hold for the filter n to let it
// through; nil where nothing is known, and for all that is no filter.
func (n *Node) Need() sieve.Need {
	if c, ok := n.Where.(Sieved); ok && n.Type == Filter && !n.Disabled {
		return c.Need()
	}
	return nil
}

// Unwanted follows an event of source that meets no filter's need. It passes
// the source and these nodes, in the order of the plan, and goes nowhere else unless there
// are others that want it for all that.
func (p *Plan) Unwanted(source *Node) (passed, wanting []*Node) {
	reached := map[Port]bool{{Node: source}: true}
	if passed = append(passed, source); source.ID != nil {
		wanting = append(wanting, source) // its id may depend on the event, and fail
	}
	for _, n := range p.Nodes { // inputs come before who reads them
		if !slices.ContainsFunc(n.Inputs, func(in Port) bool { return reached[in] }) {
			continue
		}
		switch {
		case n.Disabled:
			reached[Port{Node: n}] = true
		case n.Need() != nil:
			reached[Port{Node: n, Output: Rejected}] = true
		default:
			wanting = append(wanting, n)
			continue
		}
		passed = append(passed, n)
	}
	return passed, wanting
}
