package document

import "testing"

// A text that is held as JSON has it is the text in every respect.
func TestQuoted(t *testing.T) {
	for _, s := range []string{"", "plain", "\"<\\>\"\n\t\u0001\x7f", "é😀\ufffd", "4625"} {
		written := NewText(s).String()
		inside := written[1 : len(written)-1]
		v := NewQuoted(inside)
		if v.Kind() != Text || v.Text() != s || string(v.AppendText(nil)) != s || v.Any() != s {
			t.Errorf("%s reads as %q", written, v.Text())
		}
		if v.String() != written || v.Written(1000) < len(inside) || v.Size() < len(inside) {
			t.Errorf("%s is written as %s", written, v)
		}
		for _, other := range []Value{NewText(s), mustParse(t, written), v} {
			if order, ok := Compare(v, other); !Equal(v, other) || !Equal(other, v) || !ok || order != 0 {
				t.Errorf("%s is not equal to itself", written)
			}
		}
		if Equal(v, NewText(s+"x")) || Equal(NewText(s+"x"), v) {
			t.Errorf("%s is equal to a longer one", written)
		}
		for _, as := range []Value{v, mustParse(t, written)} {
			if got, ok := as.Quoted(); !ok || got != inside {
				t.Errorf("%s is %q between its quotes (%v)", written, got, ok)
			}
		}
	}
	if !Equal(NewInt(4625), NewQuoted("4625")) {
		t.Error("a number is not its text")
	}
	for _, v := range []Value{NewText("computed"), mustParse(t, "\"\xff\""), mustParse(t, `"\ud800"`), NewInt(1), {}} {
		if got, ok := v.Quoted(); ok {
			t.Errorf("%s is %q between its quotes", v, got)
		}
	}
}

func TestUnescape(t *testing.T) {
	for s, want := range map[string]rune{`\n`: '\n', `\"x`: '"', `\/`: '/', `\u00e9x`: 'é', `\ud83d\ude00`: '😀'} {
		if r, size := Unescape(s); r != want || size > len(s) || string(NewQuoted(s[:size]).Text()) != string(want) {
			t.Errorf("%s is %q in %d bytes", s, r, size)
		}
	}
}
