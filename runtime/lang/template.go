package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/lang/template"
)

func (d *decoding) compile(a component.Attr, source string) (component.Template, []expression.Problem) {
	return template.Compile(source, template.Options{Env: *d.l.env, Place: a.Place, Address: a.Address})
}

// template decodes a per-event value; whole says that it may be an object or list.
func (d *decoding) template(a component.Attr, e hclsyntax.Expression, whole bool) (any, bool) {
	if !whole {
		v, ok := d.l.evaluate(e)
		if !ok {
			return nil, false
		}
		if t := v.Type(); !t.IsPrimitiveType() && t != cty.DynamicPseudoType {
			d.fail(diag.WrongType, e.Range(), "this must be a text, not "+typeName(t), "")
			return nil, false
		}
	}
	t, ok := d.tree(a, e)
	if !ok || t == nil {
		return nil, ok
	}
	return t, true
}

// templates decodes an object of per-event values whose keys are paths.
func (d *decoding) templates(a component.Attr, e hclsyntax.Expression) (any, bool) {
	o, is := unparen(d.l.follow(e)).(*hclsyntax.ObjectConsExpr)
	if !is {
		v, ok := d.l.evaluate(e)
		if ok && v.IsKnown() && v.IsNull() {
			return nil, true
		}
		if t := v.Type(); ok && (t.IsObjectType() || t.IsMapType()) && v.IsKnown() {
			return d.computedMembers(a, e, v)
		}
		if ok {
			d.fail(diag.WrongType, e.Range(), "this must be an object: { name = \"{{ … }}\" }", "")
		}
		return nil, false
	}
	list := []component.NamedTemplate{}
	ok := d.members(o, func(name string, item hclsyntax.Expression) bool {
		t, ok := d.nested(a, item)
		return d.addMember(a, &list, name, d.keyOf(o, item), t) && ok
	})
	return list, ok
}

// computedMembers are templates whose object load time made.
func (d *decoding) computedMembers(a component.Attr, e hclsyntax.Expression, v cty.Value) (any, bool) {
	list := []component.NamedTemplate{}
	if d.lacks(a, v) {
		return list, true
	}
	v, _ = v.UnmarkDeep()
	for it := v.ElementIterator(); it.Next(); {
		key, item := it.Element()
		t, ok := d.computed(a, e, item)
		if !ok || !d.addMember(a, &list, key.AsString(), e.Range(), t) {
			return nil, false
		}
	}
	return list, true
}

// addMember appends a member whose name is a path.
func (d *decoding) addMember(a component.Attr, list *[]component.NamedTemplate, name string, at hcl.Range, t component.Template) bool {
	path, err := template.SplitPath(name)
	if err != nil {
		d.fail(diag.InvalidValue, at, err.Error(), "")
		return false
	}
	d.print.add(a.Name, name)
	*list = append(*list, component.NamedTemplate{Name: name, Path: path, Template: t})
	return true
}

// keyOf is where the key of a member stands.
func (d *decoding) keyOf(o *hclsyntax.ObjectConsExpr, value hclsyntax.Expression) hcl.Range {
	for _, item := range o.Items {
		if item.ValueExpr == value {
			return item.KeyExpr.Range()
		}
	}
	return value.Range()
}

