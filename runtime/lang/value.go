package lang

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// setValue takes the value from the first place that has one.
func (l *loader) setValue(v *variable, fromFile *hclsyntax.Attribute) {
	refuse := func(at diag.Range, err error) {
		var s strangers
		if errors.As(err, &s) {
			l.refuseStrangers(s, at)
			return
		}
		l.report(diag.Diagnostic{Code: diag.VariableType, Range: at, Message: fmt.Sprintf("the value of var.%s %s", v.name, err)})
	}
	text := func(raw, from string) {
		x, err := v.parse(raw)
		if err != nil {
			refuse(diag.Range{File: from}, err)
			return
		}
		l.set(v, x)
	}
	if raw, ok := l.given[v.name]; ok {
		text(raw, "--var "+v.name)
		return
	}
	if fromFile != nil {
		if x, ok := l.constantOf(fromFile.Expr, v, refuse); ok {
			l.set(v, x)
		}
		return
	}
	for _, name := range v.environment() {
		if raw, ok := l.o.Env(name); ok {
			text(raw, "$"+name)
			return
		}
	}
	if v.fallback != nil {
		if x, ok := l.constantOf(v.fallback, v, refuse); ok {
			v.origin = v.fallback
			l.set(v, x)
		}
		return
	}
	if !l.o.Mode.strict() {
		l.set(v, lackingValue(v.typ, v.name))
		return
	}
	ways := []string{"--var " + v.name + "=…", "a --var-file"}
	for _, name := range v.environment() {
		ways = append(ways, "the environment variable "+name)
	}
	l.fail(diag.NoValue, v.block.DefRange(), fmt.Sprintf("the variable `%s` has no value", v.name), "give it one by "+strings.Join(ways, ", ")+", or by a default")
}

// environment names the environment variables that v is read from, in order.
func (v *variable) environment() []string {
	names := []string{"ETL_VAR_" + v.name}
	if v.env != "" {
		names = append(names, v.env)
	}
	return names
}

func (l *loader) set(v *variable, x cty.Value) {
	if v.sensitive {
		x = x.Mark(mark{kind: sensitive})
		l.noteSecrets(x)
	}
	v.value = x
}

func (l *loader) constantOf(e hclsyntax.Expression, v *variable, refuse func(diag.Range, error)) (cty.Value, bool) {
	if vars := e.Variables(); len(vars) > 0 {
		l.fail(diag.NotLiteral, vars[0].SourceRange(), "the value of a variable must be a constant", "what is made of other values is a local")
		return wrongValue, false
	}
	x, ok := l.evaluate(e)
	if !ok {
		return wrongValue, false
	}
	x, err := v.fit(x, e)
	if err != nil {
		refuse(l.at(e.Range()), err)
		return wrongValue, false
	}
	return x, true
}

// fit makes x, which is written as e, a value of the variable's type. e is nil where it is from no file.
func (v *variable) fit(x cty.Value, e hclsyntax.Expression) (cty.Value, error) {
	if s := strange(x, v.typ, e, "var."+v.name); len(s) > 0 {
		return wrongValue, s
	}
	if v.optional != nil && !x.IsNull() && x.IsKnown() {
		x = v.optional.Apply(x)
	}
	fitted, err := convert.Convert(x, v.typ)
	if err != nil {
		return wrongValue, fmt.Errorf("must be %s: %w", typeName(v.typ), err)
	}
	return fitted, nil
}

// parse reads a value from the command line or the environment.
func (v *variable) parse(raw string) (cty.Value, error) {
	t := v.typ
	switch {
	case raw == null:
		return cty.NullVal(t), nil
	case t == cty.String:
		return cty.StringVal(raw), nil
	case t.IsPrimitiveType():
		return v.fit(cty.StringVal(strings.TrimSpace(raw)), nil)
	case (t.IsListType() || t.IsSetType()) && t.ElementType().IsPrimitiveType() && !strings.HasPrefix(strings.TrimSpace(raw), "["):
		if strings.TrimSpace(raw) == "" {
			return v.fit(cty.EmptyTupleVal, nil)
		}
		var items []cty.Value
		for _, item := range strings.Split(raw, ",") {
			items = append(items, cty.StringVal(strings.TrimSpace(item)))
		}
		return v.fit(cty.TupleVal(items), nil)
	}
	e, diags := hclsyntax.ParseExpression([]byte(raw), "", hcl.InitialPos)
	if !diags.HasErrors() && len(e.Variables()) == 0 {
		var x cty.Value
		if x, diags = e.Value(nil); !diags.HasErrors() {
			return v.fit(x, nil)
		}
	}
	if t == cty.DynamicPseudoType {
		return cty.StringVal(raw), nil
	}
	return wrongValue, errors.New("must be " + typeName(t) + ", written as in a pipeline file")
}

// varFiles reads the --var-file, the last one's values winning.
func (l *loader) varFiles() map[string]*hclsyntax.Attribute {
	values := map[string]*hclsyntax.Attribute{}
	for _, name := range l.o.VarFiles {
		abs, err := filepath.Abs(name)
		if err == nil {
			var raw []byte
			if raw, err = l.o.FS.ReadFile(abs); err == nil {
				l.noteRead(abs)
				l.varFile(newFile(name, abs, raw), values)
				continue
			}
		}
		if os.IsNotExist(err) {
			err = errors.New("no such file")
		}
		l.report(diag.Diagnostic{Code: diag.FileUnreadable, Range: diag.Range{File: name}, Message: "reading the values of variables: " + reason(err)})
	}
	return values
}

func (l *loader) varFile(f *file, values map[string]*hclsyntax.Attribute) {
	l.files[f.name] = f
	bodies, _, list := f.parse()
	l.list = append(l.list, list...)
	for _, b := range bodies {
		for _, a := range attributes(b) {
			if l.vars[a.Name] == nil {
				l.fail(diag.UndeclaredValue, a.NameRange, fmt.Sprintf("there is no variable `%s`", a.Name), didYouMean(a.Name, l.varNames))
				continue
			}
			values[a.Name] = a
		}
		for _, block := range b.Blocks {
			l.fail(diag.UnknownBlock, block.DefRange(), "a file of values holds no blocks", "write NAME = VALUE lines")
		}
	}
}
