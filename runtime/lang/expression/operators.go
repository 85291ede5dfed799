package expression

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

func (c *compiler) unary(n *ast.UnaryNode) code {
	switch n.Operator {
	case "not", "!":
		k, test := c.condition(n.Node)
		if k.bad {
			return bad
		}
		not := boolean(from(k), func(f *frame) bool { return !test(f) })
		not.safe = k.safe && k.test != nil
		not.doubt = "`not` is true of events that have nothing of what it looks at"
		return c.fold(n, not)
	}
	operand := c.compile(n.Node)
	if operand.bad {
		return bad
	}
	k := from(operand)
	if n.Operator == "-" {
		k.eval = func(f *frame) document.Value { return f.negative(operand.eval(f)) }
	} else {
		k.eval = func(f *frame) document.Value { return f.positive(operand.eval(f)) }
	}
	return c.fold(n, k)
}

func (c *compiler) binary(n *ast.BinaryNode) code {
	c.checkNot(n)
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logic(n)
	case "in":
		return c.in(n)
	case "matches":
		return c.matches(n)
	case "-":
		c.checkMinus(n)
	}
	left, right := c.compile(n.Left), c.compile(n.Right)
	k := from(left, right)
	if k.bad {
		return bad
	}
	l, r := left.eval, right.eval
	if test := comparison(n.Operator, l, r); test != nil {
		if k.needs = comparisonNeeds(n.Operator, left, right); k.needs == nil && (n.Operator == "==" || n.Operator == "!=") {
			k.doubt = "`" + n.Operator + "` is true of events that lack the member"
		}
		return c.fold(n, boolean(k, test))
	}
	operation := operations[n.Operator]
	if operation == nil {
		return c.problem(n, Unreadable, fmt.Sprintf("there is no operator `%s`", n.Operator), "")
	}
	if n.Operator == "??" {
		k.eval = func(f *frame) document.Value {
			if v := l(f); !v.IsNil() {
				return v
			}
			return r(f)
		}
		if left.result == right.result {
			k.result = left.result
		}
	} else {
		k.safe = false
		k.eval = func(f *frame) document.Value {
			a, b := l(f), r(f)
			if a.IsNil() || b.IsNil() {
				return document.Value{}
			}
			return operation(f, a, b)
		}
		k.result = results[n.Operator]
	}
	return c.fold(n, k)
}

// operations are the operators that give a value, for operands that are not nil.
var operations = map[string]func(f *frame, a, b document.Value) document.Value{
	"+":  (*frame).add,
	"-":  (*frame).subtract,
	"*":  (*frame).multiply,
	"/":  (*frame).divide,
	"%":  (*frame).modulo,
	"**": (*frame).power,
	"^":  (*frame).power,
	"..": (*frame).span,
	"??": func(*frame, document.Value, document.Value) document.Value { return document.Value{} },
}

var results = map[string]document.Kind{
	"%": document.Number, "**": document.Number, "^": document.Number, "..": document.Array,
}

// comparison is the test of an operator that gives true or false.
func comparison(operator string, l, r func(*frame) document.Value) func(*frame) bool {
	order := func(holds func(int) bool) func(*frame) bool {
		return func(f *frame) bool {
			a, b := l(f), r(f)
			n, ok := document.Compare(a, b)
			if !ok {
				f.unlikeUnlessNil(a, b)
				return false
			}
			return holds(n)
		}
	}
	texts := func(holds func(string, string) bool) func(*frame) bool {
		return func(f *frame) bool { return f.texts(l(f), r(f), holds) }
	}
	switch operator {
	case "==":
		return func(f *frame) bool { return document.Equal(l(f), r(f)) }
	case "!=":
		return func(f *frame) bool { return !document.Equal(l(f), r(f)) }
	case "<":
		return order(func(n int) bool { return n < 0 })
	case "<=":
		return order(func(n int) bool { return n <= 0 })
	case ">":
		return order(func(n int) bool { return n > 0 })
	case ">=":
		return order(func(n int) bool { return n >= 0 })
	case "contains":
		return func(f *frame) bool {
			a, b := l(f), r(f)
			if a.Kind() == document.Array {
				return f.isElement(b, a)
			}
			return f.texts(a, b, strings.Contains)
		}
	case "startsWith":
		return texts(strings.HasPrefix)
	case "endsWith":
		return texts(strings.HasSuffix)
	}
	return nil
}

func (f *frame) texts(a, b document.Value, holds func(string, string) bool) bool {
	s, ok := text(a)
	t, too := text(b)
	if !ok || !too {
		f.unlikeUnlessNil(a, b)
		return false
	}
	return holds(s, t)
}

func (f *frame) unlikeUnlessNil(a, b document.Value) {
	if !a.IsNil() && !b.IsNil() {
		f.unlike++
	}
}

// turned are the operators for operands that change places.
var turned = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}

// comparisonNeeds are the needs of left operator right.
func comparisonNeeds(operator string, left, right code) []sieve.Need {
	needs := presence(left, right)
	switch operator {
	case "==", "!=":
		fixed, other := left, right
		if right.known {
			fixed, other = right, left
		}
		switch {
		case !fixed.known || !other.safe || fixed.value.IsNil() != (operator == "!="):
			return nil // nil may equal nil, and differs from all else
		case operator == "==" && other.direct:
			switch fixed.value.Kind() {
			case document.Text:
				return append(needs, equalNeeds(other, fixed.value.Text())...)
			case document.Number:
				return append(needs, orderNeeds(other, "==", fixed.value)...)
			}
		}
	case "<", "<=", ">", ">=":
		switch {
		case left.direct && right.known && right.value.Kind() == document.Number:
			return append(needs, orderNeeds(left, operator, right.value)...)
		case right.direct && left.known && left.value.Kind() == document.Number:
			return append(needs, orderNeeds(right, turned[operator], left.value)...)
		}
	case "contains", "startsWith", "endsWith":
		if left.direct && right.known {
			return append(needs, heldNeed(right.value)...)
		}
	}
	return needs
}

