package expression

import (
	"slices"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

var listFunctions = []function{
	{name: "len", args: "value", doc: "How many items, members or characters; 0 of nil.", result: document.Number, nils: true, call: length},
	{name: "type", args: "value", doc: "\"nil\", \"bool\", \"int\" (a number without fraction and exponent), \"float\", \"string\", \"array\", \"map\", \"time\" or \"duration\".", result: document.Text, nils: true, call: typeName},
	{name: "first", args: "list", doc: "The first item; nil if the list is empty.", call: func(f *frame, a []document.Value) document.Value { return f.listed(a[0]).Index(0) }},
	{name: "last", args: "list", doc: "The last item; nil if the list is empty.", call: func(f *frame, a []document.Value) document.Value { return f.listed(a[0]).Index(a[0].Len() - 1) }},
	{name: "get", args: "value, key", doc: "The member, item or character: value[key].", call: func(f *frame, a []document.Value) document.Value { return f.element(a[0], a[1]) }},
	{name: "take", args: "list, n", doc: "The first n items.", result: document.Array, call: func(f *frame, a []document.Value) document.Value {
		n, ok := a[1].Int64()
		if a[0].Kind() != document.Array || !ok || n < 0 {
			return f.nothing()
		}
		return f.sublist(a[0], 0, n, false)
	}},
	{name: "keys", args: "object", doc: "The names of the members, in order.", result: document.Array, call: eachMember(func(name string, _ document.Value) document.Value { return document.NewText(name) })},
	{name: "values", args: "object", doc: "The values of the members, in order.", result: document.Array, call: eachMember(func(_ string, v document.Value) document.Value { return v })},
	{name: "toPairs", args: "object", doc: "The members as a list of [name, value].", result: document.Array, call: eachMember(func(name string, v document.Value) document.Value {
		return document.NewArray([]document.Value{document.NewText(name), v})
	})},
	{name: "fromPairs", args: "list", doc: "The object of a list of [name, value].", result: document.Object, call: fromPairs},
	{name: "reverse", args: "list", doc: "The items from the last to the first.", result: document.Array, call: changed(func(items []document.Value) []document.Value { slices.Reverse(items); return items })},
	{name: "uniq", args: "list", doc: "The items without those that equal an earlier one.", result: document.Array, call: changed(uniq)},
	{name: "concat", args: "list, more…", doc: "The items of all lists.", result: document.Array, call: concat},
	{name: "flatten", args: "list", doc: "The items, and for lists among them their items, at any depth.", result: document.Array, call: flatten},
	{name: "sort", args: "list, order?", doc: "The items in order, \"asc\" (the default) or \"desc\": nil, false, true, numbers, texts, times, durations, all else as it stands.", result: document.Array, call: sorted},
}

func length(f *frame, args []document.Value) document.Value {
	switch v := args[0]; v.Kind() {
	case document.Missing, document.Null:
		return document.NewInt(0)
	case document.Text:
		return document.NewInt(int64(utf8.RuneCountInString(v.Text())))
	case document.Array, document.Object:
		return document.NewInt(int64(v.Len()))
	}
	return f.nothing()
}

func typeName(_ *frame, args []document.Value) document.Value {
	name := "nil"
	switch args[0].Kind() {
	case document.Bool:
		name = "bool"
	case document.Number:
		name = "int"
		for _, c := range args[0].Number() {
			if c == '.' || c == 'e' || c == 'E' {
				name = "float"
			}
		}
	case document.Text:
		name = "string"
	case document.Array:
		name = "array"
	case document.Object:
		name = "map"
	case document.Time:
		name = "time"
	case document.Duration:
		name = "duration"
	}
	return document.NewText(name)
}

// items is a list as a slice of its own.
func items(f *frame, list document.Value) ([]document.Value, bool) {
	if list.Kind() != document.Array {
		return nil, false
	}
	all := make([]document.Value, 0, min(list.Len(), f.left/elementCost))
	for v := range list.Elements() {
		if !f.hold(v) {
			return nil, false
		}
		all = append(all, v)
	}
	return all, true
}

func changed(change func([]document.Value) []document.Value) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		list, ok := items(f, args[0])
		if !ok {
			return f.nothing()
		}
		return document.NewArray(change(list))
	}
}

