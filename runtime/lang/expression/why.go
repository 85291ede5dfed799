package expression

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Why says which parts of a condition made it false for an event, a line for
// each, with the values of the event that the part reads; nothing if it is true. It
// compiles the condition anew: it is for people, not for each event.
func (p *Program) Why(e *event.Event) []string {
	s, root, problem := parse(p.source)
	if problem != nil {
		return nil
	}
	x := &inquiry{compiler: compiler{env: p.env, source: s}, frame: frame{clock: p.env.Now}}
	x.frame.begin(e)
	if x.holds(root) || x.frame.err != nil {
		return nil
	}
	return x.because(root, false)
}

// inquiry takes a condition apart for one event.
type inquiry struct {
	compiler
	frame frame
}

// holds says whether the condition n is true.
func (x *inquiry) holds(n ast.Node) bool {
	k, test := x.condition(n)
	if k.bad {
		return false
	}
	x.room()
	return test(&x.frame)
}

// room makes the frame as large as what was compiled since needs.
func (x *inquiry) room() {
	for len(x.frame.slots) < x.slots {
		x.frame.slots = append(x.frame.slots, document.Value{})
	}
}

// because says why n, which is true or false as told, is so.
func (x *inquiry) because(n ast.Node, is bool) []string {
	switch n := n.(type) {
	case *ast.ChainNode:
		return x.because(n.Node, is)
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return x.because(n.Node, !is)
		}
	case *ast.VariableDeclaratorNode:
		value := x.raw(n.Value)
		slot := x.newSlot()
		x.scopes = append(x.scopes, scope{let: n.Name, alias: value, slot: slot, acc: -1})
		defer func() { x.scopes = x.scopes[:len(x.scopes)-1] }()
		if !value.known && value.path == nil {
			x.room()
			x.frame.slots[slot] = value.eval(&x.frame)
		}
		return x.because(n.Expr, is)
	case *ast.BinaryNode:
		var decides bool // the truth of one side that is that of both
		switch n.Operator {
		case "and", "&&":
			decides = false
		case "or", "||":
			decides = true
		default:
			return x.part(n, is)
		}
		switch {
		case is != decides:
			return append(x.because(n.Left, is), x.because(n.Right, is)...)
		case x.holds(n.Left) == is:
			return x.because(n.Left, is)
		default:
			return x.because(n.Right, is)
		}
	}
	return x.part(n, is)
}

// part is a line about a part of the condition that is not made of others.
func (x *inquiry) part(n ast.Node, is bool) []string {
	x.reads = nil
	x.compile(n)
	x.room()
	var values []string
	for _, r := range x.reads {
		name := strings.Join(r.Names, ".")
		if r.Root != Event {
			name = strings.TrimSuffix(string(r.Root)+"."+name, ".")
		}
		if name == "" {
			continue // all of the event: it is shown anyway
		}
		if text := name + " " + x.shown(r); !slices.Contains(values, text) {
			values = append(values, text)
		}
	}
	start, end := x.source.spanOf(n)
	line := fmt.Sprintf("`%s` is %t", strings.Join(strings.Fields(x.source.text[start:end]), " "), is)
	if len(values) > 0 {
		line += ": " + strings.Join(values, ", ")
	}
	return []string{line}
}

// shown is what the event has at a path.
func (x *inquiry) shown(p Path) string {
	v := (&path{root: p.Root, names: p.Names}).reader()(&x.frame)
	if v.Kind() == document.Missing {
		return "is not there"
	}
	const most = 120
	text := []rune(string(v.AppendJSON(nil)))
	if len(text) > most {
		return "= " + string(text[:most]) + "…"
	}
	return "= " + string(text)
}
