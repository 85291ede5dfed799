package lang

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

func wrongType(wanted string, v cty.Value, suggestion string) error {
	return diag.Diagnostic{Code: diag.WrongType, Message: fmt.Sprintf("this must be %s, not %s", wanted, typeName(v.Type())), Suggestion: suggestion}
}

// textOf is a text, or the text of a number or boolean.
func textOf(v cty.Value) (string, error) {
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return "", wrongType("a text", v, "")
	}
	return s.AsString(), nil
}

// scalar is v, which is known, without marks and not null, as the accessor of
// the attribute's type gives it.
func (d *decoding) scalar(a component.Attr, v cty.Value) (any, error) {
	switch a.Type {
	case component.TypeString:
		return textOf(v)
	case component.TypeReadPath:
		s, err := textOf(v)
		if err == nil && s == "" {
			err = diag.Diagnostic{Code: diag.InvalidValue, Message: "the path is empty"}
		}
		return d.l.absolute(s), err
	case component.TypeWritePath:
		s, err := textOf(v)
		if err == nil && s == "" {
			err = diag.Diagnostic{Code: diag.InvalidValue, Message: "the path is empty"}
		}
		return d.l.written(s), err
	case component.TypeEnum:
		s, err := textOf(v)
		if err == nil && !contains(a.Enum, s) {
			err = diag.Diagnostic{Code: diag.NotInEnum, Message: fmt.Sprintf("`%s` is none of the possible values", s), Suggestion: didYouMean(s, a.Enum)}
		}
		return s, err
	case component.TypeBool:
		b, err := convert.Convert(v, cty.Bool)
		if err != nil {
			return nil, wrongType("true or false", v, "")
		}
		return b.True(), nil
	case component.TypeCount:
		n, err := convert.Convert(v, cty.Number)
		if err != nil {
			return nil, wrongType("a number", v, "")
		}
		i, accuracy := n.AsBigFloat().Int64()
		if accuracy != big.Exact || i < 0 || i > math.MaxInt32 {
			return nil, diag.Diagnostic{Code: diag.OutOfRange, Message: "this must be a whole number from 0 to 2147483647"}
		}
		return int(i), nil
	case component.TypeNumber:
		n, err := convert.Convert(v, cty.Number)
		if err != nil {
			return nil, wrongType("a number", v, "")
		}
		f, _ := n.AsBigFloat().Float64()
		return f, nil
	case component.TypeDuration:
		return unit(a.Type, v, ParseDuration)
	case component.TypeSize:
		return unit(a.Type, v, ParseSize)
	case component.TypeRate:
		return unit(a.Type, v, ParseRate)
	case component.TypeStrings:
		return textList(v)
	}
	panic(fmt.Sprintf("lang: %s is declared as %q", a.Name, a.Type))
}

// unit is a value with a unit.
func unit[T any](t component.Type, v cty.Value, parse func(string) (T, error)) (any, error) {
	if v.Type() == cty.Number {
		n := numberText(v)
		return nil, diag.Diagnostic{Code: diag.BareNumber, Message: fmt.Sprintf("%s has no unit: this must be %s", n, unitExamples[t]), Suggestion: fmt.Sprintf("write %q", n+unitFor[t])}
	}
	if v.Type() != cty.String {
		return nil, wrongType(unitExamples[t], v, "")
	}
	x, err := parse(v.AsString())
	switch {
	case errors.Is(err, errUnit):
		return nil, diag.Diagnostic{Code: diag.WrongUnit, Message: fmt.Sprintf("`%s` is not %s", v.AsString(), unitExamples[t])}
	case err != nil:
		return nil, diag.Diagnostic{Code: diag.OutOfRange, Message: fmt.Sprintf("`%s` is %s", v.AsString(), err)}
	}
	return x, nil
}

func textList(v cty.Value) (any, error) {
	if t := v.Type(); !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
		suggestion := ""
		if s, err := textOf(v); err == nil {
			suggestion = fmt.Sprintf("write [%q]", s)
		}
		return nil, wrongType("a list of texts", v, suggestion)
	}
	list := make([]string, 0, v.LengthInt())
	for _, item := range v.AsValueSlice() {
		s, err := textOf(item)
		if err != nil {
			return nil, wrongType("a list of texts", v, "")
		}
		list = append(list, s)
	}
	return list, nil
}
