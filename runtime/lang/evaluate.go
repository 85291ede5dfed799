package lang

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// evaluate computes a load-time value. What is wrong is reported, and ok is
// false; it is false without a report if the value is made from something already complained of.
func (l *loader) evaluate(e hcl.Expression) (v cty.Value, ok bool) {
	if !l.checkNames(e) {
		return wrongValue, false
	}
	v, diags := e.Value(l.contextFor(e))
	if diags.HasErrors() {
		if _, bad := marked(v, wrong); !bad && !l.usesWrong(e) {
			l.report(l.each.explain(l.explainEvaluation(e, diags[0]), e))
		}
		return wrongValue, false
	}
	if _, bad := marked(v, wrong); bad {
		return wrongValue, false
	}
	l.noteSecrets(v)
	return v, true
}

// checkNames reports variables, locals and functions that are not there.
func (l *loader) checkNames(e hcl.Expression) bool {
	ok := true
	keys := l.dottedKeys(e)
	for _, t := range e.Variables() {
		if at := t.SourceRange(); !keys[at] {
			ok = l.checkRoot(t) && ok
			continue
		}
		written := reference(t)
		l.fail(diag.DottedKey, t.SourceRange(), fmt.Sprintf("the key `%s` has a dot and no quotes", written), fmt.Sprintf("write %q", written))
		ok = false
	}
	if node, is := e.(hclsyntax.Node); is {
		_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
			call, is := n.(*hclsyntax.FunctionCallExpr)
			if !is || contains(functionNames, call.Name) {
				return nil
			}
			ok = false
			if call.Name == "credential" {
				l.fail(diag.NotYet, call.NameRange, "credential() is not yet available", "use a *_file attribute or a sensitive variable with env = …")
			} else {
				l.fail(diag.UnknownFunction, call.NameRange, fmt.Sprintf("there is no function `%s` at load time", call.Name), functionHint(call.Name))
			}
			return nil
		})
	}
	return ok
}

// dottedKey is a key of an object like agent.id, which HCL takes for a reference.
func (l *loader) dottedKey(e hcl.Expression) (written string, is bool) {
	key, is := e.(*hclsyntax.ObjectConsKeyExpr)
	if !is || key.ForceNonLiteral {
		return "", false
	}
	t, is := key.Wrapped.(*hclsyntax.ScopeTraversalExpr)
	if !is || len(t.Traversal) < 2 {
		return "", false
	}
	return reference(t.Traversal), true
}

// dottedKeys are where such keys stand in e.
func (l *loader) dottedKeys(e hcl.Expression) map[hcl.Range]bool {
	found := map[hcl.Range]bool{}
	if node, is := e.(hclsyntax.Node); is {
		_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
			if x, is := n.(hclsyntax.Expression); is {
				if _, is := l.dottedKey(x); is {
					found[n.Range()] = true
				}
			}
			return nil
		})
	}
	return found
}

