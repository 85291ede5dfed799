package plan

import "slices"

// FirstSinks are the sinks that events of source can come to before any other
// sink and that its positions wait for, in the order of the plan.
func (p *Plan) FirstSinks(source *Node) []*Node {
	reached := map[*Node]bool{source: true}
	var sinks []*Node
	for _, n := range p.Nodes { // inputs come before who reads them
		if !slices.ContainsFunc(n.Inputs, func(in Port) bool { return reached[in.Node] && in.Node.Type != Sink }) {
			continue
		}
		reached[n] = true
		if n.Type == Sink && n.Required {
			sinks = append(sinks, n)
		}
	}
	return sinks
}
