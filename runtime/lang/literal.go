package lang

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// What is done for each event is text that load time must leave alone: the
// cure for each kind of it.
var (
	inExpression = literalKind{"an expression", "nothing is filled in at load time: write var.NAME or local.NAME", `write it in quotes: "…"`}
	inCode       = literalKind{"code", "write `$${` or `%%{` for the characters themselves, put the code in a file (script = …), or hand values over by config", "write it as a heredoc: <<-LUA"}
)

type literalKind struct{ name, cure, form string }

// literal is the text of an expression that must be one: a literal, or wholly
// a variable or local. lacks is the variable without value that it comes from.
func (l *loader) literal(e hclsyntax.Expression, kind literalKind) (t *text, lacks string, ok bool) {
	if _, is := unparen(e).(*hclsyntax.ScopeTraversalExpr); is {
		return l.namedText(e, kind)
	}
	f := l.file(e)
	t, interpolated := f.literalText(e)
	switch {
	case t != nil:
		return t, "", true
	case interpolated != nil:
		l.refuseInterpolation(f, *interpolated, kind)
	default:
		l.fail(diag.NotLiteral, e.Range(), kind.name+" must be a text: a literal, or wholly a variable or local", kind.form)
	}
	return nil, "", false
}

func (l *loader) refuseInterpolation(f *file, at hcl.Range, kind literalKind) {
	cure := kind.cure
	src := f.src
	start, end := at.Start.Byte, at.End.Byte
	for start > 0 && start > at.Start.Byte-8 && src[start] != '$' && src[start] != '%' {
		start--
	}
	if rest := end + strings.IndexByte(string(src[end:min(len(src), end+8)]), '}'); rest >= end {
		end = rest + 1
	}
	inner := string(src[at.Start.Byte:at.End.Byte])
	if kind == inExpression && regexp.MustCompile(`^(var|local)\.\w+$`).MatchString(inner) {
		cure = "write " + inner
	}
	mark := "`${`"
	if start < len(src) && src[start] == '%' {
		mark = "`%{`"
	}
	l.report(diag.Diagnostic{Code: diag.Interpolation, Range: f.span(start, end), Message: mark + " has no meaning in " + kind.name, Suggestion: cure})
}

