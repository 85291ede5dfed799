package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// variable is one variable block.
type variable struct {
	name      string
	block     *hclsyntax.Block
	typ       cty.Type
	typed     bool // type is written
	optional  *typeexpr.Defaults
	fallback  hclsyntax.Expression // default
	sensitive bool
	env       string
	checks    []*hclsyntax.Block // validation
	bad       bool               // the block itself is wrong

	value  cty.Value
	origin hclsyntax.Expression // of the value: the default, if it is that
}

// null is how a value given as text says null.
const null = "\x00"

func (l *loader) declareVariable(b *hclsyntax.Block) {
	if !l.checkLabels(b, "NAME") || !l.checkName(b.Labels[0], b.LabelRanges[0]) {
		return
	}
	name := b.Labels[0]
	if before := l.vars[name]; before != nil {
		l.duplicate(b.LabelRanges[0], "var."+name, before.block.LabelRanges[0])
		return
	}
	v := &variable{name: name, block: b, typ: cty.String, value: wrongValue}
	l.vars[name] = v
	l.varNames = append(l.varNames, name)
	known := []string{"type", "default", "description", "sensitive", "env"}
	for _, a := range attributes(b.Body) {
		switch a.Name {
		case "type":
			t, optional, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
			if diags.HasErrors() {
				l.fail(diag.WrongType, a.Expr.Range(), "this is no type", "write string, number, bool, list(string), map(…), object({…}) or any")
				v.bad = true
				continue
			}
			v.typ, v.optional, v.typed = t, optional, true
		case "default":
			v.fallback = a.Expr
		case "description", "env":
			s, ok := l.constant(a.Expr, cty.String)
			if !ok {
				v.bad = true
			} else if a.Name == "env" && !s.IsNull() {
				v.env = s.AsString()
			}
		case "sensitive":
			s, ok := l.constant(a.Expr, cty.Bool)
			v.bad = v.bad || !ok
			v.sensitive = ok && !s.IsNull() && s.True()
		default:
			l.unknownAttribute(a, "variable \""+name+"\"", known, []string{"validation"})
			v.bad = true
		}
	}
	for _, inner := range b.Body.Blocks {
		if inner.Type != "validation" {
			l.unknownBlock(inner, "variable \""+name+"\"", []string{"validation"}, known)
			continue
		}
		v.checks = append(v.checks, inner)
	}
}

// constant is a value that is known without any variable.
func (l *loader) constant(e hclsyntax.Expression, t cty.Type) (cty.Value, bool) {
	if vars := e.Variables(); len(vars) > 0 {
		l.fail(diag.NotLiteral, vars[0].SourceRange(), "only a constant can stand here", "")
		return wrongValue, false
	}
	v, ok := l.evaluate(e)
	if !ok {
		return wrongValue, false
	}
	converted, err := convert.Convert(v, t)
	if err != nil {
		l.fail(diag.WrongType, e.Range(), fmt.Sprintf("this must be %s, not %s", typeName(t), typeName(v.Type())), "")
		return wrongValue, false
	}
	return converted, true
}

func (l *loader) evaluateVariables() {
	l.given = map[string]string{}
	for name, raw := range l.o.Vars {
		l.given[name] = raw
	}
	for name, raw := range l.testVars() {
		l.given[name] = raw
	}
	for _, name := range sortedKeys(l.o.Vars) {
		if l.vars[name] == nil && !l.incomplete {
			l.report(diag.Diagnostic{Code: diag.UndeclaredValue, Range: diag.Range{File: "--var " + name},
				Message: fmt.Sprintf("there is no variable `%s`", name), Suggestion: didYouMean(name, l.varNames)})
		}
	}
	fromFiles := l.varFiles()
	for _, name := range l.varNames {
		v := l.vars[name]
		if !v.bad {
			l.inferType(v)
			l.setValue(v, fromFiles[name])
		}
	}
	l.knowVariables()
	for _, name := range l.varNames {
		l.validate(l.vars[name])
	}
	l.knowVariables() // what is invalid means nothing: one mistake is said once
}

// knowVariables lets expressions see the values of the variables.
func (l *loader) knowVariables() {
	all := map[string]cty.Value{}
	for name, v := range l.vars {
		all[name] = v.value
	}
	l.evaluation.Variables["var"] = cty.ObjectVal(all)
}

// inferType gives a variable without type that of a default which is a list or an object.
func (l *loader) inferType(v *variable) {
	if v.typed || v.fallback == nil || len(v.fallback.Variables()) > 0 {
		return
	}
	d, diags := v.fallback.Value(&hcl.EvalContext{Functions: l.evaluation.Functions})
	if diags.HasErrors() || d.IsNull() || !d.IsKnown() || d.Type().IsPrimitiveType() {
		return
	}
	v.typ = cty.DynamicPseudoType
	if list, err := convert.Convert(d, cty.List(cty.String)); err == nil && !list.IsNull() && d.Type().IsTupleType() {
		v.typ = cty.List(cty.String)
	}
}

// validate runs the validation blocks of v.
func (l *loader) validate(v *variable) {
	known := []string{"condition", "error_message"}
	for _, b := range v.checks {
		for _, a := range attributes(b.Body) {
			if !contains(known, a.Name) {
				l.unknownAttribute(a, "validation", known, nil)
			}
		}
		l.refuseBlocks(b, "validation")
		condition, message := b.Body.Attributes["condition"], b.Body.Attributes["error_message"]
		for _, name := range known {
			if b.Body.Attributes[name] == nil {
				l.fail(diag.MissingAttribute, b.DefRange(), fmt.Sprintf("validation has no `%s`", name), "")
			}
		}
		if condition == nil || message == nil {
			continue
		}
		bad := false
		for _, t := range condition.Expr.Variables() {
			if t.RootName() == "local" {
				l.fail(diag.InvalidReference, t.SourceRange(), "a validation sees variables only", "")
				bad = true
			}
		}
		if bad {
			continue
		}
		result, ok := l.evaluate(condition.Expr)
		if !ok {
			continue
		}
		result, _ = result.UnmarkDeep()
		if !result.IsKnown() {
			continue
		}
		result, err := convert.Convert(result, cty.Bool)
		if err != nil || result.IsNull() {
			l.fail(diag.WrongType, condition.Expr.Range(), "a condition must be true or false", "")
			continue
		}
		if result.True() {
			continue
		}
		said := "the value doesn't pass"
		if m, ok := l.evaluate(message.Expr); ok {
			if m, _ := m.UnmarkDeep(); m.IsKnown() && !m.IsNull() && m.Type() == cty.String {
				said = m.AsString()
			}
		}
		l.fail(diag.VariableInvalid, v.block.DefRange(), fmt.Sprintf("var.%s: %s", v.name, lower(said)), "")
		v.value = wrongValue
	}
}

// typeName is a type in words.
func typeName(t cty.Type) string {
	switch {
	case t == cty.String:
		return "a text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t == cty.DynamicPseudoType:
		return "any value"
	case t.IsTupleType():
		return "a list"
	case t.IsObjectType():
		return "an object"
	}
	return "a " + strings.NewReplacer("(", " of ", ")", "").Replace(typeexpr.TypeString(t))
}
