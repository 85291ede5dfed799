package document

import (
	"bytes"
)

// Equal is the language's ==, total: nil equals only nil (Missing equals Null);
// numbers by exact decimal value; text by code point; a number equals a text
// that is its text as written; times by instant; arrays and objects
// member-wise (order of members does not count).
func Equal(a, b Value) bool {
	if a.kind != b.kind {
		switch {
		case a.kind == Number && b.kind == Text:
			return numberIsText(a, b)
		case a.kind == Text && b.kind == Number:
			return numberIsText(b, a)
		}
		return a.IsNil() && b.IsNil()
	}
	switch a.kind {
	case Bool, Duration:
		return a.bits == b.bits
	case Number:
		return orderNumbers(a, b) == 0
	case Text:
		return equalTexts(a, b)
	case Time:
		return a.Time().Equal(b.Time())
	case Array:
		return equalArrays(a, b)
	case Object:
		return equalObjects(a, b)
	default:
		return true
	}
}

// Compare orders number with number, number with a text that is a JSON number,
// text with text (by code point), time with time, duration with duration; ok
// is false for all else.
func Compare(a, b Value) (order int, ok bool) {
	switch {
	case a.kind == Number && b.kind == Number:
		return orderNumbers(a, b), true
	case a.kind == Text && b.kind == Text:
		return orderTexts(a, b), true
	case a.kind == Number && b.kind == Text:
		return orderNumberText(a, b)
	case a.kind == Text && b.kind == Number:
		order, ok = orderNumberText(b, a)
		return -order, ok
	case a.kind == Time && b.kind == Time:
		return a.Time().Compare(b.Time()), true
	case a.kind == Duration && b.kind == Duration:
		return compareInts(int64(a.bits), int64(b.bits)), true
	}
	return 0, false
}

func equalTexts(a, b Value) bool {
	if x, ok := a.plainText(); ok {
		if y, ok := b.plainText(); ok {
			return x == y
		}
	}
	return orderTexts(a, b) == 0
}

func orderTexts(a, b Value) int {
	var left, right [256]byte
	return bytes.Compare(a.textBytes(left[:0]), b.textBytes(right[:0]))
}

func orderNumbers(a, b Value) int {
	if a.form == integer && b.form == integer {
		return compareInts(int64(a.bits), int64(b.bits))
	}
	var left, right [32]byte
	return compareNumbers(a.numberText(&left), b.numberText(&right))
}

func orderNumberText(number, text Value) (order int, ok bool) {
	var left [32]byte
	var right [256]byte
	decoded := alias(text.textBytes(right[:0]))
	if !isNumber(decoded) {
		return 0, false
	}
	return compareNumbers(number.numberText(&left), decoded), true
}

func numberIsText(number, text Value) bool {
	var left [32]byte
	if x, ok := text.plainText(); ok {
		return x == number.numberText(&left)
	}
	var right [256]byte
	return number.numberText(&left) == string(text.textBytes(right[:0]))
}

// plainText is Text if that needs no decoding.
func (v Value) plainText() (string, bool) {
	switch v.form {
	case indexed:
		d, n := v.node()
		return alias(d.inside(n)), n.flags&(escaped|repair) == 0
	case quoted:
		return "", false
	default:
		return v.string(), true
	}
}

// textBytes is Text without allocation as long as the buffer is large enough.
func (v Value) textBytes(buffer []byte) []byte {
	if s, ok := v.plainText(); ok {
		return bytesOf(s)
	}
	return v.appendDecoded(buffer)
}

func equalArrays(a, b Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	other := cursor{array: b}
	for item := range a.Elements() {
		if !Equal(item, other.next()) {
			return false
		}
	}
	return true
}

// cursor steps through an array's elements.
type cursor struct {
	array Value
	at    uint32
}

func (c *cursor) next() Value {
	if c.array.form != indexed {
		c.at++
		return c.array.items()[c.at-1]
	}
	d := (*Document)(c.array.at)
	if c.at == 0 {
		c.at = uint32(c.array.bits) + 1
	}
	v := d.value(c.at)
	c.at = d.nodes[c.at].next
	return v
}

func equalObjects(a, b Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	get := b.Get
	if b.Len() > fewMembers {
		index := make(map[string]Value, b.Len())
		for name, member := range b.Members() {
			index[name] = member
		}
		get = func(name string) Value { return index[name] }
	}
	for name, member := range a.Members() {
		if other := get(name); other.kind == Missing || !Equal(member, other) {
			return false
		}
	}
	return true
}