// tree is the template of a value: of a text, or of an object or list of them.
// It is nil if the value is null.
func (d *decoding) tree(a component.Attr, e hcl.Expression) (component.Template, bool) {
	behind := unparen(d.l.follow(e))
	switch x := behind.(type) {
	case *hclsyntax.ObjectConsExpr:
		d.print.add(a.Name, "{")
		var members []component.NamedTemplate
		ok := d.members(x, func(name string, item hclsyntax.Expression) bool {
			d.print.add(a.Name, name)
			t, ok := d.nested(a, item)
			members = append(members, component.NamedTemplate{Name: name, Path: []string{name}, Template: t})
			return ok
		})
		d.print.add(a.Name, "}")
		return template.Object(members), ok
	case *hclsyntax.TupleConsExpr:
		d.print.add(a.Name, "[")
		var items []component.Template
		ok := true
		for _, item := range x.Exprs {
			t, fine := d.nested(a, item)
			ok = ok && fine
			items = append(items, t)
		}
		d.print.add(a.Name, "]")
		return template.List(items), ok
	}
	v, ok := d.l.evaluate(e)
	if !ok {
		return nil, false
	}
	if name, is := marked(v, lacking); is || !v.IsWhollyKnown() {
		d.cfg.Unknown[a.Name] = true
		d.print.add(a.Name, "unknown "+name)
		return template.Constant(document.NewText("(var." + name + " has no value)")), true // tests and dry runs show what is missing
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() {
		return nil, true
	}
	if v.Type() == cty.String {
		return d.textTemplate(a, d.templateText(e, behind, v.AsString()))
	}
	return d.computed(a, e, v)
}

func (d *decoding) nested(a component.Attr, e hcl.Expression) (component.Template, bool) {
	t, ok := d.tree(a, e)
	if t == nil {
		t = template.Constant(document.NewNull())
	}
	return t, ok
}

// computed is the template of a value that load time made: texts in it are templates too.
func (d *decoding) computed(a component.Attr, e hcl.Expression, v cty.Value) (component.Template, bool) {
	switch t := v.Type(); {
	case v.IsNull() || t == cty.Number || t == cty.Bool:
		x := toDocument(v)
		d.print.add(a.Name, string(x.AppendJSON(nil)))
		return template.Constant(x), true
	case t == cty.String:
		return d.textTemplate(a, d.l.wholeText(e, v.AsString()))
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		d.print.add(a.Name, "[")
		var items []component.Template
		for _, item := range v.AsValueSlice() {
			x, ok := d.computed(a, e, item)
			if !ok {
				return nil, false
			}
			items = append(items, x)
		}
		return template.List(items), true
	default:
		d.print.add(a.Name, "{")
		var members []component.NamedTemplate
		for it := v.ElementIterator(); it.Next(); {
			key, item := it.Element()
			x, ok := d.computed(a, e, item)
			if !ok {
				return nil, false
			}
			d.print.add(a.Name, key.AsString())
			members = append(members, component.NamedTemplate{Name: key.AsString(), Path: []string{key.AsString()}, Template: x})
		}
		return template.Object(members), true
	}
}

// templateText is the text of a template with its places: what load time
// filled in stands where its ${…} does.
func (d *decoding) templateText(e, behind hcl.Expression, value string) *text {
	whole, is := behind.(*hclsyntax.TemplateExpr)
	f := d.l.files[behind.Range().Filename]
	if !is || f == nil {
		return d.l.wholeText(e, value)
	}
	t := &text{file: f}
	for _, p := range whole.Parts {
		if lit, is := p.(*hclsyntax.LiteralValueExpr); is && lit.Val.Type() == cty.String {
			f.addLiteral(t, whole, lit)
			continue
		}
		v, ok := d.l.evaluate(p)
		if !ok {
			return d.l.wholeText(e, value)
		}
		v, _ = v.UnmarkDeep()
		s, err := textOf(v)
		if err != nil {
			return d.l.wholeText(e, value)
		}
		r := p.Range()
		t.addFlat(s, r.Start.Byte, r.End.Byte-r.Start.Byte)
	}
	return t.done(f.isHeredoc(whole))
}

func (d *decoding) textTemplate(a component.Attr, t *text) (component.Template, bool) {
	d.addExpression(a.Name, t.value)
	x, problems := d.compile(a, t.value)
	if !d.l.explain(t, problems, true) || x == nil {
		return nil, false
	}
	*d.looks = append(*d.looks, look{t, template.Reads(x)})
	return x, true
}
