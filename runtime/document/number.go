package document

import (
	"math"
	"strconv"
)

// Number is a number's text as written; "" for every other kind. A computed
// one is written as AppendJSON writes it.
func (v Value) Number() string {
	if v.kind != Number {
		return ""
	}
	switch v.form {
	case indexed:
		d, n := v.node()
		return alias(d.bytes(n))
	case computed:
		return v.string()
	default:
		return string(v.appendNumber(nil))
	}
}

// Int64 is v as an integer: ok is false unless v is a Number whose exact value
// an int64 holds. 7.0 and 7e0 are 7.
func (v Value) Int64() (i int64, ok bool) {
	switch {
	case v.kind != Number:
		return 0, false
	case v.form == integer:
		return int64(v.bits), true
	}
	var buffer [32]byte
	text := v.numberText(&buffer)
	if i, ok := shortInteger(text); ok {
		return i, true
	}
	return parseDecimal(text).int64()
}

// Float64 is the float64 nearest to v: ok is false if v is not a Number, or
// out of range.
func (v Value) Float64() (f float64, ok bool) {
	switch {
	case v.kind != Number:
		return 0, false
	case v.form == integer:
		return float64(int64(v.bits)), true
	case v.form == floating:
		return math.Float64frombits(v.bits), true
	}
	f, err := strconv.ParseFloat(v.Number(), 64)
	return f, err == nil
}

// numberText is Number without allocation: of a computed number it is in buffer.
func (v Value) numberText(buffer *[32]byte) string {
	if v.form == integer || v.form == floating {
		return alias(v.appendNumber(buffer[:0]))
	}
	return v.Number()
}

// appendNumber appends a number's text.
func (v Value) appendNumber(dst []byte) []byte {
	switch v.form {
	case integer:
		return strconv.AppendInt(dst, int64(v.bits), 10)
	case floating:
		return appendFloat(dst, math.Float64frombits(v.bits))
	default:
		return append(dst, v.Number()...)
	}
}

// appendFloat writes f as encoding/json does: the shortest text, with an
// exponent only for the very large and the very small.
func appendFloat(dst []byte, f float64) []byte {
	format, size := byte('f'), math.Abs(f)
	if size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if n := len(dst); format == 'e' && n >= 4 && dst[n-4] == 'e' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1] // e-09 to e-9
		dst = dst[:n-1]
	}
	return dst
}

// isNumber reports whether text is a number in JSON's grammar.
func isNumber(text string) bool {
	if text == "" || text[0] != '-' && text[0]-'0' > 9 {
		return false
	}
	end, err := scanNumber(bytesOf(text), 0)
	return err == nil && end == len(text)
}

// shortInteger reads an integer of at most 18 digits; ok is false for all else.
func shortInteger(text string) (i int64, ok bool) {
	digits := text
	if digits != "" && digits[0] == '-' {
		digits = digits[1:]
	}
	if digits == "" || len(digits) > 18 {
		return 0, false
	}
	for _, c := range []byte(digits) {
		if c-'0' > 9 {
			return 0, false
		}
		i = i*10 + int64(c-'0')
	}
	if len(digits) < len(text) {
		i = -i
	}
	return i, true
}

// compareNumbers orders two numbers' texts by exact value.
func compareNumbers(a, b string) int {
	if x, ok := shortInteger(a); ok {
		if y, ok := shortInteger(b); ok {
			return compareInts(x, y)
		}
	}
	return parseDecimal(a).compare(parseDecimal(b))
}

func compareInts(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}
