package expression

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Root is what a path begins with.
type Root string

// The roots: five names that win over members of that name.
const (
	Event  Root = "event"
	Origin Root = "origin"
	Meta   Root = "meta"
	Var    Root = "var"
	Local  Root = "local"
)

// Roots are the reserved names.
var Roots = []Root{Event, Origin, Meta, Var, Local}

// Path is one place of an expression that reads an event: Event, Origin or
// Meta and the member names below it, as far as they are known at load. No
// names: the whole of it.
type Path struct {
	Root       Root
	Names      []string
	Start, End int // in the source, in bytes
}

func isRoot(name string) bool {
	for _, r := range Roots {
		if string(r) == name {
			return true
		}
	}
	return false
}

// path is a Path under construction.
type path struct {
	root  Root
	names []string
}

func (p *path) below(name string) *path {
	names := make([]string, 0, len(p.names)+1)
	return &path{root: p.root, names: append(append(names, p.names...), name)}
}

// reader is the closure that follows a path.
func (p *path) reader() func(*frame) document.Value {
	names := p.names
	switch p.root {
	case Event:
		switch len(names) {
		case 0:
			return (*frame).root
		case 1:
			name := names[0]
			return func(f *frame) document.Value { return f.root().Get(name) }
		}
		return func(f *frame) document.Value { return f.root().At(names...) }
	case Origin:
		return func(f *frame) document.Value { return f.origin().At(names...) }
	}
	if len(names) == 0 {
		return func(f *frame) document.Value { return f.event.MetaValue() }
	}
	first, rest := names[0], names[1:]
	return func(f *frame) document.Value { return f.event.Meta(first).At(rest...) }
}

// identifier compiles a bare name.
func (c *compiler) identifier(n *ast.IdentifierNode) code {
	if k, ok := c.lookup(n.Value); ok {
		return k
	}
	if isRoot(n.Value) {
		root := Root(n.Value)
		switch root {
		case Var:
			return code{value: c.env.Vars, path: &path{root: Var}}
		case Local:
			return code{value: c.env.Locals, path: &path{root: Local}}
		}
		return code{path: &path{root: root}, dynamic: true}
	}
	switch n.Value {
	case "null", "None", "undefined":
		c.warn(n, NotNil, "`"+n.Value+"` is read as a member of the event", "write nil")
	}
	return code{path: &path{root: Event, names: []string{n.Value}}, dynamic: true}
}

// member compiles a.b, a?.b and a[b].
func (c *compiler) member(n *ast.MemberNode) code {
	base := c.raw(n.Node)
	property := c.compile(n.Property)
	if base.bad || property.bad {
		return bad
	}
	name, named := "", false
	if property.known && property.value.Kind() == document.Text {
		name, named = property.value.Text(), true
	}
	if base.path != nil && named {
		switch base.path.root {
		case Var, Local:
			return c.named(n, base, name)
		case Meta:
			if len(base.path.names) == 0 {
				c.checkMeta(n, name)
			}
		}
		return code{path: base.path.below(name), dynamic: true}
	}
	base = c.use(n.Node, base)
	k := from(base, property)
	k.direct, k.names = base.direct, base.names
	if named {
		k.names, k.member = append(slices.Clone(base.names), name), name
		k.eval = func(f *frame) document.Value { return base.eval(f).Get(name) }
	} else {
		k.eval = func(f *frame) document.Value { return f.element(base.eval(f), property.eval(f)) }
	}
	return c.fold(n, k)
}

// named is a member of var or local, known at load.
func (c *compiler) named(n ast.Node, base code, name string) code {
	p := base.path.below(name)
	if len(base.path.names) > 0 {
		return code{value: base.value.Get(name), path: p}
	}
	full := string(p.root) + "." + name
	if variable, ok := c.env.Unknown[full]; ok {
		start, end := c.source.spanOf(n)
		message := "var." + variable + " has no value"
		if full != "var."+variable {
			message = full + " needs var." + variable + ", which has no value"
		}
		c.problems = append(c.problems, Problem{Start: start, End: end, Message: message, Suggestion: "give it by --var " + variable + "=…", Unknown: variable})
		return bad
	}
	v := base.value.Get(name)
	if v.Kind() == document.Missing {
		var known []string
		for member := range base.value.Members() {
			known = append(known, member)
		}
		kind, cause := "variable", NoVariable
		if p.root == Local {
			kind, cause = "local", NoLocal
		}
		return c.problem(n, cause, "there is no "+kind+" called "+name, nearest(name, known, string(p.root)+"."))
	}
	return code{value: v, path: p}
}

func (c *compiler) checkMeta(n ast.Node, name string) {
	for _, known := range event.MetaNames {
		if name == known {
			return
		}
	}
	c.warn(n, NoMeta, "meta has no member called "+name, nearest(name, event.MetaNames, "meta."))
}

// element is v[key]: a member by name, an element or character by number, from
// the end if negative.
func (f *frame) element(v, key document.Value) document.Value {
	if v.IsNil() || key.IsNil() {
		return document.Value{}
	}
	switch v.Kind() {
	case document.Object:
		if name, ok := text(key); ok {
			return v.Get(name)
		}
	case document.Array:
		if i, ok := key.Int64(); ok {
			return v.Index(position(i, v.Len()))
		}
	case document.Text:
		if i, ok := key.Int64(); ok {
			return character(v.Text(), i)
		}
	}
	return f.nothing()
}

// position is an index counted from the end if negative; -1 if outside.
func position(i int64, length int) int {
	if i < 0 {
		i += int64(length)
	}
	if i < 0 || i >= int64(length) {
		return -1
	}
	return int(i)
}
