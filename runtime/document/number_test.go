package document

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

func number(t testing.TB, text string) Value {
	t.Helper()
	v, ok := NewNumber(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return v
}

func TestNumbersCompareByExactValue(t *testing.T) {
	huge := strings.Repeat("9", 60)
	tests := []struct {
		a, b string
		want int
	}{
		{"7", "7.0", 0},
		{"7", "7e0", 0},
		{"7", "70e-1", 0},
		{"7", "0.7E+1", 0},
		{"0", "-0", 0},
		{"0", "-0.000e-999999999999999999999", 0},
		{"0", "0e400000000", 0},
		{"-1", "1", -1},
		{"-2", "-1", -1},
		{"-1e3", "-1e2", -1},
		{"2", "10", -1},
		{"0.1", "0.09", 1},
		{"0.001", "1e-3", 0},
		{"1000", "1e3", 0},
		{"1001", "1e3", 1},
		{"12345678901234567890", "12345678901234567891", -1},
		{"12345678901234567890", "1234567890123456789e1", 0},
		{"9007199254740993", "9007199254740992", 1},
		{"0.1000000000000000000000000001", "0.1", 1},
		{"1e400000000", "1e400000001", -1},
		{"1e400000000", "10e399999999", 0},
		{"-1e400000000", "5", -1},
		{"1e-400000000", "0", 1},
		{"1e-400000000", "1e-400000001", 1},
		{"1e" + huge, "1e" + huge + "0", -1},
		{"1e" + huge, "10e" + huge[1:] + "8", 0},
		{"1e" + huge, "1.1e" + huge[1:] + "8", 1},
		{"1e1" + strings.Repeat("0", 40), "10e" + strings.Repeat("9", 40), 0},
		{"1e-1" + strings.Repeat("0", 40), "0.1e-" + strings.Repeat("9", 40), 0},
		{"1e" + huge, "1e-" + huge, 1},
		{"1e0000000000000000000000000000002", "100", 0},
	}
	for _, test := range tests {
		for _, sign := range []int{1, -1} {
			a, b := test.a, test.b
			if sign < 0 {
				a, b = b, a
			}
			if got, ok := Compare(number(t, a), number(t, b)); !ok || got != sign*test.want {
				t.Errorf("Compare(%s, %s) = %d, %v; want %d", a, b, got, ok, sign*test.want)
			}
			if got := Equal(number(t, a), number(t, b)); got != (test.want == 0) {
				t.Errorf("Equal(%s, %s) = %v", a, b, got)
			}
		}
	}
}

func TestNumbersAsIntegers(t *testing.T) {
	tests := []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"-0", 0, true},
		{"0.0e5", 0, true},
		{"7.0", 7, true},
		{"1e3", 1000, true},
		{"1.5e1", 15, true},
		{"1500e-2", 15, true},
		{"1.5", 0, false},
		{"1e-1", 0, false},
		{"9223372036854775807", math.MaxInt64, true},
		{"9223372036854775808", 0, false},
		{"-9223372036854775808", math.MinInt64, true},
		{"-9223372036854775809", 0, false},
		{"9223372036854775807.0", math.MaxInt64, true},
		{"1e18", 1e18, true},
		{"1e19", 0, false},
		{"1e400000000", 0, false},
		{"1e99999999999999999999999", 0, false},
		{"1e-99999999999999999999999", 0, false},
	}
	for _, test := range tests {
		if got, ok := number(t, test.text).Int64(); got != test.want || ok != test.ok {
			t.Errorf("Int64 of %s is %d, %v; want %d, %v", test.text, got, ok, test.want, test.ok)
		}
	}
	if _, ok := NewText("7").Int64(); ok {
		t.Error("a text is an integer")
	}
	if got, ok := NewFloat(5).Int64(); got != 5 || !ok {
		t.Errorf("Int64 of 5.0 is %d, %v", got, ok)
	}
}

func TestNumbersAsFloats(t *testing.T) {
	for text, want := range map[string]float64{"0.1": 0.1, "1e300": 1e300, "123456789012345678901234567890": 123456789012345678901234567890, "1e-999": 0} {
		if got, ok := number(t, text).Float64(); got != want || !ok {
			t.Errorf("Float64 of %s is %v, %v", text, got, ok)
		}
	}
	if _, ok := number(t, "1e999").Float64(); ok {
		t.Error("1e999 is a float64")
	}
}

func TestComputedNumbersAreWrittenAsEncodingJSONDoes(t *testing.T) {
	for _, f := range []float64{0, 1, -1, 0.1, 1e20, 1e21, 1e-6, 1e-7, 1.5e-9, 123456789, 1 << 53, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)} {
		want, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewFloat(f).Number(); got != string(want) {
			t.Errorf("%v is written %s, want %s", f, got, want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if NewFloat(f).Kind() != Null {
			t.Errorf("%v is no null", f)
		}
	}
	if !Equal(NewFloat(0.1), number(t, "0.10")) {
		t.Error("a computed 0.1 is not 0.10")
	}
}

func TestNotNumbers(t *testing.T) {
	for _, text := range []string{"", " 1", "1 ", "01", "1.", ".1", "+1", "1e", "0x1", "NaN", "Infinity", "1_000", "-", "٣"} {
		if _, ok := NewNumber(text); ok {
			t.Errorf("%q is a number", text)
		}
	}
}

// FuzzNumber holds order, Int64 and Any against math/big.
func FuzzNumber(f *testing.F) {
	f.Add("7", "7.0")
	f.Add("-1.50e2", "-150")
	f.Add("12345678901234567890", "1.234567890123456789e19")
	f.Add("0.00010", "1e-4")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, ok := NewNumber(a)
		if ok != (json.Valid([]byte(a)) && !strings.ContainsAny(a, " \t\r\n") && strings.ContainsAny(a[:1], "-0123456789")) {
			t.Fatalf("%q is a number: %v", a, ok)
		}
		y, isNumber := NewNumber(b)
		if !ok || !isNumber || !smallExponent(a) || !smallExponent(b) {
			return
		}
		r, _ := new(big.Rat).SetString(a)
		s, _ := new(big.Rat).SetString(b)
		if got, _ := Compare(x, y); got != r.Cmp(s) {
			t.Fatalf("Compare(%s, %s) = %d, want %d", a, b, got, r.Cmp(s))
		}
		i, ok := x.Int64()
		if fits := r.IsInt() && r.Num().IsInt64(); ok != fits || ok && cmp.Compare(i, r.Num().Int64()) != 0 {
			t.Fatalf("Int64 of %s is %d, %v", a, i, ok)
		}
		back, err := From(x.Any())
		if err != nil || !Equal(back, x) {
			t.Fatalf("%s comes back from Any as %v (%v)", a, back, err)
		}
	})
}

func smallExponent(text string) bool {
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return true
	}
	power, err := strconv.Atoi(text[i+1:])
	return err == nil && power > -500 && power < 500
}
