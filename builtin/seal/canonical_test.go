package seal

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

func value(t testing.TB, text string) document.Value {
	t.Helper()
	d, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func formOf(t testing.TB, text string) string {
	t.Helper()
	form, err := canonical(nil, value(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return string(form)
}

// The examples of RFC 8785, sections 3.2.2 and 3.2.3, to the byte.
func TestCanonicalAsInTheRFC(t *testing.T) {
	got := formOf(t, `{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`)
	want, err := hex.DecodeString(strings.Join(strings.Fields(`
7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72
73 22 3a 5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32
2c 31 65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c
5c 5c 5c 22 2f 22 7d`), ""))
	if err != nil || got != string(want) {
		t.Errorf("got  %s\nwant %s, %v", got, want, err)
	}
	sorted := formOf(t, `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`)
	order := `{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`
	if sorted != order {
		t.Errorf("got  %s\nwant %s", sorted, order)
	}
}

// Appendix B: doubles, and what ECMAScript prints.
func TestCanonicalNumbersAsInTheRFC(t *testing.T) {
	for bits, want := range map[string]string{
		"0000000000000000": "0", "8000000000000000": "0",
		"0000000000000001": "5e-324", "8000000000000001": "-5e-324",
		"7fefffffffffffff": "1.7976931348623157e+308", "ffefffffffffffff": "-1.7976931348623157e+308",
		"4340000000000000": "9007199254740992", "c340000000000000": "-9007199254740992",
		"4430000000000000": "295147905179352830000",
		"44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23", "44b52d02c7e14af7": "1.0000000000000001e+23",
		"444b1ae4d6e2ef4e": "999999999999999700000", "444b1ae4d6e2ef4f": "999999999999999900000", "444b1ae4d6e2ef50": "1e+21",
		"3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "3eb0c6f7a0b5ed8d": "0.000001",
		"41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325", "41b3de4355555555": "333333333.3333333",
		"41b3de4355555556": "333333333.3333334", "41b3de4355555557": "333333333.33333343",
		"becbf647612f3696": "-0.0000033333333333333333", "43143ff3c1cb0959": "1424953923781206.2",
	} {
		raw, err := hex.DecodeString(bits)
		if err != nil {
			t.Fatal(err)
		}
		f := math.Float64frombits(binary.BigEndian.Uint64(raw))
		form, err := canonical(nil, document.NewArray([]document.Value{document.NewFloat(f)}))
		if err != nil || string(form) != "["+want+"]" {
			t.Errorf("%s: %s, %v, want %s", bits, form, err, want)
		}
	}
}

func TestNumbersThatADoubleChangesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"9007199254740991": "9007199254740991", "-9007199254740992": "-9007199254740992",
		"9007199254740994": "9007199254740994", "1152921504606846976": "", "1152921504606847000": "1152921504606847000",
		"9007199254740993": "", "-9007199254740993": "", "12345678901234567890": "", "18446744073709551615": "",
		"1e400": "", "-1E400": "", strings.Repeat("9", 400): "",
		"1.50": "1.5", "-0": "0", "-0.0": "0", "1E2": "100", "0.1": "0.1", "3.14159265358979323846": "3.141592653589793", "1e-400": "0",
	} {
		form, err := canonical(nil, value(t, `{"a":[{"b":`+text+`}]}`))
		var f *event.Failure
		switch {
		case want == "" && (!errors.As(err, &f) || f.Code != CodeNotCanonical || len(f.Message) > 160):
			t.Errorf("%s: %s, %v", text, form, err)
		case want != "" && (err != nil || string(form) != `{"a":[{"b":`+want+`}]}`):
			t.Errorf("%s: %s, %v", text, form, err)
		}
	}
	// A member that is hidden by its duplicate, or encrypted, is not there to be signed.
	if got := formOf(t, `{"a":12345678901234567890,"a":1}`); got != `{"a":1}` {
		t.Errorf("got %s", got)
	}
}

func TestMessagesThatCanBeReadInTwoWaysAreRefused(t *testing.T) {
	for _, text := range []string{`{"a":1,"a":1}`, `{"b":{"a":1,"\u0061":2}}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, `{"a":1} {}`, `{"a":1}x`, `[1]`, `"x"`, `{`, ``} {
		if v, err := parse([]byte(text)); err == nil {
			t.Errorf("%q is read as %s", text, v)
		}
	}
}
