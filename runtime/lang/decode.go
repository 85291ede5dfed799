package lang

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
)

// decoding makes a component.Config of one block by its description.
type decoding struct {
	l     *loader
	what  string // how messages call the block
	cfg   *component.Config
	print *fingerprint
	// lenient: the component is disabled, so that what it needs may be missing.
	lenient bool
	ok      bool
	looks   *[]look // of all expressions and templates
}

// fingerprint is the hash of everything that decides what a component does.
type fingerprint struct{ hash.Hash }

func newFingerprint() *fingerprint { return &fingerprint{sha256.New()} }

func (p *fingerprint) add(name string, value any) { fmt.Fprintf(p, "%q=%q\n", name, fmt.Sprint(value)) }

func (p *fingerprint) sum() string { return hex.EncodeToString(p.Sum(nil)[:16]) }

// block decodes body. skip names attributes and blocks that the caller decodes.
func (d *decoding) block(body *hclsyntax.Body, header hcl.Range, attrs []component.Attr, blocks []component.BlockSpec, skip ...string) {
	l, cfg := d.l, d.cfg
	cfg.Values, cfg.Ranges, cfg.Unknown, cfg.Subs = map[string]any{}, map[string]diag.Range{"": l.at(header)}, map[string]bool{}, map[string]*component.Config{}
	cfg.Read = l.readFile
	known := append([]string(nil), skip...)
	byName := map[string]component.Attr{}
	for _, a := range attrs {
		known = append(known, a.Name)
		byName[a.Name] = a
	}
	var blockNames []string
	for _, b := range blocks {
		blockNames = append(blockNames, b.Name)
	}
	unknown := false
	for _, a := range attributes(body) {
		spec, is := byName[a.Name]
		if hint, later := notYetAttrs[a.Name]; later && !is && !contains(skip, a.Name) {
			d.fail(diag.NotYet, a.NameRange, fmt.Sprintf("`%s` of %s is not yet available", a.Name, d.what), hint)
			unknown = true
			continue
		}
		if !is {
			if !contains(skip, a.Name) {
				l.unknownAttribute(a, d.what, known, blockNames)
				d.ok, unknown = false, true
			}
			continue
		}
		cfg.Ranges[a.Name] = l.at(a.Expr.Range())
		d.ok = d.attribute(spec, a.Expr) && d.ok
	}
	d.innerBlocks(body, blocks, blockNames, known, skip)
	for _, a := range attrs {
		if _, written := body.Attributes[a.Name]; written && (cfg.Values[a.Name] != nil || cfg.Unknown[a.Name] || !d.ok) {
			continue
		}
		switch {
		case a.Default != nil:
			d.ok = d.setDefault(a) && d.ok
		case a.Required && !d.lenient && !unknown && !hasBlock(body, a.Name):
			d.fail(diag.MissingAttribute, header, fmt.Sprintf("%s has no `%s`", d.what, a.Name), "write "+a.Name+" = …")
		}
	}
}

// hasBlock says whether an attribute is written as a block, which is said already.
func hasBlock(body *hclsyntax.Body, name string) bool {
	for _, b := range body.Blocks {
		if b.Type == name {
			return true
		}
	}
	return false
}

// notYetAttrs are those of the language that this version doesn't have.
var notYetAttrs = map[string]string{
	"delivery": "delivery is at least once, and ids make it idempotent",
}

func (d *decoding) fail(code diag.Code, at hcl.Range, message, suggestion string) {
	d.ok = false
	d.l.fail(code, at, message, suggestion)
}

func (d *decoding) innerBlocks(body *hclsyntax.Body, blocks []component.BlockSpec, blockNames, attrNames, skip []string) {
	seen := map[string]hcl.Range{}
	for _, b := range body.Blocks {
		if contains(skip, b.Type) {
			continue
		}
		var spec *component.BlockSpec
		for i := range blocks {
			if blocks[i].Name == b.Type {
				spec = &blocks[i]
			}
		}
		if spec == nil {
			d.ok = false
			d.l.unknownBlock(b, d.what, blockNames, attrNames)
			continue
		}
		if before, twice := seen[b.Type]; twice {
			d.fail(diag.DuplicateBlock, b.TypeRange, fmt.Sprintf("there is a second `%s`", b.Type), "the first is at "+d.l.at(before).String())
			continue
		}
		seen[b.Type] = b.TypeRange
		if !d.l.checkLabels(b) {
			d.ok = false
			continue
		}
		d.inner(b, spec)
	}
}

