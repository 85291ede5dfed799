package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// stranger is an attribute in the value of a variable that its type does not know. A conversion
// would leave it out without a word.
type stranger struct {
	of    string     // what has it, as var.managers.west
	name  string     // the attribute
	known []string   // the attributes there are
	at    *hcl.Range // nil: the value is not from a file
}

// strangers is the error of a value that has some.
type strangers []stranger

func (s strangers) Error() string {
	var all []string
	for _, x := range s {
		all = append(all, x.message())
	}
	return strings.Join(all, "; ")
}

func (s stranger) message() string { return fmt.Sprintf("%s has no attribute `%s`", s.of, s.name) }

// refuseStrangers reports each of them, at its place or else at that of the value.
func (l *loader) refuseStrangers(s strangers, value diag.Range) {
	for _, x := range s {
		at := value
		if x.at != nil {
			at = l.at(*x.at)
		}
		l.report(diag.Diagnostic{Code: diag.UnknownAttribute, Range: at, Message: x.message(), Suggestion: didYouMean(x.name, x.known)})
	}
}

// strange finds what the type t does not know in x, at any depth. e is what x is written as, nil
// where that has no place; path is what x is called.
func strange(x cty.Value, t cty.Type, e hclsyntax.Expression, path string) (found strangers) {
	x, _ = x.Unmark()
	if !x.IsKnown() || x.IsNull() || !x.CanIterateElements() || t == cty.DynamicPseudoType {
		return nil
	}
	named := x.Type().IsObjectType() || x.Type().IsMapType()
	for i, elements := 0, x.ElementIterator(); elements.Next(); i++ {
		key, value := elements.Element()
		switch {
		case named && t.IsObjectType():
			name := key.AsString()
			written, at := member(e, name)
			if t.HasAttribute(name) {
				found = append(found, strange(value, t.AttributeType(name), written, path+step(name))...)
				continue
			}
			known := sortedKeys(t.AttributeTypes())
			found = append(found, stranger{of: path, name: name, known: known, at: at})
		case named && t.IsMapType():
			name := key.AsString()
			written, _ := member(e, name)
			found = append(found, strange(value, t.ElementType(), written, path+step(name))...)
		case t.IsListType() || t.IsSetType():
			found = append(found, strange(value, t.ElementType(), item(e, i), fmt.Sprintf("%s[%d]", path, i))...)
		case t.IsTupleType() && i < t.Length():
			found = append(found, strange(value, t.TupleElementType(i), item(e, i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return found
}

// step is how the member of this name is written behind what has it.
func step(name string) string {
	if hclsyntax.ValidIdentifier(name) {
		return "." + name
	}
	return fmt.Sprintf("[%q]", name)
}

// member is what is written for a name in an object, and where the name is; nil where it can't be told.
func member(e hclsyntax.Expression, name string) (hclsyntax.Expression, *hcl.Range) {
	object, ok := bare(e).(*hclsyntax.ObjectConsExpr)
	if !ok {
		return nil, place(e)
	}
	for _, i := range slices.Backward(object.Items) { // the last of two counts
		key, diags := i.KeyExpr.Value(nil)
		if key, _ = key.Unmark(); !diags.HasErrors() && key.Type() == cty.String && key.IsKnown() && !key.IsNull() && key.AsString() == name {
			return i.ValueExpr, place(i.KeyExpr)
		}
	}
	return nil, place(e)
}

// item is what is written as the i-th of a list; nil where it can't be told.
func item(e hclsyntax.Expression, i int) hclsyntax.Expression {
	if list, ok := bare(e).(*hclsyntax.TupleConsExpr); ok && i < len(list.Exprs) {
		return list.Exprs[i]
	}
	return nil
}

func bare(e hclsyntax.Expression) hclsyntax.Expression {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return e
		}
		e = p.Expression
	}
}

func place(e hclsyntax.Expression) *hcl.Range {
	if e == nil {
		return nil
	}
	at := e.Range()
	return &at
}
