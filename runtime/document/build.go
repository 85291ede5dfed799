package document

import (
	"math"
	"time"
	"unsafe"
)

// NewNull is JSON's null.
func NewNull() Value { return Value{kind: Null} }

// NewBool is true or false.
func NewBool(b bool) Value {
	if b {
		return Value{kind: Bool, bits: 1}
	}
	return Value{kind: Bool}
}

// NewInt is a Number, written in decimal.
func NewInt(i int64) Value { return Value{kind: Number, form: integer, bits: uint64(i)} }

// NewFloat is a Number, written as the shortest decimal that reads as f again;
// that decimal is its exact value for Equal and Compare. NaN and infinities,
// which JSON doesn't have, are Null.
func NewFloat(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return NewNull()
	}
	return Value{kind: Number, form: floating, bits: math.Float64bits(f)}
}

// NewText is a text: s, with U+FFFD for each byte that is not UTF-8.
func NewText(s string) Value { return ofString(Text, valid(s)) }

// NewQuoted is the text that s is when it stands between quotes in JSON. s must
// be as AppendJSON writes it: it goes out as it is.
func NewQuoted(s string) Value {
	v := ofString(Text, s)
	v.form = quoted
	return v
}

// NewNumber is the number that text spells in JSON's grammar, kept to the
// letter; ok is false if it spells none.
func NewNumber(text string) (v Value, ok bool) {
	if !isNumber(text) {
		return Value{}, false
	}
	return ofString(Number, text), true
}

// NewArray is an array of items, of which it takes ownership.
func NewArray(items []Value) Value {
	return Value{kind: Array, at: unsafe.Pointer(unsafe.SliceData(items)), bits: uint64(len(items))}
}

// NewObject is an object of members, of which it takes ownership. Of members
// of the same name only the last remains, at its place.
func NewObject(members []Member) Value {
	for i := range members {
		members[i].Name = valid(members[i].Name)
	}
	return ofMembers(withoutDuplicates(members))
}

// NewTime is an instant with its zone.
func NewTime(t time.Time) Value { return Value{kind: Time, at: unsafe.Pointer(&t)} }

// NewDuration is a length of time.
func NewDuration(d time.Duration) Value { return Value{kind: Duration, bits: uint64(d)} }

func ofString(kind Kind, s string) Value {
	return Value{kind: kind, at: unsafe.Pointer(unsafe.StringData(s)), bits: uint64(len(s))}
}

func ofMembers(members []Member) Value {
	return Value{kind: Object, at: unsafe.Pointer(unsafe.SliceData(members)), bits: uint64(len(members))}
}

// withoutDuplicates works in place, and only if there are some.
func withoutDuplicates(members []Member) []Member {
	if !hasDuplicates(members) {
		return members
	}
	last := make(map[string]int, len(members))
	for i, m := range members {
		last[m.Name] = i
	}
	kept := members[:0]
	for i, m := range members {
		if last[m.Name] == i {
			kept = append(kept, m)
		}
	}
	return kept
}

func hasDuplicates(members []Member) bool {
	if len(members) > fewMembers {
		seen := make(map[string]struct{}, len(members))
		for i := range members {
			seen[members[i].Name] = struct{}{}
		}
		return len(seen) < len(members)
	}
	for i := range members {
		if find(members[:i], members[i].Name) >= 0 {
			return true
		}
	}
	return false
}
