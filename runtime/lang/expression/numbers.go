package expression

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/wazuh-etl/etl/runtime/document"
)

var numberFunctions = []function{
	{name: "int", args: "value", doc: "The number, or the text that is one (\"007\" is 7), without its fraction.", result: document.Number, call: toInt},
	{name: "float", args: "value", doc: "The number, or the text that is one.", result: document.Number, call: toFloat},
	{name: "abs", args: "number", doc: "The number without its sign.", call: func(f *frame, a []document.Value) document.Value {
		if order, ok := document.Compare(a[0], document.NewInt(0)); a[0].Kind() == document.Number && ok && order < 0 {
			return f.negative(a[0])
		}
		if a[0].Kind() == document.Duration {
			return document.NewDuration(a[0].Duration().Abs())
		}
		return f.positive(a[0])
	}},
	{name: "ceil", args: "number", doc: "The next whole number above.", result: document.Number, call: rounding(math.Ceil)},
	{name: "floor", args: "number", doc: "The next whole number below.", result: document.Number, call: rounding(math.Floor)},
	{name: "round", args: "number", doc: "The nearest whole number, halves away from zero.", result: document.Number, call: rounding(math.Round)},
	{name: "max", args: "value, more…", doc: "The largest of the arguments and of the items of lists among them; nil items are left out.", call: extreme(1)},
	{name: "min", args: "value, more…", doc: "The smallest of the arguments and of the items of lists among them; nil items are left out.", call: extreme(-1)},
	{name: "mean", args: "value, more…", doc: "The mean of the numbers among the arguments and in lists among them; nil of none.", result: document.Number, call: mean},
	{name: "median", args: "value, more…", doc: "The median of the numbers among the arguments and in lists among them; nil of none.", result: document.Number, call: median},
	{name: "bitand", args: "a, b", doc: "Bitwise and of whole numbers.", result: document.Number, call: bitwise(func(x, y int64) (int64, bool) { return x & y, true })},
	{name: "bitor", args: "a, b", doc: "Bitwise or.", result: document.Number, call: bitwise(func(x, y int64) (int64, bool) { return x | y, true })},
	{name: "bitxor", args: "a, b", doc: "Bitwise exclusive or.", result: document.Number, call: bitwise(func(x, y int64) (int64, bool) { return x ^ y, true })},
	{name: "bitnand", args: "a, b", doc: "Bitwise and with the complement of b.", result: document.Number, call: bitwise(func(x, y int64) (int64, bool) { return x &^ y, true })},
	{name: "bitnot", args: "a", doc: "Bitwise complement.", result: document.Number, call: func(f *frame, a []document.Value) document.Value {
		x, ok := a[0].Int64()
		if !ok {
			return f.nothing()
		}
		return document.NewInt(^x)
	}},
	{name: "bitshl", args: "a, bits", doc: "Shift to the left.", result: document.Number, call: bitwise(func(x, y int64) (int64, bool) { return x << uint64(y), y >= 0 })},
	{name: "bitshr", args: "a, bits", doc: "Shift to the right, keeping the sign.", result: document.Number, call: bitwise(func(x, y int64) (int64, bool) { return x >> uint64(y), y >= 0 })},
	{name: "bitushr", args: "a, bits", doc: "Shift to the right, filling with zeros.", result: document.Number, call: bitwise(func(x, y int64) (int64, bool) { return int64(uint64(x) >> uint64(y)), y >= 0 })},
}

func toInt(f *frame, args []document.Value) document.Value {
	v := args[0]
	written, ok := text(v)
	if !ok || !looksNumeric(written) {
		return f.nothing()
	}
	if !strings.ContainsAny(written, ".eE") {
		return whole(f, written)
	}
	x, err := strconv.ParseFloat(written, 64)
	if err != nil {
		return f.nothing()
	}
	x = math.Trunc(x)
	if math.Abs(x) >= 1<<63 {
		return whole(f, strconv.FormatFloat(x, 'f', 0, 64))
	}
	return document.NewInt(int64(x))
}

// whole is a whole number, which may have a plus or zeros in front.
func whole(f *frame, digits string) document.Value {
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	digits = strings.TrimLeft(strings.TrimPrefix(digits, "+"), "0")
	if digits == "" {
		sign, digits = "", "0"
	}
	v, ok := document.NewNumber(sign + digits)
	if !ok {
		return f.nothing()
	}
	return v
}

// looksNumeric keeps out what strconv also reads: hexadecimal, inf, nan, 1_000.
func looksNumeric(s string) bool {
	return s != "" && strings.Trim(s, "0123456789+-.eE") == "" && strings.ContainsAny(s, "0123456789")
}

func toFloat(f *frame, args []document.Value) document.Value {
	if args[0].Kind() == document.Number {
		return args[0]
	}
	written, ok := text(args[0])
	if !ok || !looksNumeric(written) {
		return f.nothing()
	}
	x, err := strconv.ParseFloat(written, 64)
	if err != nil {
		return f.nothing()
	}
	return number(x)
}

func rounding(round func(float64) float64) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		if args[0].Kind() != document.Number {
			return f.nothing()
		}
		if bigWhole(args[0]) != nil {
			return args[0]
		}
		x, ok := args[0].Float64()
		if !ok {
			return f.nothing()
		}
		return number(round(x))
	}
}

func bitwise(operation func(x, y int64) (int64, bool)) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		if x, y, ok := integers(args[0], args[1]); ok {
			if z, ok := operation(x, y); ok {
				return document.NewInt(z)
			}
		}
		return f.nothing()
	}
}

// flat calls do for the arguments, and for the items of lists among them, but
// for nil ones, until it gives false.
func flat(args []document.Value, do func(document.Value) bool) bool {
	for _, a := range args {
		switch a.Kind() {
		case document.Missing, document.Null:
		case document.Array:
			for v := range a.Elements() {
				if !flat([]document.Value{v}, do) {
					return false
				}
			}
		default:
			if !do(a) {
				return false
			}
		}
	}
	return true
}

func extreme(direction int) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		var best document.Value
		fits := flat(args, func(v document.Value) bool {
			if best.IsNil() {
				best = v
				_, ok := document.Compare(v, v)
				return ok
			}
			order, ok := document.Compare(v, best)
			if ok && order*direction > 0 {
				best = v
			}
			return ok
		})
		if !fits {
			return f.nothing()
		}
		return best
	}
}

// floats are the numbers among the arguments; ok is false if there is
// anything else.
func floats(f *frame, args []document.Value) (all []float64, ok bool) {
	ok = flat(args, func(v document.Value) bool {
		x, isNumber := v.Float64()
		all = append(all, x)
		return isNumber && f.spend(8)
	})
	return all, ok
}

func mean(f *frame, args []document.Value) document.Value {
	all, ok := floats(f, args)
	if !ok {
		return f.nothing()
	}
	sum := 0.0
	for _, x := range all {
		sum += x
	}
	return number(sum / float64(len(all)))
}

func median(f *frame, args []document.Value) document.Value {
	all, ok := floats(f, args)
	if !ok {
		return f.nothing()
	}
	if len(all) == 0 {
		return document.Value{}
	}
	slices.Sort(all)
	middle := len(all) / 2
	if len(all)%2 == 1 {
		return number(all[middle])
	}
	return number((all[middle-1] + all[middle]) / 2)
}