// inner decodes a nested block: present means on, `enabled = false` inside
// switches it off.
func (d *decoding) inner(b *hclsyntax.Block, spec *component.BlockSpec) {
	on := true
	if a := b.Body.Attributes["enabled"]; a != nil {
		v, ok := d.l.evaluate(a.Expr)
		if !ok {
			d.ok = false
			return
		}
		if v, _ := v.UnmarkDeep(); v.IsKnown() && !v.IsNull() {
			x, err := d.scalar(component.Attr{Type: component.TypeBool}, v)
			if err != nil {
				d.refuse(a.Expr.Range(), err)
				return
			}
			on = x.(bool)
		}
	}
	sub := &decoding{
		l: d.l, what: fmt.Sprintf("`%s` of %s", spec.Name, d.what), print: d.print, lenient: d.lenient || !on, ok: true, looks: d.looks,
		cfg: &component.Config{Address: d.cfg.Address, Role: d.cfg.Role, Pipeline: d.cfg.Pipeline, Dir: d.cfg.Dir, State: d.cfg.State},
	}
	d.print.add("{", spec.Name)
	d.print.add("on", on)
	sub.block(b.Body, b.DefRange(), spec.Attrs, nil, "enabled")
	d.print.add("}", spec.Name)
	d.ok = d.ok && sub.ok
	if on {
		d.cfg.Subs[spec.Name] = sub.cfg
	}
}

// refuse reports what is wrong with a value.
func (d *decoding) refuse(at hcl.Range, err error) {
	d.ok = false
	for _, finding := range findings(err, d.l.at(at), diag.InvalidValue) {
		d.l.report(finding)
	}
}

// findings are the diagnostics in err; what is none becomes one at `at`.
func findings(err error, at diag.Range, code diag.Code) []diag.Diagnostic {
	var one diag.Diagnostic
	if several, is := err.(interface{ Unwrap() []error }); is {
		var all []diag.Diagnostic
		for _, e := range several.Unwrap() {
			all = append(all, findings(e, at, code)...)
		}
		return all
	}
	if !errors.As(err, &one) {
		return []diag.Diagnostic{{Code: code, Range: at, Message: err.Error()}}
	}
	if one.Range == (diag.Range{}) {
		one.Range = at
	}
	if one.Code == "" {
		one.Code = code
	}
	return []diag.Diagnostic{one}
}

// attribute decodes one attribute; null is the same as not written.
func (d *decoding) attribute(a component.Attr, e hclsyntax.Expression) bool {
	errors := len(d.l.list)
	var value any
	var ok bool
	switch a.Type {
	case component.TypeCode:
		value, ok = d.code(e)
	case component.TypeTemplate:
		value, ok = d.template(a, e, false)
	case component.TypePayload:
		value, ok = d.template(a, e, true)
	case component.TypeTemplates:
		value, ok = d.templates(a, e)
	default:
		value, ok = d.value(a, e)
	}
	if !ok {
		return false
	}
	if value == nil {
		return true
	}
	d.cfg.Values[a.Name] = value
	if a.Check != nil && !d.cfg.Unknown[a.Name] {
		if err := a.Check(value); err != nil {
			d.refuse(e.Range(), err)
			return false
		}
	}
	return len(d.l.list) == errors || !d.l.list[errors:].Failed()
}

