package document

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// From converts nil, bool, the integers, floats, string, []byte (as text),
// json.Number, []any, []string, []Value, map[string]any and map[string]string
// (members sorted by name), Value, time.Time and time.Duration. Its error names
// the type that is none of these.
func From(x any) (Value, error) {
	switch x := x.(type) {
	case nil:
		return NewNull(), nil
	case Value:
		return x, nil
	case bool:
		return NewBool(x), nil
	case string:
		return NewText(x), nil
	case []byte:
		return NewText(string(x)), nil
	case int:
		return NewInt(int64(x)), nil
	case int8:
		return NewInt(int64(x)), nil
	case int16:
		return NewInt(int64(x)), nil
	case int32:
		return NewInt(int64(x)), nil
	case int64:
		return NewInt(x), nil
	case uint:
		return fromUint(uint64(x)), nil
	case uint8:
		return NewInt(int64(x)), nil
	case uint16:
		return NewInt(int64(x)), nil
	case uint32:
		return NewInt(int64(x)), nil
	case uint64:
		return fromUint(x), nil
	case float32:
		// Through text: 0.1 shall stay 0.1, not become 0.10000000149011612.
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64)
		return NewFloat(f), nil
	case float64:
		return NewFloat(x), nil
	case json.Number:
		v, ok := NewNumber(x.String())
		if !ok {
			return Value{}, fmt.Errorf("converting to a document: %q is not a JSON number", x.String())
		}
		return v, nil
	case time.Time:
		return NewTime(x), nil
	case time.Duration:
		return NewDuration(x), nil
	case []Value:
		return NewArray(slices.Clone(x)), nil
	case []any:
		return fromSlice(x)
	case []string:
		return fromSlice(x)
	case map[string]any:
		return fromMap(x)
	case map[string]string:
		return fromMap(x)
	}
	return Value{}, fmt.Errorf("converting to a document: a %T is no JSON value", x)
}

func fromUint(u uint64) Value {
	if u <= math.MaxInt64 {
		return NewInt(int64(u))
	}
	return ofString(Number, strconv.FormatUint(u, 10))
}

func fromSlice[T any](list []T) (Value, error) {
	items := make([]Value, len(list))
	for i, x := range list {
		var err error
		if items[i], err = From(x); err != nil {
			return Value{}, err
		}
	}
	return NewArray(items), nil
}

func fromMap[T any](m map[string]T) (Value, error) {
	members := make([]Member, 0, len(m))
	for name, x := range m {
		v, err := From(x)
		if err != nil {
			return Value{}, err
		}
		members = append(members, Member{Name: name, Value: v})
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return NewObject(members), nil
}

// Any converts to plain Go: nil, bool, string, []any, map[string]any,
// time.Time, time.Duration; a number becomes an int64 or a float64 if that is
// written as a number of the same value, else a json.Number.
func (v Value) Any() any {
	switch v.kind {
	case Bool:
		return v.IsTrue()
	case Number:
		return v.anyNumber()
	case Text:
		return v.Text()
	case Array:
		list := make([]any, 0, v.Len())
		for item := range v.Elements() {
			list = append(list, item.Any())
		}
		return list
	case Object:
		m := make(map[string]any, v.Len())
		for name, member := range v.Members() {
			m[name] = member.Any()
		}
		return m
	case Time:
		return v.Time()
	case Duration:
		return v.Duration()
	default:
		return nil
	}
}

func (v Value) anyNumber() any {
	if i, ok := v.Int64(); ok {
		return i
	}
	if f, ok := v.Float64(); ok && orderNumbers(v, NewFloat(f)) == 0 {
		return f
	}
	return json.Number(v.Number())
}
