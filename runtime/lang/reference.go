package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// decodeFrom reads the references of n's from.
func (l *loader) decodeFrom(n *node) {
	a := n.block.Body.Attributes["from"]
	if a != nil {
		if lit, is := a.Expr.(*hclsyntax.LiteralValueExpr); is && lit.Val.IsNull() {
			a = nil
		}
	}
	if a == nil {
		code, message := diag.MissingAttribute, n.Address+" has no `from`"
		if n.Type == plan.Sink {
			code, message = diag.UnreachedSink, "nothing reaches "+n.Address+": it has no `from`"
		}
		l.fail(code, n.block.DefRange(), message, "write from = … with what it reads")
		n.bad, l.dangling = true, true
		return
	}
	items := []hclsyntax.Expression{a.Expr}
	if list, is := unparen(a.Expr).(*hclsyntax.TupleConsExpr); is {
		items = list.Exprs
		if len(items) == 0 {
			l.fail(diag.UnreachedSink, a.Expr.Range(), n.Address+" reads nothing: its `from` is an empty list", "write what it reads, or enabled = false")
			n.bad, l.dangling = true, true
			return
		}
	}
	seen := map[string]bool{}
	for _, item := range items {
		if !l.decodeReference(n, item, seen) {
			n.bad, l.dangling = true, true
		}
	}
}

func (l *loader) decodeReference(n *node, e hclsyntax.Expression, seen map[string]bool) bool {
	switch x := unparen(e).(type) {
	case *hclsyntax.SplatExpr:
		l.fail(diag.ErrorsSplat, e.Range(), "references have no `*`", "all errors of the pipeline are written `errors`")
		return false
	case *hclsyntax.TemplateExpr:
		if t, _ := l.file(e).literalText(x); t != nil {
			l.fail(diag.InvalidReference, e.Range(), "a reference has no quotes", "write "+t.value)
			return false
		}
	case *hclsyntax.TupleConsExpr:
		l.fail(diag.InvalidReference, e.Range(), "`from` is one list, without lists inside", "")
		return false
	}
	t, diags := hcl.AbsTraversalForExpr(unparen(e))
	if diags.HasErrors() {
		l.fail(diag.InvalidReference, e.Range(), "this is no reference", "write source.KIND.NAME, filter.NAME, transform.KIND.NAME, sink.KIND.NAME.delivered or errors")
		return false
	}
	if t.RootName() == plan.Errors && len(t) == 1 {
		at := e.Range()
		n.allErrors = &at
		return true
	}
	from, output, ok := l.resolve(t, e.Range(), l.fail)
	if !ok {
		return false
	}
	if from.Type == plan.Sink && output == plan.Events {
		l.fail(diag.SinkWithoutOutput, e.Range(), fmt.Sprintf("a sink has no plain output: what do you want of %s?", from.Address),
			fmt.Sprintf("write %s.delivered or %s.errors", from.Address, from.Address))
		return false
	}
	for _, one := range from.all() {
		port := one.Address + "." + output
		if seen[port] {
			l.fail(diag.DuplicateKey, e.Range(), fmt.Sprintf("`%s` is in this list twice", reference(t)), "keep one of them")
			return false
		}
		seen[port] = true
		n.inputs = append(n.inputs, edge{one, output, e.Range()})
	}
	return true
}

// outputs are those that a type of node has.
var outputs = map[plan.Type][]string{
	plan.Source:    {plan.Errors},
	plan.Filter:    {plan.Rejected, plan.Errors},
	plan.Transform: {plan.Errors},
	plan.Sink:      {plan.Delivered, plan.Errors},
}

// resolve finds the component that a traversal names, and its output.
func (l *loader) resolve(t hcl.Traversal, at hcl.Range, fail func(diag.Code, hcl.Range, string, string)) (n *node, output string, ok bool) {
	root, written := plan.Type(t.RootName()), reference(t)
	length := 3
	if root == plan.Filter {
		length = 2
	}
	switch {
	case outputs[root] == nil && root == "connection":
		fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is a connection: no events come from it", written), "write connection = "+written)
		return nil, "", false
	case outputs[root] == nil:
		fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is no component", written), didYouMean(string(root), []string{"source", "filter", "transform", "sink", "errors"}))
		return nil, "", false
	}
	var names []string
	var key *hcl.TraverseIndex // source.KIND.NAME["key"]
	for _, step := range t[1:] {
		index, is := step.(hcl.TraverseIndex)
		switch {
		case is && root == plan.Source && len(names) == 2 && key == nil:
			key = &index
		case is:
			fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is no reference: names have no brackets and begin with a letter", written), "")
			return nil, "", false
		default:
			names = append(names, step.(hcl.TraverseAttr).Name)
		}
	}
	if len(names) < length-1 {
		fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is only part of a reference", written), didYouMean(written, l.addresses(root)))
		return nil, "", false
	}
	address := string(root) + "." + strings.Join(names[:length-1], ".")
	n = l.nodes[address]
	if n == nil {
		if l.incomplete {
			return nil, "", false // it may stand where the file could not be read
		}
		fail(diag.UnknownReference, at, fmt.Sprintf("there is no `%s`", address), didYouMean(address, l.addresses(root)))
		return nil, "", false
	}
	if key != nil {
		if n, ok = l.oneOf(n, *key, at, fail); !ok {
			return nil, "", false
		}
		address = n.Address
	}
	rest := names[length-1:]
	switch {
	case len(rest) == 0:
		return n, plan.Events, true
	case len(rest) == 1 && contains(outputs[root], rest[0]):
		return n, rest[0], true
	}
	var have []string
	for _, o := range outputs[root] {
		have = append(have, "."+o)
	}
	fail(diag.NoSuchOutput, at, fmt.Sprintf("%s has no output `.%s`", address, strings.Join(rest, ".")), "a "+string(root)+" has "+strings.Join(have, " and "))
	return nil, "", false
}

// oneOf is the source that for_each made of n for a key.
func (l *loader) oneOf(n *node, key hcl.TraverseIndex, at hcl.Range, fail func(diag.Code, hcl.Range, string, string)) (*node, bool) {
	if key.Key.Type() != cty.String {
		fail(diag.InvalidReference, at, "a key of for_each is a text", "write "+keyed(n.Address, numberText(key.Key)))
		return nil, false
	}
	address := keyed(n.Address, key.Key.AsString())
	switch one := l.nodes[address]; {
	case one != nil:
		return one, true
	case n.hollow || n.anyKey && !l.anyKey:
		return n, true
	case n.repeated && l.anyKey:
		return n.standIn(address), true
	case !n.repeated:
		fail(diag.InvalidReference, at, n.Address+" has no for_each: there is only one", "write "+n.Address)
	case len(n.instances) == 0:
		fail(diag.UnknownReference, at, fmt.Sprintf("there is no `%s`", address), "its for_each is empty")
	default:
		var have []string
		for _, one := range n.instances {
			have = append(have, one.Address)
		}
		fail(diag.UnknownReference, at, fmt.Sprintf("there is no `%s`", address), didYouMean(address, have))
	}
	return nil, false
}

// addresses are those of a type, of all if there is none of it.
func (l *loader) addresses(t plan.Type) []string {
	var same, all []string
	for address, n := range l.nodes {
		all = append(all, address)
		if n.Type == t {
			same = append(same, address)
		}
	}
	if len(same) == 0 {
		same = all
	}
	return sorted(same)
}