// value decodes an attribute of load time.
func (d *decoding) value(a component.Attr, e hclsyntax.Expression) (any, bool) {
	v, ok := d.l.evaluate(e)
	if !ok {
		return nil, false
	}
	if a.Secret {
		d.l.noteSecrets(v.Mark(mark{kind: sensitive}))
	}
	if d.lacks(a, v) {
		return nil, true
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() {
		return nil, true
	}
	if a.Type == component.TypeAny {
		ordered, ok := d.ordered(e)
		if ok {
			d.print.add(a.Name, string(ordered.AppendJSON(nil)))
		}
		return ordered, ok
	}
	x, err := d.scalar(a, v)
	if err != nil {
		d.refuse(e.Range(), err)
		return nil, false
	}
	if a.Type == component.TypeReadPath {
		written, _ := textOf(v)
		return x, d.readPath(a, written, x.(string), e.Range())
	}
	if a.Name != "description" { // says nothing of what is done
		d.print.add(a.Name, x)
	}
	return x, true
}

// lacks notes that a value is made from a variable without one.
func (d *decoding) lacks(a component.Attr, v cty.Value) bool {
	if name, is := marked(v, lacking); is || !v.IsWhollyKnown() {
		d.cfg.Unknown[a.Name] = true
		d.print.add(a.Name, "unknown "+name)
		return true
	}
	return false
}

// ordered is a value as events see it, its objects in the order written.
func (d *decoding) ordered(e hcl.Expression) (document.Value, bool) {
	e = unparen(d.l.follow(e))
	switch e := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		var members []document.Member
		ok := d.members(e, func(name string, item hclsyntax.Expression) bool {
			v, ok := d.ordered(item)
			members = append(members, document.Member{Name: name, Value: v})
			return ok
		})
		return document.NewObject(members), ok
	case *hclsyntax.TupleConsExpr:
		var items []document.Value
		for _, item := range e.Exprs {
			v, ok := d.ordered(item)
			if !ok {
				return v, false
			}
			items = append(items, v)
		}
		return document.NewArray(items), true
	}
	v, ok := d.l.evaluate(e)
	if !ok {
		return document.Value{}, false
	}
	v, _ = v.UnmarkDeep()
	return toDocument(v), true
}

// members calls each for the members of an object in the order written.
func (d *decoding) members(e *hclsyntax.ObjectConsExpr, each func(name string, item hclsyntax.Expression) bool) bool {
	ok := true
	seen := map[string]bool{}
	for _, item := range e.Items {
		if src, is := d.l.dottedKey(item.KeyExpr); is {
			d.fail(diag.DottedKey, item.KeyExpr.Range(), fmt.Sprintf("the key `%s` has a dot and no quotes", src), fmt.Sprintf("write %q", src))
			ok = false
			continue
		}
		v, fine := d.l.evaluate(item.KeyExpr)
		if !fine {
			ok = false
			continue
		}
		v, _ = v.UnmarkDeep()
		name, err := textOf(v)
		switch {
		case err != nil:
			d.fail(diag.WrongType, item.KeyExpr.Range(), "a key must be a text", "")
			ok = false
		case seen[name]:
			d.fail(diag.DuplicateKey, item.KeyExpr.Range(), fmt.Sprintf("the key `%s` is here twice", name), "keep one of them")
			ok = false
		default:
			seen[name] = true
			ok = each(name, item.ValueExpr) && ok
		}
	}
	return ok
}

// setDefault is what an attribute has that is not written.
func (d *decoding) setDefault(a component.Attr) bool {
	name := a.Name
	switch a.Type {
	case component.TypeTemplate, component.TypePayload:
		t, problems := d.compile(a, a.Default.(string))
		if t == nil {
			panic(fmt.Sprintf("lang: the default of %s of %s: %v", name, d.what, problems))
		}
		d.cfg.Values[name] = t
		return true
	case component.TypeReadPath:
		d.cfg.Values[name] = d.l.absolute(a.Default.(string))
	case component.TypeWritePath:
		d.cfg.Values[name] = d.l.written(a.Default.(string))
	default:
		d.cfg.Values[name] = a.Default
	}
	return true
}

// boolOr is an attribute, or what holds where it is not written.
func boolOr(c *component.Config, name string, otherwise bool) bool {
	if !c.Has(name) {
		return otherwise
	}
	return c.Bool(name)
}

func durationOr(c *component.Config, name string, otherwise time.Duration) time.Duration {
	if !c.Has(name) {
		return otherwise
	}
	return c.Duration(name)
}
