package expression

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

// function is one function of the language. Arguments are evaluated before it
// is called; unless it takes nil, a nil argument makes the result nil, or false.
type function struct {
	name    string
	args    string        // "text, chars?": a ? ends what may be left out, … what may come again
	doc     string        // for the reference: one sentence
	result  document.Kind // what it gives, nil aside; Missing: that depends
	nils    bool          // takes nil
	dynamic bool          // not the same at any time
	test    func(f *frame, args []document.Value) bool
	call    func(f *frame, args []document.Value) document.Value
}

// arity is how many arguments a function takes; most is -1 for any number.
func (fn *function) arity() (least, most int) {
	if fn.args == "" {
		return 0, 0
	}
	for arg := range strings.SplitSeq(fn.args, ", ") {
		most++
		switch {
		case strings.HasSuffix(arg, "…"):
			return max(least, 1), -1
		case !strings.HasSuffix(arg, "?"):
			least++
		}
	}
	return least, most
}

func (fn *function) signature() string { return fn.name + "(" + fn.args + ")" }

// callNode compiles a call of something that expr does not know itself.
func (c *compiler) callNode(n *ast.CallNode) code {
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		return c.call(n, callee.Value, n.Arguments)
	case *ast.MemberNode:
		name, ok := callee.Property.(*ast.StringNode)
		if !ok {
			break
		}
		start, end := c.source.spanOf(callee.Node)
		suggestion := nearest(name.Value, functionNames(), "")
		if _, known := functions[name.Value]; known {
			suggestion = fmt.Sprintf("write %s(%s)", name.Value, c.source.text[start:end])
		}
		return c.problem(callee, NoFunction, "members of an event can't be called: "+name.Value, suggestion)
	}
	return c.problem(n, NoFunction, "only functions can be called", "")
}

// call compiles name(arguments…).
func (c *compiler) call(n ast.Node, name string, arguments []ast.Node) code {
	if name == "has" {
		return c.has(n, arguments)
	}
	if l, ok := loops[name]; ok {
		return c.loop(n, name, l, arguments)
	}
	fn := functions[name]
	if fn == nil {
		return c.problem(n, NoFunction, "there is no function called "+name, nearest(name, functionNames(), ""))
	}
	args := make([]code, len(arguments))
	for i, a := range arguments {
		args[i] = c.compile(a)
	}
	k := from(args...)
	if least, most := fn.arity(); len(args) < least || most >= 0 && len(args) > most {
		return c.problem(n, Arguments, fmt.Sprintf("%s takes %s; here are %d", name, many(least, most), len(args)), "write "+fn.signature())
	}
	if k.bad {
		return bad
	}
	k.dynamic = k.dynamic || fn.dynamic
	k.safe = k.safe && fn.test != nil
	k.result = fn.result
	return c.fold(n, c.prepare(n, fn, k, args, arguments))
}

// prepare is the call with the work done that load time can do.
func (c *compiler) prepare(n ast.Node, fn *function, k code, args []code, nodes []ast.Node) code {
	switch fn.name {
	case "in_cidr":
		return c.inCIDR(k, args, nodes)
	case "regex_find", "regex_replace":
		return c.regexCall(fn, k, args, nodes)
	case "format_time", "timezone", "now", "date":
		c.checkTimeArguments(fn.name, args, nodes)
	case "sort":
		c.checkOrder(args, nodes, 1)
	}
	return plain(c, fn, k, args)
}

// plain is a call that evaluates its arguments into the frame.
func plain(c *compiler, fn *function, k code, args []code) code {
	at := c.slots
	c.slots += len(args)
	take := func(f *frame) ([]document.Value, bool) {
		for i := range args {
			v := args[i].eval(f)
			if v.IsNil() && !fn.nils {
				return nil, false
			}
			f.slots[at+i] = v
		}
		return f.slots[at : at+len(args) : at+len(args)], true
	}
	if fn.test != nil {
		k.needs = presence(args...)
		return boolean(k, func(f *frame) bool {
			values, ok := take(f)
			return ok && fn.test(f, values)
		})
	}
	k.eval = func(f *frame) document.Value {
		values, ok := take(f)
		if !ok {
			return document.Value{}
		}
		return fn.call(f, values)
	}
	return k
}

func many(least, most int) string {
	switch {
	case most < 0:
		return fmt.Sprintf("at least %d", least)
	case least != most:
		return fmt.Sprintf("%d to %d arguments", least, most)
	case most == 1:
		return "one argument"
	case most == 0:
		return "no argument"
	}
	return fmt.Sprintf("%d arguments", most)
}

// has compiles has(path), which tells JSON null from a missing member.
func (c *compiler) has(n ast.Node, arguments []ast.Node) code {
	if len(arguments) != 1 {
		return c.problem(n, Arguments, fmt.Sprintf("has takes one argument; here are %d", len(arguments)), "write has(path)")
	}
	path := arguments[0]
	if chain, ok := path.(*ast.ChainNode); ok {
		path = chain.Node
	}
	switch path.(type) {
	case *ast.MemberNode, *ast.IdentifierNode:
	default:
		return c.problem(n, Arguments, "has takes the path of a member", "write has(path)")
	}
	k := c.compile(path)
	if k.bad {
		return bad
	}
	eval := k.eval
	has := boolean(from(k), func(f *frame) bool { return eval(f).Kind() != document.Missing })
	has.needs = presence(k)
	return c.fold(n, has)
}

// functionNames are all names that can be called.
func functionNames() []string {
	names := []string{"has"}
	for name := range functions {
		names = append(names, name)
	}
	for name := range loops {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// functions are all functions but the loops and has.
var functions = func() map[string]*function {
	all := map[string]*function{}
	for _, group := range groups {
		for i := range group.functions {
			fn := &group.functions[i]
			all[fn.name] = fn
		}
	}
	return all
}()

// group is a section of the reference.
type group struct {
	title     string
	functions []function
}

var groups = []group{
	{"Text", textFunctions},
	{"Numbers", numberFunctions},
	{"Lists and objects", listFunctions},
	{"Time", timeFunctions},
	{"Addresses", addressFunctions},
	{"Hashes and encodings", codingFunctions},
}
