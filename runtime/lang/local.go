package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// local is one NAME = value of a locals block.
type local struct {
	name  string
	expr  hclsyntax.Expression
	at    hcl.Range
	state evaluationState
	value cty.Value
}

type evaluationState uint8

const (
	notYet evaluationState = iota
	underWay
	done
)

func (l *loader) declareLocals(b *hclsyntax.Block) {
	l.refuseBlocks(b, "locals")
	for _, a := range attributes(b.Body) {
		if !l.checkName(a.Name, a.NameRange) {
			continue
		}
		if before := l.locals[a.Name]; before != nil {
			l.duplicate(a.NameRange, "local."+a.Name, before.at)
			continue
		}
		l.locals[a.Name] = &local{name: a.Name, expr: a.Expr, at: a.NameRange, value: wrongValue}
		l.localNames = append(l.localNames, a.Name)
	}
}

func (l *loader) evaluateLocals() {
	for _, name := range l.localNames {
		l.evaluateLocal(l.locals[name])
	}
	l.env = l.expressionEnv()
}

// evaluateLocal computes x, and first the locals that it is made of.
func (l *loader) evaluateLocal(x *local) {
	switch x.state {
	case underWay:
		l.fail(diag.LocalCycle, x.at, fmt.Sprintf("local.%s is made of itself: %s", x.name, l.circle(x)), "")
		x.state = done
		return
	case done:
		return
	}
	x.state = underWay
	v, ok := l.evaluate(x.expr)
	if x.state == done { // found to be in a circle
		return
	}
	x.state = done
	if ok {
		x.value = v
	}
}

// circle names the locals that lead from x to itself.
func (l *loader) circle(x *local) string {
	var walk func(y *local, path []string) []string
	seen := map[*local]bool{}
	walk = func(y *local, path []string) []string {
		path = append(path, "local."+y.name)
		if y.expr == nil {
			return nil
		}
		for _, t := range y.expr.Variables() {
			if t.RootName() != "local" || len(t) < 2 {
				continue
			}
			step, is := t[1].(hcl.TraverseAttr)
			if !is {
				continue
			}
			next := l.locals[step.Name]
			if next == x {
				return append(path, "local."+x.name)
			}
			if next != nil && !seen[next] {
				seen[next] = true
				if found := walk(next, path); found != nil {
					return found
				}
			}
		}
		return nil
	}
	return strings.Join(walk(x, nil), " -> ")
}
