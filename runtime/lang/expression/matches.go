package expression

import (
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

// matches compiles text matches pattern. A pattern that is known is compiled
// at load.
func (c *compiler) matches(n *ast.BinaryNode) code {
	left, right := c.compile(n.Left), c.compile(n.Right)
	k := from(left, right)
	if k.bad {
		return bad
	}
	pattern, ok := c.pattern(n.Right, right)
	if !ok {
		return bad
	}
	l, r := left.eval, right.eval
	k.safe = k.safe && right.known
	if k.needs = presence(left, right); left.direct && right.known && !right.value.IsNil() {
		prefix, _ := pattern.last.Load().re.LiteralPrefix()
		k.needs = append(k.needs, textNeed(prefix)...)
	}
	return c.fold(n, boolean(k, func(f *frame) bool {
		a, b := l(f), r(f)
		if a.IsNil() || b.IsNil() {
			return false
		}
		s, isText := text(a)
		re := pattern.compile(f, b)
		if !isText || re == nil {
			f.unlike++
			return false
		}
		return re.MatchString(s)
	}))
}

// pattern is a place for a regular expression: one that is known at load, or
// the last one that an event brought.
type pattern struct {
	last atomic.Pointer[compiled]
}

type compiled struct {
	source string
	re     *regexp.Regexp // nil: it is none
}

// pattern prepares the regular expression k, and reports one that is none.
func (c *compiler) pattern(n ast.Node, k code) (*pattern, bool) {
	p := new(pattern)
	if !k.known || k.value.IsNil() {
		return p, true
	}
	if k.value.Kind() != document.Text {
		c.problem(n, Literal, "a regular expression is a text; this is "+kindName(k.value.Kind()), "")
		return nil, false
	}
	re, err := regexp.Compile(k.value.Text())
	if err != nil {
		c.problem(n, Literal, "this is no regular expression: "+err.Error(), "")
		return nil, false
	}
	p.last.Store(&compiled{source: k.value.Text(), re: re})
	return p, true
}

// compile is the regular expression v; nil if it is none.
func (p *pattern) compile(f *frame, v document.Value) *regexp.Regexp {
	source, ok := text(v)
	if !ok {
		return nil
	}
	if last := p.last.Load(); last != nil && last.source == source {
		return last.re
	}
	const compileCost = 1 << 10 // for each byte of a pattern
	if !f.spend(len(source) * compileCost) {
		return nil
	}
	re, err := regexp.Compile(source)
	if err != nil {
		re = nil
	}
	p.last.Store(&compiled{source: strings.Clone(source), re: re})
	return re
}
