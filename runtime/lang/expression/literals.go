package expression

import (
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

func (c *compiler) list(n *ast.ArrayNode) code {
	items := make([]code, len(n.Nodes))
	for i, item := range n.Nodes {
		items[i] = c.compile(item)
	}
	k := from(items...)
	if k.bad {
		return bad
	}
	k.result, k.safe = document.Array, false
	k.eval = func(f *frame) document.Value {
		values := make([]document.Value, len(items))
		for i := range items {
			values[i] = items[i].eval(f)
		}
		return f.makeList(values)
	}
	return c.fold(n, k)
}

// object compiles { name: value, (expr): value }.
func (c *compiler) object(n *ast.MapNode) code {
	keys, values := make([]code, len(n.Pairs)), make([]code, len(n.Pairs))
	for i, pair := range n.Pairs {
		p := pair.(*ast.PairNode)
		keys[i], values[i] = c.compile(p.Key), c.compile(p.Value)
	}
	k := from(append(append([]code(nil), keys...), values...)...)
	if k.bad {
		return bad
	}
	k.result, k.safe = document.Object, false
	k.eval = func(f *frame) document.Value {
		members := make([]document.Member, len(keys))
		for i := range keys {
			key := keys[i].eval(f)
			if key.IsNil() {
				return document.Value{}
			}
			name, ok := text(key)
			if !ok {
				return f.nothing()
			}
			members[i] = document.Member{Name: name, Value: values[i].eval(f)}
		}
		return f.makeObject(members)
	}
	return c.fold(n, k)
}

func (f *frame) makeObject(members []document.Member) document.Value {
	for _, m := range members {
		if !f.spend(elementCost) || !f.spend(len(m.Name)) || !f.hold(m.Value) {
			return document.Value{}
		}
	}
	return document.NewObject(members)
}

// slice compiles x[from:to] of a list or a text.
func (c *compiler) slice(n *ast.SliceNode) code {
	whole := constant(document.NewInt(0))
	base, first, last := c.compile(n.Node), whole, whole
	if n.From != nil {
		first = c.compile(n.From)
	}
	if n.To != nil {
		last = c.compile(n.To)
	}
	k := from(base, first, last)
	if k.bad {
		return bad
	}
	k.safe = false
	open := n.To == nil
	k.eval = func(f *frame) document.Value {
		v, a, b := base.eval(f), first.eval(f), last.eval(f)
		if v.IsNil() || a.IsNil() || b.IsNil() {
			return document.Value{}
		}
		i, j, ok := integers(a, b)
		if !ok {
			return f.nothing()
		}
		switch v.Kind() {
		case document.Text:
			return f.substring(v.Text(), i, j, open)
		case document.Array:
			return f.sublist(v, i, j, open)
		}
		return f.nothing()
	}
	return c.fold(n, k)
}

// bounds are the ends of a slice, from the end if negative, moved inside.
func bounds(i, j int64, open bool, length int) (first, last int) {
	inside := func(i int64) int {
		if i < 0 {
			i += int64(length)
		}
		return int(min(max(i, 0), int64(length)))
	}
	first, last = inside(i), length
	if !open {
		last = inside(j)
	}
	return first, max(first, last)
}

func (f *frame) sublist(list document.Value, i, j int64, open bool) document.Value {
	first, last := bounds(i, j, open, list.Len())
	if !f.spend(list.Len() * stepCost) {
		return document.Value{}
	}
	items := make([]document.Value, 0, last-first)
	at := 0
	for v := range list.Elements() {
		if at >= last {
			break
		}
		if at >= first {
			items = append(items, v)
		}
		at++
	}
	return f.makeList(items)
}

func (f *frame) substring(s string, i, j int64, open bool) document.Value {
	first, last := bounds(i, j, open, utf8.RuneCountInString(s))
	from := byteOffset(s, first)
	return document.NewText(s[from : from+byteOffset(s[from:], last-first)])
}

// byteOffset is where character n of s begins.
func byteOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// character is one character of s, from the end if i is negative.
func character(s string, i int64) document.Value {
	length := utf8.RuneCountInString(s)
	at := position(i, length)
	if at < 0 {
		return document.Value{}
	}
	from := byteOffset(s, at)
	_, size := utf8.DecodeRuneInString(s[from:])
	return document.NewText(s[from : from+size])
}
