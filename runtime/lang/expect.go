package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func (l *loader) decodeMock(t *plan.Test, b *hclsyntax.Block, n *node, output string) {
	l.only(b, "error", "set", "event")
	m := plan.Mock{Range: l.at(b.DefRange())}
	if n != nil {
		if m.Address = n.Address; n.Type != plan.Sink {
			l.fail(diag.NotYet, b.LabelRanges[0], "mock of anything but a sink is not yet available", "")
		} else if output != plan.Events {
			l.fail(diag.TestShape, b.LabelRanges[0], "mock stands for a component, not for one of its outputs", "write "+n.Address)
		}
	}
	for _, name := range []string{"set", "event"} {
		if a := b.Body.Attributes[name]; a != nil {
			l.fail(diag.NotYet, a.NameRange, fmt.Sprintf("`%s` of mock is not yet available", name), "write error = …")
			return
		}
	}
	a := b.Body.Attributes["error"]
	if a == nil {
		l.fail(diag.MissingAttribute, b.DefRange(), "mock has no `error`", `write error = "what the target says"`)
		return
	}
	m.Error, _ = l.testText(a.Expr)
	t.Mocks = append(t.Mocks, m)
}

func (l *loader) decodeExpect(t *plan.Test, b *hclsyntax.Block, n *node, output string) {
	l.only(b, "count", "where", "golden", "equals")
	x := plan.Expect{Range: l.at(b.DefRange()), Output: output}
	if n != nil {
		x.Address = n.Address
	}
	for _, a := range attributes(b.Body) {
		switch a.Name {
		case "count":
			v, ok := l.evaluate(a.Expr)
			if !ok || !v.IsWhollyKnown() {
				continue
			}
			v, _ = v.UnmarkDeep()
			if v.IsNull() {
				continue
			}
			count, err := (&decoding{l: l}).scalar(component.Attr{Type: component.TypeCount}, v)
			if err != nil {
				l.list = append(l.list, findings(err, l.at(a.Expr.Range()), diag.TestInvalid)...)
				continue
			}
			c := count.(int)
			x.Count = &c
		case "where":
			x.Where, x.WhereRange = l.testCondition(a.Expr)
		case "golden":
			if s, ok := l.testText(a.Expr); ok {
				x.Golden = l.absolute(s)
			}
		case "equals":
			x.Equals, _ = l.testValue(a.Expr)
		}
	}
	t.Expects = append(t.Expects, x)
}

// testCondition is the where of an expect. What has no value is only a mistake
// where the test is to be run.
func (l *loader) testCondition(e hclsyntax.Expression) (plan.Condition, diag.Range) {
	mode := l.o.Mode
	if mode != Test {
		l.o.Mode = Graph
	}
	c, t, _ := l.condition(e)
	l.o.Mode = mode
	if t == nil {
		return c, l.at(e.Range())
	}
	return c, t.span(0, len(t.value))
}