// namedText is a text that is wholly var.X or local.X: positions are those of
// the literal behind it, where there is one.
func (l *loader) namedText(e hclsyntax.Expression, kind literalKind) (t *text, lacks string, ok bool) {
	v, ok := l.evaluate(e)
	if !ok {
		return nil, "", false
	}
	if name, is := marked(v, lacking); is {
		return nil, name, true
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() {
		return nil, "", true
	}
	if v.Type() != cty.String {
		l.fail(diag.WrongType, e.Range(), "this must be a text, not "+typeName(v.Type()), "")
		return nil, "", false
	}
	if behind := l.follow(e); behind != hcl.Expression(e) {
		if t, _ := l.file(behind).literalText(behind); t != nil {
			return t, "", true
		}
	}
	return l.wholeText(e, v.AsString()), "", true
}

// wholeText is a computed text: all of it stands where e does.
func (l *loader) wholeText(e hcl.Expression, value string) *text {
	r := e.Range()
	t := &text{file: l.files[r.Filename]}
	t.addFlat(value, r.Start.Byte, r.End.Byte-r.Start.Byte)
	return t.done(false)
}

// condition compiles a `where`.
func (l *loader) condition(e hclsyntax.Expression) (c plan.Condition, t *text, ok bool) {
	t, lacks, ok := l.literal(e, inExpression)
	if !ok {
		return nil, nil, false
	}
	if lacks != "" {
		return nil, nil, l.unknownValue(e.Range(), lacks)
	}
	if t == nil {
		return nil, nil, true // null
	}
	program, problems := expression.Condition(t.value, *l.env)
	if !l.explain(t, problems, false) || program == nil {
		return nil, t, false
	}
	return program, t, true
}

// reads is what a condition sees of events.
func reads(c plan.Condition) []expression.Path {
	if p, is := c.(*expression.Program); is {
		return p.Reads()
	}
	return nil
}

// unknownValue complains of something that must be known, unless the plan is only looked at.
func (l *loader) unknownValue(at hcl.Range, name string) bool {
	if l.o.Mode == Graph {
		return true
	}
	l.fail(diag.UnknownValue, at, fmt.Sprintf("var.%s has no value here, and this can't do without", name), "give it one: --var, or vars of the test")
	return false
}

// explain reports the problems of an expression or template; ok says that it can be used.
func (l *loader) explain(t *text, problems []expression.Problem, template bool) (ok bool) {
	ok = true
	for _, p := range problems {
		d := diag.Diagnostic{Code: codes[p.Cause], Range: t.span(p.Start, p.End), Message: p.Message, Suggestion: p.Suggestion}
		switch {
		case p.Unknown == wrongName:
			ok = false
			continue
		case p.Unknown != "":
			if template || l.o.Mode == Graph {
				continue
			}
			d.Code = diag.UnknownValue
		case p.Warning:
			d.Severity = diag.Warning
		}
		ok = ok && d.Severity == diag.Warning
		l.report(d)
	}
	return ok
}

// codes are those of what is wrong with expressions and templates.
var codes = map[expression.Cause]diag.Code{
	expression.Unreadable:   diag.Expression,
	expression.NoFunction:   diag.NoFunction,
	expression.Arguments:    diag.Arguments,
	expression.NoVariable:   diag.UnknownVariable,
	expression.NoLocal:      diag.UnknownLocal,
	expression.NoName:       diag.UnknownName,
	expression.Binding:      diag.NotBinding,
	expression.Literal:      diag.Constant,
	expression.NoCondition:  diag.NoCondition,
	expression.Failing:      diag.AlwaysFails,
	expression.Form:         diag.Template,
	expression.Unlikely:     diag.UnlikelyExpr,
	expression.Minus:        diag.UnlikelyMinus,
	expression.PlainText:    diag.UnlikelyText,
	expression.NoMeta:       diag.NoMetaMember,
	expression.LooseNetwork: diag.LooseNetwork,
	expression.NotNil:       diag.NotNil,
}

// wrongName stands for the variable behind a local that could not be computed.
const wrongName = "\x00"

// expressionEnv is what expressions see of variables and locals.
func (l *loader) expressionEnv() *expression.Env {
	env := &expression.Env{Unknown: map[string]string{}, Now: l.now}
	object := func(prefix string, names []string, value func(string) cty.Value) document.Value {
		var members []document.Member
		for _, name := range names {
			v := value(name)
			if _, bad := marked(v, wrong); bad {
				env.Unknown[prefix+name] = wrongName
				continue
			}
			if lacks, is := marked(v, lacking); is || !v.IsWhollyKnown() {
				env.Unknown[prefix+name] = lacks
				continue
			}
			v, _ = v.UnmarkDeep()
			members = append(members, document.Member{Name: name, Value: toDocument(v)})
		}
		return document.NewObject(members)
	}
	env.Vars = object("var.", sortedKeys(l.vars), func(name string) cty.Value { return l.vars[name].value })
	env.Locals = object("local.", l.localNames, func(name string) cty.Value { return l.locals[name].value })
	return env
}

// now is the clock that expressions see: a test may set it.
func (l *loader) now() time.Time {
	if l.o.Mode == Test && len(l.plan.Tests) == 1 {
		return l.plan.Tests[0].Clock.Now()
	}
	return time.Now()
}

var named = regexp.MustCompile(`\b(var|local)\b(?:\s*\.\s*([a-z0-9_]+))?`)

// addExpression makes an expression, and the values of the variables and
// locals that it names, part of the fingerprint.
func (d *decoding) addExpression(name, source string) {
	d.print.add(name, source)
	for _, m := range named.FindAllStringSubmatch(source, -1) {
		root := d.l.env.Vars
		if m[1] == "local" {
			root = d.l.env.Locals
		}
		if m[2] != "" {
			root = root.Get(m[2])
		}
		d.print.add(m[0], string(root.AppendJSON(nil)))
	}
}

// code decodes literal text of another language.
func (d *decoding) code(e hclsyntax.Expression) (any, bool) {
	t, lacks, ok := d.l.literal(e, inCode)
	if !ok {
		return nil, false
	}
	if lacks != "" {
		return nil, d.l.unknownValue(e.Range(), lacks)
	}
	if t == nil {
		return nil, true
	}
	d.print.add("code", t.value)
	return &component.Code{Text: t.value, File: t.file.path, Position: t.position}, true
}
