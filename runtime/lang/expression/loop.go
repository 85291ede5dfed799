package expression

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

// loop is a function that takes what to do with each item of a list.
type loop struct {
	args   string
	doc    string
	result document.Kind
	ofNil  string // what it gives for nil, for the reference
	value  bool   // its second argument is a value, not a condition
}

var loops = map[string]*loop{
	"all":           {"list, condition", "Whether the condition holds for every item.", document.Bool, "true", false},
	"any":           {"list, condition", "Whether the condition holds for some item.", document.Bool, "false", false},
	"none":          {"list, condition", "Whether the condition holds for no item.", document.Bool, "true", false},
	"one":           {"list, condition", "Whether the condition holds for exactly one item.", document.Bool, "false", false},
	"filter":        {"list, condition", "The items for which the condition holds.", document.Array, "[]", false},
	"map":           {"list, value", "The value for each item.", document.Array, "[]", true},
	"find":          {"list, condition", "The first item for which the condition holds; nil if there is none.", document.Missing, "nil", false},
	"findIndex":     {"list, condition", "The number of the first item for which the condition holds, from 0; nil if there is none.", document.Number, "nil", false},
	"findLast":      {"list, condition", "The last item for which the condition holds; nil if there is none.", document.Missing, "nil", false},
	"findLastIndex": {"list, condition", "The number of the last item for which the condition holds; nil if there is none.", document.Number, "nil", false},
	"count":         {"list, condition?", "How many items the condition holds for; without it, how many are true.", document.Number, "0", false},
	"sum":           {"list, value?", "The sum of the value for each item; without it, of the items. Nil items are left out.", document.Missing, "0", true},
	"groupBy":       {"list, value", "An object of lists: the items by the text of the value.", document.Object, "{}", true},
	"sortBy":        {"list, value, order?", "The items in the order of the value; \"asc\" (the default) or \"desc\". Equal ones stay in order.", document.Array, "[]", true},
	"reduce":        {"list, value, start?", "The value for the last item, where #acc is the value for the one before (start, or the first item, at first).", document.Missing, "start", true},
}

// turn is a compiled loop: where its items stand in the frame, and what it
// does with each.
type turn struct {
	list             func(*frame) document.Value
	item, index, acc int
	value            func(*frame) document.Value
	test             func(*frame) bool
	extra            func(*frame) document.Value // third argument
}

// each calls do for every item, until it gives false or the event fails.
func (t *turn) each(f *frame, do func(i int, v document.Value) bool) {
	list := f.listed(t.list(f))
	i := 0
	for v := range list.Elements() {
		if !f.spend(stepCost) {
			return
		}
		f.slots[t.item], f.slots[t.index] = v, document.NewInt(int64(i))
		if !do(i, v) {
			return
		}
		i++
	}
}

// listed is v where a list is wanted: nil and what is none count as empty.
func (f *frame) listed(v document.Value) document.Value {
	if v.Kind() == document.Array {
		return v
	}
	if !v.IsNil() {
		f.unlike++
	}
	return document.Value{}
}

func (c *compiler) loop(n ast.Node, name string, l *loop, arguments []ast.Node) code {
	fn := function{args: l.args}
	if least, most := fn.arity(); len(arguments) < least || len(arguments) > most {
		return c.problem(n, Arguments, fmt.Sprintf("%s takes %s; here are %d", name, many(least, most), len(arguments)), "write "+name+"("+l.args+")")
	}
	list := c.compile(arguments[0])
	t := turn{list: list.eval, item: c.newSlot(), index: c.newSlot(), acc: -1}
	if name == "reduce" {
		t.acc = c.newSlot()
	}
	var extra code
	if len(arguments) > 2 {
		extra = c.compile(arguments[2])
		t.extra = extra.eval
	}
	body := c.body(&t, list.direct, l, arguments)
	k := from(list, body, extra)
	if k.bad {
		return bad
	}
	k.deps, k.result, k.safe = k.deps.without(t.item, t.index, t.acc), l.result, false
	if name == "sortBy" && t.extra != nil {
		c.checkOrder([]code{list, body, extra}, arguments, 2)
	}
	if (name == "any" || name == "one") && list.safe {
		k.needs = slices.Concat(presence(list), body.truthNeeds())
	}
	if test := t.condition(name); test != nil {
		return c.fold(n, boolean(k, test))
	}
	k.eval = t.result(name)
	return c.fold(n, k)
}

// body compiles the second argument, which sees the items. Left out, it is #.
func (c *compiler) body(t *turn, direct bool, l *loop, arguments []ast.Node) code {
	if len(arguments) < 2 {
		k := slotCode(t.item)
		t.value, t.test = k.eval, k.condition()
		return k
	}
	n := arguments[1]
	if p, ok := n.(*ast.PredicateNode); ok {
		n = p.Node
	}
	c.scopes = append(c.scopes, scope{slot: t.item, index: t.index, acc: t.acc, direct: direct})
	defer func() { c.scopes = c.scopes[:len(c.scopes)-1] }()
	if l.value {
		k := c.compile(n)
		t.value = k.eval
		return k
	}
	k, test := c.condition(n)
	t.test = test
	return k
}

