// Package outline is a pipeline as the engine runs it, for people and for
// machines: what `etl plan` prints.
package outline

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

// Outline is a plan.
type Outline struct {
	Pipeline string `json:"pipeline"`
	Nodes    []Node `json:"nodes"`
}

// Node is one component.
type Node struct {
	Address  string   `json:"address"`
	Type     string   `json:"type"`
	Kind     string   `json:"kind,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
	From     []string `json:"from,omitempty"` // outputs that it reads
	To       []Edge   `json:"to,omitempty"`
	Queue    *Queue   `json:"queue,omitempty"`
	Filter   *Filter  `json:"filter,omitempty"`
	Source   *Source  `json:"source,omitempty"`
}

// Edge is one of a node's outputs and who reads it.
type Edge struct {
	Output string   `json:"output"` // events, rejected, errors or delivered
	Nodes  []string `json:"nodes"`
}

// Queue is the bounds of what waits behind a source or before a sink.
type Queue struct {
	Events   int    `json:"events"`
	Bytes    int64  `json:"bytes"`
	WhenFull string `json:"when_full"`
	Disk     bool   `json:"disk,omitempty"`
}

// Filter is what is known of a condition.
type Filter struct {
	Where string   `json:"where"`
	Reads []string `json:"reads"` // paths of the event
	// AtLeastOne are the clues of which an event must hold one in its bytes, or it
	// is dropped without being parsed. Without any, Why says why.
	AtLeastOne []Clue `json:"at_least_one,omitempty"`
	Why        string `json:"why,omitempty"`
}

// Clue is a piece of an event's bytes: a text, or a member's name in quotes
// and what its value must be one of.
type Clue struct {
	Text   string   `json:"text"`
	Values []string `json:"values,omitempty"`
	// From and To are the bounds of a number, where it has any.
	From *float64 `json:"from,omitempty"`
	To   *float64 `json:"to,omitempty"`

	clue sieve.Clue
}

// Source is what becomes of lines before they are events.
type Source struct {
	// PassedOver says that a line which meets no filter's need is counted, and
	// never becomes an event.
	PassedOver bool `json:"passed_over"`
	// Wanting are the nodes that want every line: what keeps PassedOver from being true.
	Wanting []string `json:"wanting,omitempty"`
}

// Of is the outline of p.
func Of(p *plan.Plan) Outline {
	o := Outline{Pipeline: p.Name}
	for _, n := range p.Nodes {
		node := Node{Address: n.Address, Type: string(n.Type), Kind: n.Kind, Disabled: n.Disabled, To: readers(p, n)}
		for _, in := range n.Inputs {
			node.From = append(node.From, in.String())
		}
		switch n.Type {
		case plan.Source:
			node.Queue, node.Source = queueOf(n), sourceOf(p, n)
		case plan.Sink:
			node.Queue = queueOf(n)
		case plan.Filter:
			node.Filter = filterOf(n)
		case plan.Transform:
		}
		o.Nodes = append(o.Nodes, node)
	}
	return o
}

// readers is who reads which output of n.
func readers(p *plan.Plan, n *plan.Node) (edges []Edge) {
	for _, output := range []string{plan.Events, plan.Rejected, plan.Errors, plan.Delivered} {
		e := Edge{Output: output}
		if output == plan.Events {
			e.Output = "events"
		}
		for _, reader := range p.Nodes {
			if slices.Contains(reader.Inputs, plan.Port{Node: n, Output: output}) {
				e.Nodes = append(e.Nodes, reader.Address)
			}
		}
		if e.Nodes != nil {
			edges = append(edges, e)
		}
	}
	return edges
}

func queueOf(n *plan.Node) *Queue {
	return &Queue{Events: n.Queue.MaxEvents, Bytes: n.Queue.MaxBytes, WhenFull: string(n.Queue.WhenFull), Disk: n.Queue.Disk}
}

func sourceOf(p *plan.Plan, n *plan.Node) *Source {
	passed, wanting := p.Unwanted(n)
	s := &Source{PassedOver: len(wanting) == 0 && len(passed) > 1}
	for _, w := range wanting {
		s.Wanting = append(s.Wanting, w.Address)
	}
	return s
}

func filterOf(n *plan.Node) *Filter {
	f := &Filter{Reads: []string{}}
	program, known := n.Where.(*expression.Program)
	if !known { // a variable has no value here
		f.Why = "a variable in it has no value here: give it one by --var"
		return f
	}
	f.Where = program.String()
	for _, path := range program.Reads() {
		if s := pathText(path); !slices.Contains(f.Reads, s) {
			f.Reads = append(f.Reads, s)
		}
	}
	f.AtLeastOne, f.Why = cluesOf(program.Need()), program.Doubt()
	return f
}

func finite(n float64) *float64 {
	if math.IsInf(n, 0) {
		return nil
	}
	return &n
}

// pathText is a path as an expression writes it.
func pathText(p expression.Path) string {
	var b strings.Builder
	if p.Root != expression.Event || len(p.Names) == 0 || !identifier.MatchString(p.Names[0]) {
		b.WriteString(string(p.Root))
	}
	for _, name := range p.Names {
		switch {
		case !identifier.MatchString(name):
			fmt.Fprintf(&b, "[%q]", name)
		case b.Len() > 0:
			b.WriteString("." + name)
		default:
			b.WriteString(name)
		}
	}
	return b.String()
}

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

func cluesOf(need sieve.Need) (clues []Clue) {
	for _, c := range need {
		k := Clue{Text: c.Text, Values: c.Values, clue: c}
		if r := c.Range; r != nil {
			k.From, k.To = finite(r.From), finite(r.To)
		}
		clues = append(clues, k)
	}
	return clues
}