func (c *compiler) logic(n *ast.BinaryNode) code {
	left, l := c.condition(n.Left)
	right, r := c.condition(n.Right)
	k := from(left, right)
	if k.bad {
		return bad
	}
	and := n.Operator == "and" || n.Operator == "&&"
	if left.known { // the rest may not matter, or be all
		if l(nil) == and {
			k = boolean(from(right), r)
			k.safe, k.needs, k.doubt = right.safe && right.test != nil, right.truthNeeds(), right.doubt
			return k
		}
		return constant(document.NewBool(!and))
	}
	leftIsSafe := left.safe && left.test != nil
	k.safe = leftIsSafe && right.safe && right.test != nil
	if and {
		k.needs = left.truthNeeds()
		if leftIsSafe {
			k.needs = slices.Concat(k.needs, right.truthNeeds())
		} else if len(k.needs) == 0 {
			k.doubt = "an error of `" + c.source.textOf(n.Left) + "` comes before what follows `" + n.Operator + "`"
		}
		return c.fold(n, boolean(k, func(f *frame) bool { return l(f) && r(f) }))
	}
	k.needs = eitherNeeds(left.truthNeeds(), right.truthNeeds())
	if best(left.truthNeeds()) == nil {
		k.doubt = "`" + c.source.textOf(n.Left) + "` is enough, and nothing is known of it"
	} else if len(k.needs) == 0 {
		k.doubt = "`" + c.source.textOf(n.Right) + "` is enough, and nothing is known of it"
	}
	return c.fold(n, boolean(k, func(f *frame) bool { return l(f) || r(f) }))
}

// checkNot refuses a `not` that binds tighter than it looks: not a == b is
// (not a) == b.
func (c *compiler) checkNot(n *ast.BinaryNode) {
	switch n.Operator {
	case "and", "&&", "or", "||", "??":
		return
	}
	not, ok := n.Left.(*ast.UnaryNode)
	if !ok || not.Operator != "not" && not.Operator != "!" {
		return
	}
	s := c.source
	at, found := s.tokenAt(not.Location().From)
	if !found || s.tokens[at].Value != "not" && s.tokens[at].Value != "!" {
		return // x not in y
	}
	operator, found := s.tokenAt(n.Location().From)
	if !found {
		return
	}
	if operator > 0 && s.tokens[operator-1].Value == "not" {
		operator--
	}
	if operator > 0 && at > 0 && s.matching(operator-1) == at-1 {
		return // (not a) == b
	}
	from, end := s.upTo(not.Location().From, n.Right)
	_, operand := s.spanOf(not)
	whole := strings.TrimSpace(s.text[from+len(not.Operator) : end])
	c.problems = append(c.problems, Problem{
		Start: from, End: end, Cause: Binding,
		Message:    fmt.Sprintf("`%s` binds tighter than `%s`: this compares `%s`", not.Operator, n.Operator, s.text[from:operand]),
		Suggestion: notSuggestion(n.Operator, whole),
	})
}

func notSuggestion(operator, whole string) string {
	switch operator {
	case "==":
		return fmt.Sprintf("write %s, or not (%s)", strings.Replace(whole, "==", "!=", 1), whole)
	case "in", "contains", "matches", "startsWith", "endsWith":
		return fmt.Sprintf("write %s, or not (%s)", strings.Replace(whole, " "+operator+" ", " not "+operator+" ", 1), whole)
	}
	return fmt.Sprintf("write not (%s)", whole)
}

// matching is the index of the bracket that the one at index closes; -1 if
// there is none.
func (s *source) matching(index int) int {
	depth := 0
	for i := index; i >= 0; i-- {
		switch s.tokens[i].Value {
		case ")", "]", "}":
			if s.tokens[i].Kind == "Bracket" {
				depth++
			}
		case "(", "[", "{":
			if s.tokens[i].Kind == "Bracket" {
				depth--
			}
		}
		if depth == 0 {
			if i == index {
				return -1
			}
			return i
		}
	}
	return -1
}

// checkMinus warns of agent-name, which is a subtraction.
func (c *compiler) checkMinus(n *ast.BinaryNode) {
	right := n.Right
	for {
		m, ok := right.(*ast.MemberNode)
		if !ok {
			break
		}
		right = m.Node
	}
	second, ok := right.(*ast.IdentifierNode)
	if !ok || isRoot(second.Value) {
		return
	}
	if _, isLet := c.lookup(second.Value); isLet {
		return
	}
	from, to := c.source.span(n.Location())
	text := c.source.text
	tight := from > 0 && to < len(text) && text[from-1] != ' ' && text[to] != ' '
	var base, first string
	switch left := n.Left.(type) {
	case *ast.IdentifierNode:
		if _, isLet := c.lookup(left.Value); isLet || isRoot(left.Value) {
			return
		}
		base, first = "event", left.Value
		if _, bare := n.Right.(*ast.IdentifierNode); !bare && !tight {
			return
		}
	case *ast.MemberNode:
		name, named := left.Property.(*ast.StringNode)
		if !named || !tight {
			return
		}
		start, end := c.source.spanOf(left.Node)
		base, first = text[start:end], name.Value
	default:
		return
	}
	c.warn(n, Minus, fmt.Sprintf("this subtracts %s from %s", second.Value, first),
		fmt.Sprintf("for a member of that name write %s['%s-%s']", base, first, second.Value))
}
