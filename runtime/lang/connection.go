package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// connection is what several components of a kind share. Its attributes and
// blocks are read as if each of them had written them.
type connection struct {
	address, kind string
	block         *hclsyntax.Block
	name          hcl.Range // its last label
	hollow        bool      // its block could not be read: only the name is known
	bad           bool      // something in the block is wrong
	used          bool
	plan          *plan.Connection // of those who use it; nil if it is hollow
}

// connectionKinds are those of which there can be a connection.
func (l *loader) connectionKinds() []string {
	kinds := map[string]bool{}
	for _, s := range l.o.Specs {
		if len(s.Connection) > 0 {
			kinds[s.Kind] = true
		}
	}
	return sortedKeys(kinds)
}

func (l *loader) declareConnection(b *hclsyntax.Block) {
	kind, name := b.Labels[0], b.Labels[1]
	if !l.checkName(name, b.LabelRanges[1]) {
		l.incomplete = true
		return
	}
	c := &connection{address: "connection." + kind + "." + name, kind: kind, block: b, name: b.LabelRanges[1]}
	if kinds := l.connectionKinds(); !contains(kinds, kind) {
		l.fail(diag.UnknownKind, b.LabelRanges[0], fmt.Sprintf("there is no connection `%s`", kind), didYouMean(kind, kinds))
		c.hollow = true
	}
	if before := l.connections[c.address]; before != nil {
		if !before.hollow {
			l.duplicate(b.LabelRanges[1], c.address, before.name)
		}
		return
	}
	l.connections[c.address] = c
}

// decodeConnections looks at what stands in the connections, used or not. What
// they lack, a component that uses them will say.
func (l *loader) decodeConnections() {
	for _, address := range sortedKeys(l.connections) {
		c := l.connections[address]
		if c.hollow {
			continue
		}
		attrs, blocks := l.shared(c.kind)
		for i := range attrs {
			attrs[i].Required, attrs[i].Default = false, nil
		}
		attrs = append(attrs, component.Attr{Name: "description", Type: component.TypeString})
		d := &decoding{
			l: l, what: address, print: newFingerprint(), ok: true, looks: new([]look),
			cfg: &component.Config{Address: address, Pipeline: l.plan.Name, Dir: l.plan.Dir, State: l.plan.State},
		}
		before := l.takeReads(map[string]bool{})
		d.block(c.block.Body, c.block.DefRange(), attrs, blocks)
		c.bad = !d.ok
		l.printReads(d.print)
		for name := range l.takeReads(before) {
			l.noteRead(name)
		}
		c.plan = &plan.Connection{Address: address, Fingerprint: d.print.sum()}
	}
}

// shared describes what a connection of a kind may hold.
func (l *loader) shared(kind string) (attrs []component.Attr, blocks []component.BlockSpec) {
	seen := map[string]bool{}
	for _, s := range l.o.Specs {
		if s.Kind != kind {
			continue
		}
		for _, a := range s.Attrs {
			if contains(s.Connection, a.Name) && !seen[a.Name] {
				seen[a.Name] = true
				attrs = append(attrs, a)
			}
		}
		for _, b := range s.Blocks {
			if contains(s.Connection, b.Name) && !seen[b.Name] {
				seen[b.Name] = true
				blocks = append(blocks, b)
			}
		}
	}
	return attrs, blocks
}

// connected is the body of n with what stands in the connection that it uses;
// ok is false if that can't be told, so that something may seem to be missing.
func (l *loader) connected(n *node) (body *hclsyntax.Body, ok bool) {
	own := n.block.Body
	a := own.Attributes["connection"]
	if a == nil || n.Spec == nil || len(n.Spec.Connection) == 0 {
		return own, true
	}
	if lit, is := a.Expr.(*hclsyntax.LiteralValueExpr); is && lit.Val.IsNull() {
		return own, true
	}
	c := l.resolveConnection(n, a.Expr)
	if c == nil { // any of them may be meant
		for _, other := range l.connections {
			other.used = other.used || other.kind == n.Kind
		}
	}
	if c == nil || c.hollow || !l.checkTwice(n, c) || c.bad {
		return own, false
	}
	n.Connection = c.plan
	whole := *own
	whole.Attributes = maps.Clone(own.Attributes)
	for name, a := range c.block.Body.Attributes {
		if name != "description" {
			whole.Attributes[name] = a
		}
	}
	whole.Blocks = append(slices.Clone(own.Blocks), c.block.Body.Blocks...)
	return &whole, true
}

// resolveConnection finds the connection that n's attribute names; nil: it is
// said, or the reason is, why there is none.
func (l *loader) resolveConnection(n *node, e hclsyntax.Expression) *connection {
	at := e.Range()
	form := "write connection = connection." + n.Kind + ".NAME"
	if x, is := unparen(e).(*hclsyntax.TemplateExpr); is {
		if t, _ := l.file(e).literalText(x); t != nil {
			l.fail(diag.InvalidReference, at, "a reference to a connection has no quotes", "write "+t.value)
			return nil
		}
	}
	t, diags := hcl.AbsTraversalForExpr(unparen(e))
	if diags.HasErrors() {
		l.fail(diag.InvalidReference, at, "this is no reference to a connection", form)
		return nil
	}
	written := reference(t)
	if t.RootName() != "connection" {
		l.fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is no connection", written), form)
		return nil
	}
	var same []string
	for _, address := range sortedKeys(l.connections) {
		if l.connections[address].kind == n.Kind {
			same = append(same, address)
		}
	}
	c := l.connections[written]
	switch {
	case c == nil && l.incomplete:
	case c == nil:
		l.fail(diag.UnknownReference, at, fmt.Sprintf("there is no `%s`", written), didYouMean(written, same))
	case c.kind != n.Kind:
		c.used = true
		l.fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is a connection of %s, and %s needs one of %s", written, c.kind, n.written(), n.Kind), didYouMean(written, same))
		return nil
	default:
		c.used = true
	}
	return c
}

// checkTwice says whether n leaves to c what is c's.
func (l *loader) checkTwice(n *node, c *connection) bool {
	ok := true
	check := func(name string, at hcl.Range, there *hcl.Range) {
		if !contains(n.Spec.Connection, name) {
			return
		}
		ok = false
		if there != nil {
			l.fail(diag.Shared, at, fmt.Sprintf("`%s` is in %s too", name, c.address), "keep one of them; the other is at "+l.at(*there).String())
		} else {
			l.fail(diag.Shared, at, fmt.Sprintf("`%s` belongs to %s, which %s uses", name, c.address, n.written()), "write it there, or all of the connection here")
		}
	}
	for _, a := range attributes(n.block.Body) {
		var there *hcl.Range
		if b := c.block.Body.Attributes[a.Name]; b != nil {
			there = &b.NameRange
		}
		check(a.Name, a.NameRange, there)
	}
	for _, b := range n.block.Body.Blocks {
		var there *hcl.Range
		for _, o := range c.block.Body.Blocks {
			if o.Type == b.Type {
				there = &o.TypeRange
			}
		}
		check(b.Type, b.TypeRange, there)
	}
	return ok
}

// warnOfUnused names the connections that no component uses.
func (l *loader) warnOfUnused() {
	if l.incomplete || l.dangling {
		return
	}
	for _, address := range sortedKeys(l.connections) {
		if c := l.connections[address]; !c.used && !c.hollow {
			l.warn(diag.UnusedConnection, l.at(c.block.DefRange()), "nobody uses "+address, "write connection = "+address+" in a component")
		}
	}
}
