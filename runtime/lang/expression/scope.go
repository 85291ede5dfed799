package expression

import (
	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

func (c *compiler) newSlot() int {
	c.slots++
	return c.slots - 1
}

func slotCode(slot int) code {
	return code{deps: slots{slot: true}, safe: true, eval: func(f *frame) document.Value { return f.slots[slot] }}
}

// lookup finds the name of a let.
func (c *compiler) lookup(name string) (code, bool) {
	for i := len(c.scopes) - 1; i >= 0; i-- {
		s := c.scopes[i]
		if s.let != name {
			continue
		}
		if s.alias.known || s.alias.path != nil || s.alias.bad {
			return s.alias, true
		}
		k := slotCode(s.slot)
		k.dynamic, k.deps, k.result = s.alias.dynamic, k.deps.and(s.alias.deps), s.alias.result
		return k, true
	}
	return code{}, false
}

func (c *compiler) let(n *ast.VariableDeclaratorNode) code {
	if isRoot(n.Name) {
		return c.problem(n, NoName, n.Name+" is a reserved name", "take another name for the let")
	}
	value := c.raw(n.Value)
	slot := c.newSlot()
	c.scopes = append(c.scopes, scope{let: n.Name, alias: value, slot: slot, acc: -1})
	body := c.compile(n.Expr)
	c.scopes = c.scopes[:len(c.scopes)-1]
	if value.bad || body.bad {
		return bad
	}
	if value.known || value.path != nil {
		return body
	}
	k := from(value, body)
	k.deps, k.result = k.deps.without(slot), body.result
	k.eval = func(f *frame) document.Value {
		f.slots[slot] = value.eval(f)
		return body.eval(f)
	}
	if body.test != nil {
		k.test = func(f *frame) bool {
			f.slots[slot] = value.eval(f)
			return body.test(f)
		}
	}
	return c.fold(n, k)
}

// sequence gives the last of a; b; c. The others do nothing.
func (c *compiler) sequence(n *ast.SequenceNode) code {
	failed := false
	var k code
	for _, part := range n.Nodes {
		k = c.compile(part)
		failed = failed || k.bad
	}
	if failed {
		return bad
	}
	return k
}

// pointer compiles #, #index and #acc.
func (c *compiler) pointer(n *ast.PointerNode) code {
	for i := len(c.scopes) - 1; i >= 0; i-- {
		s := c.scopes[i]
		if s.let != "" {
			continue
		}
		switch {
		case n.Name == "":
			item := slotCode(s.slot)
			item.direct = s.direct
			return item
		case n.Name == "index":
			return slotCode(s.index)
		case n.Name == "acc" && s.acc >= 0:
			return slotCode(s.acc)
		}
		return c.problem(n, NoName, "there is no #"+n.Name+" here", "# is the item, #index its number, #acc what reduce has so far")
	}
	return c.problem(n, NoName, "# stands only inside any, all, filter, map and the like", "comments in expressions are // …")
}

func (c *compiler) conditional(n *ast.ConditionalNode) code {
	cond, test := c.condition(n.Cond)
	yes, no := c.compile(n.Exp1), c.compile(n.Exp2)
	k := from(cond, yes, no)
	if k.bad {
		return bad
	}
	if cond.known {
		if test(nil) {
			return yes
		}
		return no
	}
	if yes.result == no.result {
		k.result = yes.result
	}
	k.safe = k.safe && cond.test != nil
	k.eval = func(f *frame) document.Value {
		if test(f) {
			return yes.eval(f)
		}
		return no.eval(f)
	}
	if yes.test != nil && no.test != nil {
		k.test = func(f *frame) bool {
			if test(f) {
				return yes.test(f)
			}
			return no.test(f)
		}
	}
	return c.fold(n, k)
}
