package document

import (
	"cmp"
	"math"
	"strings"
)

// decimal is a number taken apart, exact and without expanding its exponent:
// ±0.DIGITS × 10^(point+exponent), DIGITS being whole and part, one behind the
// other, with neither leading nor trailing zeros. Zero has no digits.
type decimal struct {
	negative    bool
	whole, part string
	point       int64
	exponent    exponent
}

// exponent is a decimal integer of any length, as text.
type exponent struct {
	negative bool
	digits   string // without leading zeros
}

// parseDecimal takes a number of JSON's grammar apart.
func parseDecimal(text string) decimal {
	var d decimal
	text, d.negative = strings.CutPrefix(text, "-")
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		power, negative := strings.CutPrefix(text[i+1:], "-")
		power = strings.TrimLeft(strings.TrimPrefix(power, "+"), "0")
		d.exponent = exponent{negative: negative && power != "", digits: power}
	}
	whole, part, _ := strings.Cut(mantissa, ".")
	whole = strings.TrimLeft(whole, "0")
	d.point = int64(len(whole))
	if whole == "" {
		trimmed := strings.TrimLeft(part, "0")
		d.point = int64(len(trimmed) - len(part))
		part = trimmed
	}
	part = strings.TrimRight(part, "0")
	if part == "" {
		whole = strings.TrimRight(whole, "0")
	}
	if whole == "" && part == "" {
		return decimal{}
	}
	d.whole, d.part = whole, part
	return d
}

func (d decimal) isZero() bool { return d.len() == 0 }

func (d decimal) len() int { return len(d.whole) + len(d.part) }

func (d decimal) digit(i int) byte {
	if i < len(d.whole) {
		return d.whole[i]
	}
	return d.part[i-len(d.whole)]
}

func (d decimal) compare(e decimal) int {
	if s := cmp.Compare(d.sign(), e.sign()); s != 0 || d.isZero() {
		return s
	}
	order := cmp.Compare(d.exponent.minus(e.exponent)+d.point-e.point, 0)
	if order == 0 {
		order = d.compareDigits(e)
	}
	if d.negative {
		return -order
	}
	return order
}

func (d decimal) sign() int {
	switch {
	case d.isZero():
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

func (d decimal) compareDigits(e decimal) int {
	for i := range min(d.len(), e.len()) {
		if order := cmp.Compare(d.digit(i), e.digit(i)); order != 0 {
			return order
		}
	}
	return cmp.Compare(d.len(), e.len())
}

// int64 is d's value, if it is an integer and an int64 holds it.
func (d decimal) int64() (int64, bool) {
	if d.isZero() {
		return 0, true
	}
	places := d.exponent.minus(exponent{}) + d.point
	if places > 19 || int64(d.len()) > places {
		return 0, false
	}
	var size uint64 // 19 digits always fit
	for i := range int(places) {
		size *= 10
		if i < d.len() {
			size += uint64(d.digit(i) - '0')
		}
	}
	switch {
	case d.negative && size <= 1<<63:
		return -int64(size), true
	case !d.negative && size <= math.MaxInt64:
		return int64(size), true
	}
	return 0, false
}

// farApart is a difference of exponents that no difference of points (which are
// offsets into documents, below 2^32) can make up for.
const farApart = 1 << 40

// minus is e-f, cut to ±farApart.
func (e exponent) minus(f exponent) int64 {
	if f.digits == "" {
		f.negative = e.negative
	}
	if e.digits == "" {
		e.negative = f.negative
	}
	sign := int64(1)
	if e.negative {
		sign = -1
	}
	weight := int64(-1) // of f's digits
	if e.negative != f.negative {
		weight = 1
	}
	// From the most significant digit on. Past farApart what follows can't turn
	// the sign any more: it takes away less than one of the last place.
	var difference int64
	for i := max(len(e.digits), len(f.digits)); i > 0; i-- {
		difference = difference*10 + e.place(i) + weight*f.place(i)
		if difference >= farApart || difference <= -farApart {
			difference = min(max(difference, -farApart), farApart)
			break
		}
	}
	return sign * difference
}

// place is the i-th digit from the right, counted from 1; 0 beyond the first.
func (e exponent) place(i int) int64 {
	if i > len(e.digits) {
		return 0
	}
	return int64(e.digits[len(e.digits)-i] - '0')
}
