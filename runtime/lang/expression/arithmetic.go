package expression

import (
	"math"
	"math/big"
	"math/bits"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

// Whole numbers are added, subtracted and multiplied exactly, whatever their
// size; everything else is 64-bit floating point.

// number compiles a number as it is written.
func (c *compiler) number(n ast.Node) code {
	exact, ok := c.source.numbers[n.Location().From]
	if !ok {
		return c.problem(n, Unreadable, "this is not a number", "")
	}
	v, ok := document.NewNumber(exact)
	if !ok {
		return c.problem(n, Unreadable, "this is not a number", "")
	}
	return constant(v)
}

func (f *frame) add(a, b document.Value) document.Value {
	switch ka, kb := a.Kind(), b.Kind(); {
	case ka == document.Number && kb == document.Number:
		if x, y, ok := integers(a, b); ok {
			if sum := x + y; (sum > x) == (y > 0) {
				return document.NewInt(sum)
			}
		}
		return f.exact(a, b, (*big.Int).Add, func(x, y float64) float64 { return x + y })
	case ka == document.Text && kb == document.Text:
		return f.concat(a.Text(), b.Text())
	case ka == document.Time && kb == document.Duration:
		return document.NewTime(a.Time().Add(b.Duration()))
	case ka == document.Duration && kb == document.Time:
		return document.NewTime(b.Time().Add(a.Duration()))
	case ka == document.Duration && kb == document.Duration:
		return document.NewDuration(a.Duration() + b.Duration())
	}
	return f.nothing()
}

func (f *frame) concat(a, b string) document.Value {
	if !f.room(len(a) + len(b)) {
		return document.Value{}
	}
	return document.NewText(a + b)
}

func (f *frame) subtract(a, b document.Value) document.Value {
	switch ka, kb := a.Kind(), b.Kind(); {
	case ka == document.Number && kb == document.Number:
		if x, y, ok := integers(a, b); ok {
			if difference := x - y; (difference < x) == (y > 0) {
				return document.NewInt(difference)
			}
		}
		return f.exact(a, b, (*big.Int).Sub, func(x, y float64) float64 { return x - y })
	case ka == document.Time && kb == document.Time:
		return document.NewDuration(a.Time().Sub(b.Time()))
	case ka == document.Time && kb == document.Duration:
		return document.NewTime(a.Time().Add(-b.Duration()))
	case ka == document.Duration && kb == document.Duration:
		return document.NewDuration(a.Duration() - b.Duration())
	}
	return f.nothing()
}

func (f *frame) multiply(a, b document.Value) document.Value {
	switch ka, kb := a.Kind(), b.Kind(); {
	case ka == document.Number && kb == document.Number:
		if x, y, ok := integers(a, b); ok {
			high, low := bits.Mul64(magnitude(x), magnitude(y))
			if high == 0 && low <= math.MaxInt64 {
				return document.NewInt(x * y)
			}
		}
		return f.exact(a, b, (*big.Int).Mul, func(x, y float64) float64 { return x * y })
	case ka == document.Duration && kb == document.Number:
		return scale(f, a, b)
	case ka == document.Number && kb == document.Duration:
		return scale(f, b, a)
	}
	return f.nothing()
}

func scale(f *frame, duration, by document.Value) document.Value {
	if x, ok := by.Float64(); ok {
		return document.NewDuration(clampDuration(float64(duration.Duration()) * x))
	}
	return f.nothing()
}

// divide gives nil for a division by zero.
func (f *frame) divide(a, b document.Value) document.Value {
	y, ok := b.Float64()
	if b.Kind() == document.Duration {
		y, ok = float64(b.Duration()), true
	}
	switch a.Kind() {
	case document.Number:
		if x, fits := a.Float64(); fits && ok && b.Kind() == document.Number {
			return number(x / y)
		}
	case document.Duration:
		if ok && b.Kind() == document.Duration {
			return number(float64(a.Duration()) / y)
		}
		if ok && y != 0 {
			return document.NewDuration(clampDuration(float64(a.Duration()) / y))
		}
		if ok {
			return document.Value{}
		}
	}
	return f.nothing()
}

// modulo gives nil for a division by zero.
func (f *frame) modulo(a, b document.Value) document.Value {
	if x, y, ok := integers(a, b); ok {
		if y == 0 {
			return document.Value{}
		}
		if y == -1 {
			return document.NewInt(0)
		}
		return document.NewInt(x % y)
	}
	x, okX := a.Float64()
	y, okY := b.Float64()
	if !okX || !okY {
		return f.nothing()
	}
	return number(math.Mod(x, y))
}

func (f *frame) power(a, b document.Value) document.Value {
	x, okX := a.Float64()
	y, okY := b.Float64()
	if !okX || !okY {
		return f.nothing()
	}
	return number(math.Pow(x, y))
}

func (f *frame) negative(v document.Value) document.Value {
	switch v.Kind() {
	case document.Missing, document.Null:
		return document.Value{}
	case document.Number:
		written := v.Number()
		if rest, negative := strings.CutPrefix(written, "-"); negative {
			written = rest
		} else {
			written = "-" + written
		}
		minus, _ := document.NewNumber(written)
		return minus
	case document.Duration:
		return document.NewDuration(-v.Duration())
	}
	return f.nothing()
}

func (f *frame) positive(v document.Value) document.Value {
	switch v.Kind() {
	case document.Missing, document.Null, document.Number, document.Duration:
		return v
	}
	return f.nothing()
}

// span is a..b, both included.
func (f *frame) span(a, b document.Value) document.Value {
	first, last, ok := integers(a, b)
	if !ok {
		return f.nothing()
	}
	if last < first {
		return document.NewArray(nil)
	}
	count := uint64(last) - uint64(first) + 1
	if count == 0 || count > budget/elementCost {
		f.spend(budget + 1)
		return document.Value{}
	}
	if !f.spend(int(count) * elementCost) {
		return document.Value{}
	}
	items := make([]document.Value, count)
	for i := range items {
		items[i] = document.NewInt(first + int64(i))
	}
	return document.NewArray(items)
}

func integers(a, b document.Value) (x, y int64, ok bool) {
	x, okX := a.Int64()
	y, okY := b.Int64()
	return x, y, okX && okY
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// number is x as a value, a whole number without a fraction.
func number(x float64) document.Value {
	const safe = 1 << 53
	if x == math.Trunc(x) && x > -safe && x < safe {
		return document.NewInt(int64(x))
	}
	return document.NewFloat(x)
}

func clampDuration(x float64) time.Duration {
	switch {
	case x >= math.MaxInt64:
		return math.MaxInt64
	case x <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(x)
}

// exact computes with whole numbers of any size, or with floating point.
func (f *frame) exact(a, b document.Value, whole func(z, x, y *big.Int) *big.Int, floating func(x, y float64) float64) document.Value {
	if x, y := bigWhole(a), bigWhole(b); x != nil && y != nil {
		if !f.spend(len(a.Number()) + len(b.Number())) {
			return document.Value{}
		}
		v, _ := document.NewNumber(whole(new(big.Int), x, y).String())
		return v
	}
	x, okX := a.Float64()
	y, okY := b.Float64()
	if !okX || !okY {
		return f.nothing()
	}
	return number(floating(x, y))
}

// bigWhole is a whole number as it is written; nil if there is a fraction, an
// exponent, or more digits than anybody computes with.
func bigWhole(v document.Value) *big.Int {
	const most = 1000
	written := v.Number()
	if len(written) > most || strings.ContainsAny(written, ".eE") {
		return nil
	}
	n, ok := new(big.Int).SetString(written, 10)
	if !ok {
		return nil
	}
	return n
}