// condition is the test of a loop that gives true or false.
func (t *turn) condition(name string) func(*frame) bool {
	switch name {
	case "any":
		return func(f *frame) (found bool) {
			t.each(f, func(int, document.Value) bool { found = t.test(f); return !found })
			return found
		}
	case "none":
		return func(f *frame) bool {
			found := false
			t.each(f, func(int, document.Value) bool { found = t.test(f); return !found })
			return !found
		}
	case "all":
		return func(f *frame) bool {
			holds := true
			t.each(f, func(int, document.Value) bool { holds = t.test(f); return holds })
			return holds
		}
	case "one":
		return func(f *frame) bool {
			count := 0
			t.each(f, func(int, document.Value) bool {
				if t.test(f) {
					count++
				}
				return count < 2
			})
			return count == 1
		}
	}
	return nil
}

// result is the value of any other loop.
func (t *turn) result(name string) func(*frame) document.Value {
	switch name {
	case "filter":
		return t.filter
	case "map":
		return t.mapped
	case "find", "findLast":
		return func(f *frame) document.Value {
			v, _ := t.find(f, name == "findLast")
			return v
		}
	case "findIndex", "findLastIndex":
		return func(f *frame) document.Value {
			_, i := t.find(f, name == "findLastIndex")
			if i < 0 {
				return document.Value{}
			}
			return document.NewInt(int64(i))
		}
	case "count":
		return func(f *frame) document.Value {
			count := 0
			t.each(f, func(int, document.Value) bool {
				if t.test(f) {
					count++
				}
				return true
			})
			return document.NewInt(int64(count))
		}
	case "sum":
		return t.sum
	case "groupBy":
		return t.groupBy
	case "sortBy":
		return t.sortBy
	}
	return t.reduce
}

func (t *turn) filter(f *frame) document.Value {
	var items []document.Value
	t.each(f, func(_ int, v document.Value) bool {
		if t.test(f) {
			items = append(items, v)
			return f.hold(v)
		}
		return true
	})
	return document.NewArray(items)
}

func (t *turn) mapped(f *frame) document.Value {
	var items []document.Value
	t.each(f, func(int, document.Value) bool {
		v := t.value(f)
		items = append(items, v)
		return f.hold(v)
	})
	return document.NewArray(items)
}

func (t *turn) find(f *frame, last bool) (found document.Value, at int) {
	at = -1
	t.each(f, func(i int, v document.Value) bool {
		if t.test(f) {
			found, at = v, i
			return last
		}
		return true
	})
	return found, at
}

func (t *turn) sum(f *frame) document.Value {
	total, fits := document.NewInt(0), true
	first := true
	t.each(f, func(int, document.Value) bool {
		v := t.value(f)
		switch {
		case v.IsNil():
		case v.Kind() != document.Number && v.Kind() != document.Duration:
			fits = false
		case first:
			total, first = v, false
		default:
			total = f.add(total, v)
			fits = !total.IsNil()
		}
		return fits
	})
	if !fits {
		return f.nothing()
	}
	return total
}

func (t *turn) groupBy(f *frame) document.Value {
	var names []string
	lists := map[string][]document.Value{}
	t.each(f, func(_ int, v document.Value) bool {
		name := string(t.value(f).AppendText(nil))
		if _, ok := lists[name]; !ok {
			names = append(names, name)
		}
		lists[name] = append(lists[name], v)
		return f.spend(len(name)+2*elementCost) && f.hold(v)
	})
	members := make([]document.Member, len(names))
	for i, name := range names {
		members[i] = document.Member{Name: name, Value: document.NewArray(lists[name])}
	}
	return document.NewObject(members)
}

func (t *turn) sortBy(f *frame) document.Value {
	type keyed struct{ key, item document.Value }
	var pairs []keyed
	t.each(f, func(_ int, v document.Value) bool {
		pairs = append(pairs, keyed{t.value(f), v})
		return f.spend(3*elementCost) && f.hold(v)
	})
	direction := 1
	if t.extra != nil {
		var ok bool
		if direction, ok = f.direction(t.extra(f)); !ok {
			return document.Value{}
		}
	}
	slices.SortStableFunc(pairs, func(a, b keyed) int { return direction * rank(a.key, b.key) })
	items := make([]document.Value, len(pairs))
	for i, p := range pairs {
		items[i] = p.item
	}
	return document.NewArray(items)
}

func (t *turn) reduce(f *frame) document.Value {
	var acc document.Value
	started := false
	if t.extra != nil {
		acc, started = t.extra(f), true
	}
	t.each(f, func(_ int, v document.Value) bool {
		if !started {
			acc, started = v, true
			return true
		}
		f.slots[t.acc] = acc
		acc = t.value(f)
		return f.err == nil
	})
	return acc
}
