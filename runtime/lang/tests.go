package lang

import (
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// testVars are the vars of the test that the plan is for, as text.
func (l *loader) testVars() map[string]string {
	for _, b := range l.tests {
		if l.o.Mode == Test && b.Labels[0] == l.o.Test {
			return l.decodeVars(b, false)
		}
	}
	return nil
}

// decodeVars reads vars = { NAME = value }; complain is false the first time.
func (l *loader) decodeVars(b *hclsyntax.Block, complain bool) map[string]string {
	a := b.Body.Attributes["vars"]
	if a == nil {
		return nil
	}
	vars := map[string]string{}
	said := len(l.list)
	defer func() {
		if !complain {
			l.list = l.list[:said]
		}
	}()
	o, is := a.Expr.(*hclsyntax.ObjectConsExpr)
	if !is {
		l.fail(diag.TestInvalid, a.Expr.Range(), "vars must be an object: { NAME = value }", "")
		return nil
	}
	d := &decoding{l: l}
	d.members(o, func(name string, item hclsyntax.Expression) bool {
		if l.vars[name] == nil && !l.incomplete {
			l.fail(diag.UnknownVariable, item.Range(), fmt.Sprintf("vars: there is no variable `%s`", name), didYouMean(name, l.varNames))
			return false
		}
		if used := item.Variables(); len(used) > 0 {
			l.fail(diag.NotLiteral, used[0].SourceRange(), "vars of a test must be constants", "")
			return false
		}
		v, ok := l.evaluate(item)
		if !ok {
			return false
		}
		if v, _ = v.UnmarkDeep(); v.IsNull() {
			vars[name] = null
			return true
		}
		if s, err := textOf(v); err == nil {
			vars[name] = s
			return true
		}
		raw, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			l.fail(diag.TestInvalid, item.Range(), "this is no value of a variable", "")
			return false
		}
		vars[name] = string(raw)
		return true
	})
	return vars
}

// decodeTests makes the tests of the plan.
func (l *loader) decodeTests() {
	if !l.wantsTests() {
		return
	}
	seen := map[string]hcl.Range{}
	for _, b := range l.tests {
		name := b.Labels[0]
		if before, twice := seen[name]; twice {
			l.fail(diag.DuplicateName, b.LabelRanges[0], "there is already a test of this name", "the first is at "+l.at(before).String())
			continue
		}
		seen[name] = b.LabelRanges[0]
		if l.o.Mode == Test && l.o.Test != "" && name != l.o.Test {
			continue
		}
		l.plan.Tests = append(l.plan.Tests, l.decodeTest(b))
	}
	if l.o.Mode == Test && l.o.Test != "" && len(l.plan.Tests) == 0 && !l.incomplete {
		l.report(diag.Diagnostic{Code: diag.TestAddress, Range: diag.Range{File: l.shownName()}, Message: fmt.Sprintf("there is no test %q", l.o.Test), Suggestion: didYouMean(l.o.Test, sortedKeys(seen))})
	}
}

var testAttrs, testBlocks = []string{"vars", "now", "ignore"}, []string{"input", "mock", "expect"}

func (l *loader) decodeTest(b *hclsyntax.Block) *plan.Test {
	t := &plan.Test{Name: b.Labels[0], Range: l.at(b.DefRange()), Vars: l.decodeVars(b, true), Clock: &plan.Clock{}}
	for _, a := range attributes(b.Body) {
		switch a.Name {
		case "vars":
		case "now":
			if s, ok := l.testText(a.Expr); ok {
				now, err := time.Parse(time.RFC3339, s)
				if err != nil {
					l.fail(diag.TestInvalid, a.Expr.Range(), fmt.Sprintf("`%s` is no time", s), `write it as "2025-06-02T15:04:05Z"`)
				}
				t.Clock.Set(now)
			}
		case "ignore":
			l.decodeIgnore(t, a)
		default:
			l.unknownAttribute(a, "test", testAttrs, testBlocks)
		}
	}
	mocked := map[*node]hcl.Range{}
	for _, inner := range b.Body.Blocks {
		if !contains(testBlocks, inner.Type) {
			l.unknownBlock(inner, "test", testBlocks, testAttrs)
			continue
		}
		if !l.checkLabels(inner, "ADDRESS") {
			continue
		}
		n, output, ok := l.testAddress(inner.Labels[0], inner.LabelRanges[0])
		if !ok {
			n = nil // the rest is looked at all the same
		}
		switch inner.Type {
		case "input":
			l.decodeInput(t, inner, n, output)
		case "mock":
			l.decodeMock(t, inner, n, output, mocked)
		case "expect":
			l.decodeExpect(t, inner, n, output)
		}
	}
	if len(t.Inputs) == 0 && len(b.Body.Blocks) == 0 {
		l.fail(diag.TestShape, b.DefRange(), "the test has no input", `write input "source.KIND.NAME" { file = "…" }`)
	}
	return t
}

