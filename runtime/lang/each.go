package lang

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// each is what a source that for_each made sees as each.key and each.value.
type each struct{ key, value cty.Value }

func (e *each) object() cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"key": e.key, "value": e.value})
}

// explain says for which key an expression fails.
func (e *each) explain(d diag.Diagnostic, x hcl.Expression) diag.Diagnostic {
	if e == nil || !e.key.IsKnown() {
		return d
	}
	for _, t := range x.Variables() {
		if t.RootName() == "each" {
			d.Message += fmt.Sprintf(" (each.key is %q)", e.key.AsString())
			break
		}
	}
	return d
}

// placeholder is the each of a source whose keys are not known, or which has none.
func placeholder(v cty.Value) *each { return &each{v, v} }

// expandSources puts one source for each key in the place of a source with for_each.
func (l *loader) expandSources() {
	var order []*node
	for _, n := range l.order {
		if a := n.block.Body.Attributes["for_each"]; a != nil && n.Type == plan.Source {
			order = append(order, l.expand(n, a)...)
		} else {
			order = append(order, n)
		}
	}
	l.order = order
}

// expand makes the sources of n. Where there is none, or their keys can't be
// told, n itself stands for them: it is looked at all the same.
func (l *loader) expand(n *node, a *hclsyntax.Attribute) []*node {
	v, ok := l.evaluate(a.Expr)
	if ok && v.IsKnown() && v.IsNull() {
		return []*node{n}
	}
	n.repeated = true
	if !ok {
		n.bad, n.anyKey, n.each = true, true, placeholder(wrongValue)
		return []*node{n}
	}
	if lacks, unknown := l.unknownKeys(v); unknown {
		n.bad = !l.unknownValue(a.Expr.Range(), lacks)
		n.anyKey, n.each = true, placeholder(lackingValue(cty.DynamicPseudoType, lacks))
		return []*node{n}
	}
	all, err := eaches(v)
	if err != nil {
		for _, d := range findings(err, l.at(a.Expr.Range()), diag.InvalidValue) {
			l.report(d)
		}
		n.bad, n.anyKey, n.each = true, true, placeholder(wrongValue)
		return []*node{n}
	}
	if len(all) == 0 {
		n.off, n.each = true, placeholder(lackingValue(cty.DynamicPseudoType, ""))
		return []*node{n}
	}
	for _, e := range all {
		one := n.standIn(keyed(n.Address, e.key.AsString()))
		one.each = e
		l.nodes[one.Address] = one
		n.instances = append(n.instances, one)
	}
	return n.instances
}

// standIn is one of the sources that n may make.
func (n *node) standIn(address string) *node {
	one := &node{Node: &plan.Node{}, block: n.block, name: n.name, group: n}
	*one.Node = *n.Node
	one.Address, one.Group = address, n.Address
	return one
}

// keyed is the address of one of several sources.
func keyed(address, key string) string { return address + `["` + key + `"]` }

// all are the sources that for_each made of n, else n alone.
func (n *node) all() []*node {
	if len(n.instances) > 0 {
		return n.instances
	}
	return []*node{n}
}

// written is n's address as its block has it.
func (n *node) written() string {
	if n.group != nil {
		return n.group.Address
	}
	return n.Address
}

// unknownKeys says whether the keys in v can't be told, and which variable
// without value is the reason.
func (l *loader) unknownKeys(v cty.Value) (lacks string, unknown bool) {
	own, marks := v.Unmark()
	for m := range marks {
		if m, is := m.(mark); is && m.kind == lacking {
			return m.name, true
		}
	}
	if t := own.Type(); !own.IsKnown() || !t.IsObjectType() && !t.IsMapType() && !own.IsWhollyKnown() {
		lacks, _ = marked(v, lacking)
		return lacks, true
	}
	return "", false
}

// possibleKey says whether name can be a key, which is part of an address: that is quoted, logged and made a file
// name. (As a regular expression it would cost 2 ms at each start.)
func possibleKey(name string) bool {
	unfit := func(r rune) bool { return r == '"' || r == '\\' || unicode.Is(unicode.C, r) }
	n := utf8.RuneCountInString(name)
	return 1 <= n && n <= 64 && !strings.ContainsFunc(name, unfit)
}

// eaches are the pairs in v: those of an object or map, by key, or the items of
// a list, each of which is key and value.
func eaches(v cty.Value) ([]*each, error) {
	own, marks := v.Unmark()
	t := own.Type()
	pairs := t.IsObjectType() || t.IsMapType()
	if !pairs && !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
		return nil, wrongType("an object, or a list of texts", own, "")
	}
	secret := diag.Diagnostic{Code: diag.InvalidValue, Message: "a key must not be made of a secret: it is part of the source's address",
		Suggestion: "take the names from elsewhere, and the secret from var.NAME[each.key]"}
	for m := range marks {
		if m, is := m.(mark); is && m.kind == sensitive {
			return nil, secret
		}
	}
	var all []*each
	seen := map[string]bool{}
	for it := own.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if !pairs {
			if _, is := marked(value, sensitive); is {
				return nil, secret
			}
			key, _ = value.UnmarkDeep()
		}
		name, err := textOf(key)
		switch {
		case err != nil:
			return nil, diag.Diagnostic{Code: diag.WrongType, Message: "the items of this list must be texts", Suggestion: "an object, { NAME = … }, has a value of any type for each name"}
		case !possibleKey(name) || strings.Contains(name, "${") || strings.Contains(name, "%{"):
			return nil, diag.Diagnostic{Code: diag.InvalidValue, Message: fmt.Sprintf("`%s` can't be a key: it is part of the source's address", name),
				Suggestion: "a key has 1 to 64 characters that can be seen, without quotes, \\, ${ and %{"}
		case seen[name]:
			return nil, diag.Diagnostic{Code: diag.DuplicateKey, Message: fmt.Sprintf("the key `%s` is in for_each twice", name), Suggestion: "keep one of them"}
		}
		seen[name] = true
		if key = cty.StringVal(name); !pairs {
			value = key
		}
		all = append(all, &each{key, value})
	}
	return all, nil
}
