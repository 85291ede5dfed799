package expression

import (
	"fmt"
	"slices"
	"time"

	"github.com/agext/levenshtein"
	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

type compiler struct {
	env      Env
	source   *source
	problems []Problem
	reads    []Path
	scopes   []scope
	slots    int
	folding  *frame // for what is evaluated at load
}

// scope is what a let or a loop makes known.
type scope struct {
	let   string // name of a let; "" of a loop
	alias code   // a let whose value is known or a path
	slot  int    // of the let's value, the loop's item
	index int
	acc   int // of reduce; -1
	// direct: the items are values of the event as they stand there
	direct bool
}

// Compile compiles src against env. The program is nil if a problem is an
// error.
func Compile(src string, env Env) (*Program, []Problem) {
	c, k := start(src, env)
	return c.finish(k)
}

// Condition compiles src as Compile does, and reports what can never be true
// or false.
func Condition(src string, env Env) (*Program, []Problem) {
	c, k := start(src, env)
	if p := unfit(k); p != "" {
		c.problems = append(c.problems, Problem{End: len(src), Cause: NoCondition, Message: p})
	}
	return c.finish(k)
}

func start(src string, env Env) (*compiler, code) {
	if env.Now == nil {
		env.Now = time.Now
	}
	s, root, problem := parse(src)
	c := &compiler{env: env, source: s}
	if problem != nil {
		c.problems = []Problem{*problem}
		return c, bad
	}
	return c, c.compile(root)
}

func (c *compiler) finish(k code) (*Program, []Problem) {
	var problems []Problem
	for _, p := range c.problems {
		if !slices.Contains(problems, p) { // b in a < b < c is compiled twice
			problems = append(problems, p)
		}
	}
	if Failed(problems) || k.bad {
		return nil, problems
	}
	p := &Program{source: c.source.text, env: c.env, code: k, test: k.condition(), reads: c.reads, need: best(k.truthNeeds())}
	p.frames.New = func() any { return &frame{clock: c.env.Now, slots: make([]document.Value, c.slots)} }
	return p, problems
}

func (c *compiler) foldingFrame() *frame {
	if c.folding == nil || len(c.folding.slots) < c.slots {
		c.folding = &frame{clock: c.env.Now, slots: make([]document.Value, 2*c.slots)}
	}
	c.folding.begin(nil)
	c.folding.err = nil
	return c.folding
}

// compile compiles a node that is used as it is.
func (c *compiler) compile(n ast.Node) code { return c.use(n, c.raw(n)) }

// use ends the path of k, if it is one: what is behind is no member name.
func (c *compiler) use(n ast.Node, k code) code {
	if k.path == nil || k.bad {
		return k
	}
	p := k.path
	k.path = nil
	if p.root == Var || p.root == Local {
		return constant(k.value)
	}
	start, end := c.source.spanOf(n)
	c.reads = append(c.reads, Path{Root: p.root, Names: p.names, Start: start, End: end})
	k.eval = p.reader()
	k.safe = true
	if p.root != Meta {
		k.direct, k.names = true, p.names
		if len(p.names) > 0 {
			k.member = p.names[len(p.names)-1]
		}
	}
	return k
}

// raw compiles a node; a path stays open for more member names.
func (c *compiler) raw(n ast.Node) code {
	switch n := n.(type) {
	case *ast.NilNode:
		return constant(document.NewNull())
	case *ast.BoolNode:
		return constant(document.NewBool(n.Value))
	case *ast.IntegerNode, *ast.FloatNode:
		return c.number(n)
	case *ast.StringNode:
		if exact, ok := c.source.numbers[n.Location().From]; ok { // key of an object
			return constant(document.NewText(exact))
		}
		return constant(document.NewText(n.Value))
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.ChainNode:
		return c.raw(n.Node)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.VariableDeclaratorNode:
		return c.let(n)
	case *ast.SequenceNode:
		return c.sequence(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.ArrayNode:
		return c.list(n)
	case *ast.MapNode:
		return c.object(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		return c.callNode(n)
	}
	return c.problem(n, Unreadable, "this is not part of the language", "")
}

// fold evaluates at load what depends on nothing else.
func (c *compiler) fold(n ast.Node, k code) code {
	if k.bad || k.known || k.dynamic || len(k.deps) > 0 {
		return k
	}
	f := c.foldingFrame()
	v := k.eval(f)
	if f.err != nil {
		return c.problem(n, Failing, "this fails for every event: "+f.err.Error(), "")
	}
	if f.unlike > 0 {
		c.warn(n, Unlikely, "this can never be more than nil or false: the values don't fit", "")
	}
	return constant(v)
}

func (c *compiler) problem(n ast.Node, cause Cause, message, suggestion string) code {
	start, end := c.source.spanOf(n)
	c.problems = append(c.problems, Problem{Start: start, End: end, Cause: cause, Message: message, Suggestion: suggestion})
	return bad
}

func (c *compiler) warn(n ast.Node, cause Cause, message, suggestion string) {
	start, end := c.source.spanOf(n)
	c.problems = append(c.problems, Problem{Start: start, End: end, Cause: cause, Message: message, Suggestion: suggestion, Warning: true})
}

// condition compiles a node where true or false is wanted.
func (c *compiler) condition(n ast.Node) (code, func(*frame) bool) {
	k := c.compile(n)
	if p := unfit(k); p != "" {
		k = c.problem(n, NoCondition, p, "")
	}
	if k.bad {
		return k, nil
	}
	return k, k.condition()
}

// unfit says why k can't be a condition.
func unfit(k code) string {
	if k.bad || k.result == document.Missing || k.result == document.Null || k.result == document.Bool {
		return ""
	}
	return "a condition is true or false; this is " + kindName(k.result)
}

// nearest suggests the one of names that is most like name.
func nearest(name string, names []string, prefix string) string {
	best, least := "", 1+len(name)/3
	for _, n := range names {
		if d := levenshtein.Distance(name, n, nil); d <= least && n != name {
			best, least = n, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s%s?", prefix, best)
}
