package sieve

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Range is the numbers from From to To, both included, either of which may be
// infinite. They are rounded, and so is what is compared with them: a number that is in
// the exact range is always in the rounded one.
type Range struct{ From, To float64 }

// Has says whether n, rounded, is in the range. A number that was not read is
// in every range.
func (r Range) Has(n float64) bool { return math.IsNaN(n) || r.From <= n && n <= r.To }

// Hull is the least range that r and o are in.
func (r Range) Hull(o Range) Range { return Range{min(r.From, o.From), max(r.To, o.To)} }

// String is r for people.
func (r Range) String() string {
	switch {
	case r.From == r.To:
		return fmt.Sprintf("the number %v", r.From)
	case math.IsInf(r.To, 1):
		return fmt.Sprintf("a number from %v on", r.From)
	case math.IsInf(r.From, -1):
		return fmt.Sprintf("a number up to %v", r.To)
	}
	return fmt.Sprintf("a number from %v to %v", r.From, r.To)
}

// longestNumber is how many bytes of a number are read.
const longestNumber = 32

// number is the rounded number that a member's value spells, NaN if that is too
// long to be read; ok is false for what is none.
func number(value []byte) (n float64, ok bool) {
	const exact = 15 // so many digits
	if 0 < len(value) && len(value) <= exact {
		whole := int64(0)
		for i, c := range value {
			if c-'0' > 9 {
				break
			}
			if whole = 10*whole + int64(c-'0'); i == len(value)-1 {
				return float64(whole), true
			}
		}
	}
	if len(value) > longestNumber {
		return math.NaN(), true
	}
	n, err := strconv.ParseFloat(string(value), 64)
	return n, err == nil || errors.Is(err, strconv.ErrRange)
}
