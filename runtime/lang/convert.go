package lang

import (
	"math/big"

	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/document"
)

// toDocument is a load-time value, known and without marks, as events see it.
func toDocument(v cty.Value) document.Value {
	if v.IsNull() || !v.IsKnown() {
		return document.NewNull()
	}
	switch t := v.Type(); {
	case t == cty.String:
		return document.NewText(v.AsString())
	case t == cty.Bool:
		return document.NewBool(v.True())
	case t == cty.Number:
		n, ok := document.NewNumber(numberText(v))
		if !ok {
			return document.NewNull() // infinite
		}
		return n
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		items := make([]document.Value, 0, v.LengthInt())
		for _, item := range v.AsValueSlice() {
			items = append(items, toDocument(item))
		}
		return document.NewArray(items)
	case t.IsObjectType() || t.IsMapType():
		members := make([]document.Member, 0, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			key, item := it.Element()
			members = append(members, document.Member{Name: key.AsString(), Value: toDocument(item)})
		}
		return document.NewObject(members)
	}
	return document.NewNull()
}

// numberText is a number as people write it.
func numberText(v cty.Value) string {
	f := v.AsBigFloat()
	if f.MantExp(nil) > 4096 { // nobody reads that many digits
		return f.Text('e', -1)
	}
	if f.IsInt() {
		i, _ := f.Int(new(big.Int))
		return i.String()
	}
	return f.Text('f', -1)
}