// testAddress resolves a label; positions are those of the label.
func (l *loader) testAddress(label string, at hcl.Range) (*node, string, bool) {
	t, diags := hclsyntax.ParseTraversalAbs([]byte(label), at.Filename, at.Start)
	if diags.HasErrors() {
		l.fail(diag.TestAddress, at, fmt.Sprintf("`%s` is no address", label), `write "source.KIND.NAME", "filter.NAME", … and the output behind it`)
		return nil, "", false
	}
	if t.RootName() == plan.Errors {
		l.fail(diag.TestAddress, at, "a test names one output", "write the address of a component and .errors")
		return nil, "", false
	}
	l.anyKey = l.o.Mode != Test
	defer func() { l.anyKey = false }()
	return l.resolve(t, at, func(code diag.Code, at hcl.Range, message, suggestion string) {
		if code == diag.UnknownReference || code == diag.InvalidReference || code == diag.NoSuchOutput {
			code = diag.TestAddress
		}
		l.fail(code, at, message, suggestion)
	})
}

// testText is a text in a test, of load time.
func (l *loader) testText(e hclsyntax.Expression) (string, bool) {
	v, ok := l.evaluate(e)
	if !ok {
		return "", false
	}
	if name, is := marked(v, lacking); is {
		return "", l.o.Mode != Test && name != ""
	}
	v, _ = v.UnmarkDeep()
	s, err := textOf(v)
	if err != nil {
		l.fail(diag.WrongType, e.Range(), "this must be a text, not "+typeName(v.Type()), "")
		return "", false
	}
	return s, true
}

// testScalar is a value of a type in a test, if it is written and has one there.
func (l *loader) testScalar(e hclsyntax.Expression, t component.Type) (any, bool) {
	v, ok := l.evaluate(e)
	if !ok || !v.IsWhollyKnown() {
		return nil, false
	}
	if v, _ = v.UnmarkDeep(); v.IsNull() {
		return nil, false
	}
	x, err := (&decoding{l: l}).scalar(component.Attr{Type: t}, v)
	if err != nil {
		l.list = append(l.list, findings(err, l.at(e.Range()), diag.TestInvalid)...)
		return nil, false
	}
	return x, true
}

func (l *loader) decodeIgnore(t *plan.Test, a *hclsyntax.Attribute) {
	list, is := a.Expr.(*hclsyntax.TupleConsExpr)
	if !is {
		l.fail(diag.TestInvalid, a.Expr.Range(), "ignore must be a list of addresses", `write ignore = ["sink.KIND.NAME"]`)
		return
	}
	for _, e := range list.Exprs {
		label, ok := l.testText(e)
		if !ok {
			continue
		}
		if n, output, ok := l.testAddress(label, e.Range()); ok {
			t.Ignore = append(t.Ignore, plan.Port{Node: n.Node, Output: output}.String())
		}
	}
}

// only reports blocks and attributes that a block of a test does not have.
func (l *loader) only(b *hclsyntax.Block, known ...string) {
	for _, a := range attributes(b.Body) {
		if !contains(known, a.Name) {
			l.unknownAttribute(a, "`"+b.Type+"`", known, nil)
		}
	}
	for _, inner := range b.Body.Blocks {
		l.unknownBlock(inner, "`"+b.Type+"`", nil, known)
	}
}

func (l *loader) decodeInput(t *plan.Test, b *hclsyntax.Block, n *node, output string) {
	l.only(b, "file", "text", "event", "after")
	in := plan.Input{Range: l.at(b.DefRange())}
	if n != nil {
		in.Address = n.Address
		if n.Type != plan.Source || output != plan.Events {
			l.fail(diag.TestShape, b.LabelRanges[0], "input goes into a source, not into "+b.Labels[0], "")
		} else if len(n.instances) > 0 {
			l.fail(diag.TestShape, b.LabelRanges[0], n.Address+" has a for_each: input goes into one of them", fmt.Sprintf("write %q", n.instances[0].Address))
		}
	}
	given := 0
	for _, a := range attributes(b.Body) {
		switch a.Name {
		case "after":
			if after, ok := l.testScalar(a.Expr, component.TypeDuration); ok {
				in.After = after.(time.Duration)
			}
		case "file":
			given++
			if pattern, ok := l.testText(a.Expr); ok {
				in.Files = l.glob(pattern)
				if len(in.Files) == 0 && l.o.Mode != Graph {
					l.fail(diag.TestNoFiles, a.Expr.Range(), fmt.Sprintf("there is no file %s", l.display(l.absolute(pattern))), "paths are relative to the pipeline file")
				}
			}
		case "text":
			given++
			in.Text, _ = l.testText(a.Expr)
			if n != nil && n.Spec != nil && !n.Spec.Codec {
				l.fail(diag.TestShape, a.NameRange, fmt.Sprintf("source %q reads no text", n.Kind), "write event = { … }")
			}
		case "event":
			given++
			in.Events = l.testEvents(a.Expr)
		}
	}
	if given != 1 {
		l.fail(diag.TestShape, b.DefRange(), "input has one of `file`, `text` and `event`", "")
	}
	t.Inputs = append(t.Inputs, in)
}

// testEvents are documents written out: one, or a list of them.
func (l *loader) testEvents(e hclsyntax.Expression) []document.Value {
	v, ok := l.testValue(e)
	if !ok {
		return nil
	}
	if v.Kind() != document.Array {
		return []document.Value{v}
	}
	events := []document.Value{}
	for item := range v.Elements() {
		events = append(events, item)
	}
	return events
}

func (l *loader) testValue(e hclsyntax.Expression) (document.Value, bool) {
	v, ok := l.evaluate(e)
	if !ok {
		return document.Value{}, false
	}
	if !v.IsWhollyKnown() {
		return document.NewNull(), true
	}
	return (&decoding{l: l}).ordered(e)
}
