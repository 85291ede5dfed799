package expression

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

// set holds values so that looking one up agrees with == on each of them: a
// number equals a number of the same value, and a text that is written like it.
type set struct {
	texts   map[string]bool
	written map[string]bool // numbers as they are written
	whole   map[int64]bool  // numbers that are whole and fit
	exact   map[string]bool // the others, in lowest terms
	rest    []document.Value
}

func newSet() *set {
	return &set{texts: map[string]bool{}, written: map[string]bool{}, whole: map[int64]bool{}, exact: map[string]bool{}}
}

func (s *set) add(v document.Value) {
	switch v.Kind() {
	case document.Missing, document.Null:
	case document.Text:
		s.texts[strings.Clone(v.Text())] = true
	case document.Number:
		s.written[strings.Clone(v.Number())] = true
		if i, ok := v.Int64(); ok {
			s.whole[i] = true
		} else {
			s.exact[lowestTerms(v.Number())] = true
		}
	default:
		s.rest = append(s.rest, v)
	}
}

// has says whether v equals one of the values. Nil never does.
func (s *set) has(v document.Value) bool {
	switch v.Kind() {
	case document.Missing, document.Null:
		return false
	case document.Text:
		t := v.Text()
		return s.texts[t] || s.written[t]
	case document.Number:
		if len(s.texts) > 0 && s.texts[v.Number()] {
			return true
		}
		if i, ok := v.Int64(); ok {
			return s.whole[i]
		}
		return len(s.exact) > 0 && s.exact[lowestTerms(v.Number())]
	}
	for _, r := range s.rest {
		if document.Equal(v, r) {
			return true
		}
	}
	return false
}

// lowestTerms is one spelling for all numbers of the same value: digits
// without zeros around them, and an exponent.
func lowestTerms(written string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(written, "-"); negative {
		sign, written = "-", rest
	}
	written, exponent, _ := strings.Cut(strings.ToLower(written), "e")
	whole, fraction, _ := strings.Cut(written, ".")
	e, ok := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
	if !ok {
		e = new(big.Int)
	}
	digits := whole + fraction
	e.Sub(e, big.NewInt(int64(len(fraction))))
	trimmed := strings.TrimRight(digits, "0")
	e.Add(e, big.NewInt(int64(len(digits)-len(trimmed))))
	trimmed = strings.TrimLeft(trimmed, "0")
	if trimmed == "" {
		return "0"
	}
	return sign + trimmed + "e" + e.String()
}

// in compiles x in list, x in object. A list that is known becomes a set.
func (c *compiler) in(n *ast.BinaryNode) code {
	left, right := c.compile(n.Left), c.compile(n.Right)
	k := from(left, right)
	if k.bad {
		return bad
	}
	if right.known {
		switch right.value.Kind() {
		case document.Array:
			values := newSet()
			for v := range right.value.Elements() {
				values.add(v)
			}
			l := left.eval
			k.needs = presence(left)
			if left.direct && len(values.written) == 0 && len(values.rest) == 0 {
				k.needs = append(k.needs, equalNeeds(left, slices.Sorted(maps.Keys(values.texts))...)...)
			}
			return c.fold(n, boolean(k, func(f *frame) bool { return values.has(l(f)) }))
		case document.Missing, document.Null, document.Object:
		default:
			return c.problem(n.Right, Literal, "`in` looks into a list or an object; this is "+kindName(right.value.Kind()),
				"write contains to look into a text, == to compare")
		}
	}
	l, r := left.eval, right.eval
	k.needs = presence(left, right)
	if left.known && right.direct {
		k.needs = append(k.needs, heldNeed(left.value)...)
	}
	return c.fold(n, boolean(k, func(f *frame) bool { return f.isIn(l(f), r(f)) }))
}

// isIn is x in y, for values that the event brings.
func (f *frame) isIn(x, y document.Value) bool {
	switch y.Kind() {
	case document.Missing, document.Null:
		return false
	case document.Array:
		return f.isElement(x, y)
	case document.Object:
		name, ok := text(x)
		return ok && y.Get(name).Kind() != document.Missing
	}
	f.unlikeUnlessNil(x, y)
	return false
}

func (f *frame) isElement(x, list document.Value) bool {
	if x.IsNil() || !f.spend(list.Len()*stepCost) {
		return false
	}
	for v := range list.Elements() {
		if document.Equal(x, v) {
			return true
		}
	}
	return false
}
