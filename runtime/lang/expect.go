package lang

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func (l *loader) decodeExpect(t *plan.Test, b *hclsyntax.Block, n *node, output string) {
	l.only(b, "count", "where", "golden", "equals")
	x := plan.Expect{Range: l.at(b.DefRange()), Output: output}
	if n != nil {
		x.Address = n.Address
	}
	for _, a := range attributes(b.Body) {
		switch a.Name {
		case "count":
			if count, ok := l.testScalar(a.Expr, component.TypeCount); ok {
				c := count.(int)
				x.Count = &c
			}
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