func uniq(list []document.Value) []document.Value {
	seen, kept, nothing := newSet(), list[:0], false
	for _, v := range list {
		if v.IsNil() {
			if !nothing {
				kept, nothing = append(kept, v), true
			}
		} else if !seen.has(v) {
			seen.add(v)
			kept = append(kept, v)
		}
	}
	return kept
}

func concat(f *frame, args []document.Value) document.Value {
	var all []document.Value
	for _, a := range args {
		list, ok := items(f, a)
		if !ok {
			return f.nothing()
		}
		all = append(all, list...)
	}
	return document.NewArray(all)
}

func flatten(f *frame, args []document.Value) document.Value {
	if args[0].Kind() != document.Array {
		return f.nothing()
	}
	var all []document.Value
	var add func(list document.Value) bool
	add = func(list document.Value) bool {
		for v := range list.Elements() {
			if v.Kind() == document.Array {
				if !add(v) {
					return false
				}
				continue
			}
			all = append(all, v)
			if !f.hold(v) {
				return false
			}
		}
		return true
	}
	add(args[0])
	return document.NewArray(all)
}

func eachMember(give func(string, document.Value) document.Value) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		if args[0].Kind() != document.Object {
			return f.nothing()
		}
		if !f.spend(args[0].Len() * 3 * elementCost) {
			return document.Value{}
		}
		list := make([]document.Value, 0, args[0].Len())
		for name, v := range args[0].Members() {
			given := give(name, v)
			if !f.hold(given) {
				return document.Value{}
			}
			list = append(list, given)
		}
		return document.NewArray(list)
	}
}

func fromPairs(f *frame, args []document.Value) document.Value {
	if args[0].Kind() != document.Array {
		return f.nothing()
	}
	var members []document.Member
	for pair := range args[0].Elements() {
		name, ok := text(pair.Index(0))
		if !ok || pair.Len() != 2 {
			return f.nothing()
		}
		members = append(members, document.Member{Name: name, Value: pair.Index(1)})
	}
	return f.makeObject(members)
}

func sorted(f *frame, args []document.Value) document.Value {
	direction := 1
	if len(args) > 1 {
		var ok bool
		if direction, ok = f.direction(args[1]); !ok {
			return document.Value{}
		}
	}
	list, ok := items(f, args[0])
	if !ok {
		return f.nothing()
	}
	slices.SortStableFunc(list, func(a, b document.Value) int { return direction * rank(a, b) })
	return document.NewArray(list)
}

// direction is 1 for "asc", -1 for "desc".
func (f *frame) direction(order document.Value) (int, bool) {
	switch order.Text() {
	case "asc":
		return 1, true
	case "desc":
		return -1, true
	}
	f.unlike++
	return 0, false
}

// checkOrder reports an order that is none.
func (c *compiler) checkOrder(args []code, nodes []ast.Node, at int) {
	if len(args) <= at || !args[at].known {
		return
	}
	if order := args[at].value; order.Text() != "asc" && order.Text() != "desc" {
		c.problem(nodes[at], Literal, "an order is 'asc' or 'desc'", "")
	}
}

// rank orders all values: by kind, and within a kind as < does.
func rank(a, b document.Value) int {
	place := func(v document.Value) int {
		switch v.Kind() {
		case document.Missing, document.Null:
			return 0
		case document.Bool:
			if v.IsTrue() {
				return 2
			}
			return 1
		case document.Number:
			return 3
		case document.Text:
			return 4
		case document.Time:
			return 5
		case document.Duration:
			return 6
		}
		return 7
	}
	if p, q := place(a), place(b); p != q {
		return p - q
	}
	order, _ := document.Compare(a, b)
	return order
}