func functionHint(name string) string {
	if n := nearest(name, functionNames); n != "" {
		return fmt.Sprintf("did you mean `%s`?", n)
	}
	return "what is done for each event stands in where or between {{ }}"
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// checkRoot reports a traversal that leads nowhere, and computes the local it names.
func (l *loader) checkRoot(t hcl.Traversal) bool {
	root, at := t.RootName(), t.SourceRange()
	name, known := "", false
	if len(t) > 1 {
		if step, is := t[1].(hcl.TraverseAttr); is {
			name, known = step.Name, true
		}
	}
	switch root {
	case "var":
		if _, declared := l.vars[name]; !declared && known {
			if l.incomplete {
				return false
			}
			l.fail(diag.UnknownVariable, at, fmt.Sprintf("there is no variable `%s`", name), didYouMean(name, l.varNames))
			return false
		}
	case "local":
		x, declared := l.locals[name]
		if !declared && known {
			if l.incomplete {
				return false
			}
			l.fail(diag.UnknownLocal, at, fmt.Sprintf("there is no local `%s`", name), didYouMean(name, l.localNames))
			return false
		}
		if declared {
			l.evaluateLocal(x)
		}
	case "each":
		switch {
		case l.each == nil:
			l.fail(diag.InvalidReference, at, fmt.Sprintf("`%s` means nothing here", reference(t)), "it stands in a source with for_each")
			return false
		case name != "key" && name != "value":
			l.fail(diag.InvalidReference, at, fmt.Sprintf("there is no `%s`", reference(t)), "write each.key or each.value")
			return false
		}
	case "connection":
		l.fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is a connection, and no value", reference(t)), "write connection = "+reference(t))
		return false
	case "source", "filter", "transform", "sink", "errors":
		l.fail(diag.InvalidReference, at, fmt.Sprintf("`%s` is a reference, and references stand in `from` only", reference(t)), "")
		return false
	default:
		l.fail(diag.UnknownName, at, fmt.Sprintf("`%s` means nothing here", reference(t)), fmt.Sprintf("a text has quotes: %q; a value is var.%s or local.%s", root, root, root))
		return false
	}
	if !known {
		l.fail(diag.InvalidReference, at, fmt.Sprintf("`%s` alone is no value", root), fmt.Sprintf("write %s.NAME", root))
		return false
	}
	return true
}

// contextFor holds what e may name.
func (l *loader) contextFor(e hcl.Expression) *hcl.EvalContext {
	locals := map[string]cty.Value{}
	for _, t := range e.Variables() {
		if t.RootName() == "local" && len(t) > 1 {
			if step, is := t[1].(hcl.TraverseAttr); is && l.locals[step.Name] != nil {
				locals[step.Name] = l.locals[step.Name].value
			}
		}
	}
	c := l.evaluation.NewChild()
	c.Variables = map[string]cty.Value{"local": cty.ObjectVal(locals), "var": l.evaluation.Variables["var"]}
	if l.each != nil {
		c.Variables["each"] = l.each.object()
	}
	return c
}

// usesWrong says whether e names something already complained of.
func (l *loader) usesWrong(e hcl.Expression) bool {
	for _, t := range e.Variables() {
		if len(t) < 2 {
			continue
		}
		step, is := t[1].(hcl.TraverseAttr)
		if !is {
			continue
		}
		v := cty.NilVal
		if x := l.vars[step.Name]; x != nil && t.RootName() == "var" {
			v = x.value
		}
		if x := l.locals[step.Name]; x != nil && t.RootName() == "local" {
			v = x.value
		}
		if t.RootName() == "each" && l.each != nil {
			v = l.each.value
		}
		if v != cty.NilVal {
			if _, bad := marked(v, wrong); bad {
				return true
			}
		}
	}
	return false
}

func (l *loader) explainEvaluation(e hcl.Expression, d *hcl.Diagnostic) diag.Diagnostic {
	at := e.Range()
	if d.Subject != nil && d.Subject.Filename == at.Filename {
		at = *d.Subject
	}
	out := diag.Diagnostic{Code: diag.Evaluation, Range: l.at(at), Message: sentence(d.Detail)}
	if out.Message == "" {
		out.Message = lower(d.Summary)
	}
	switch d.Summary {
	case "Not enough function arguments", "Too many function arguments", "Invalid function argument", "Error in function call", "Invalid expanding argument value":
		out.Code = diag.FunctionCall
		if _, what, is := strings.Cut(out.Message, "\" parameter: "); is {
			out.Message = what
		}
	}
	return out
}

// sentence is a message of HCL without the trimmings.
func sentence(s string) string {
	s, _, _ = strings.Cut(strings.ReplaceAll(s, "\n", " "), ". ")
	return lower(strings.TrimSpace(s))
}

// reference is a traversal as it is written.
func reference(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			switch s.Key.Type() {
			case cty.String:
				fmt.Fprintf(&b, "[%q]", s.Key.AsString())
			case cty.Number:
				fmt.Fprintf(&b, "[%s]", numberText(s.Key))
			}
		}
	}
	return b.String()
}

// follow is the expression that a value wholly comes from: that of the local
// or of the variable's default which e names, else e itself. One step only.
func (l *loader) follow(e hcl.Expression) hcl.Expression {
	t, is := unparen(e).(*hclsyntax.ScopeTraversalExpr)
	if !is || len(t.Traversal) != 2 {
		return e
	}
	step, is := t.Traversal[1].(hcl.TraverseAttr)
	if !is {
		return e
	}
	switch t.Traversal.RootName() {
	case "local":
		if x := l.locals[step.Name]; x != nil && x.expr != nil {
			return x.expr
		}
	case "var":
		if x := l.vars[step.Name]; x != nil && x.origin != nil {
			return x.origin
		}
	}
	return e
}

// attributes are those of a body in the order written.
func attributes(b *hclsyntax.Body) []*hclsyntax.Attribute {
	out := make([]*hclsyntax.Attribute, 0, len(b.Attributes))
	for _, a := range b.Attributes {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].SrcRange.Start.Byte < out[j].SrcRange.Start.Byte })
	return out
}
