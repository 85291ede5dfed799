package document

import (
	"testing"
	"time"
)

// What is counted is what is written, escapes aside, and counting ends where
// shared parts make a value without end.
func TestWritten(t *testing.T) {
	d, err := Parse([]byte(`{"a":[1,2.5,"x",null,true,{"b":"c"}],"n":12345678901234567890}`))
	if err != nil {
		t.Fatal(err)
	}
	exact, _ := NewNumber("12345678901234567890")
	for _, v := range []Value{
		d.Root(), d.Root().Get("a"), d.Root().With([]string{"a", "z"}, NewText("new")), exact, NewText("text"), {}, NewBool(false),
		NewArray([]Value{d.Root(), NewInt(12345), NewArray(nil)}), NewTime(time.Now()), NewDuration(time.Second),
	} {
		text := v.AppendJSON(nil)
		if n := v.Written(1 << 20); n < len(text)-16 || n > len(text)+16 {
			t.Errorf("%s has %d bytes, counted are %d", text, len(text), n)
		}
	}
	endless := NewText("x")
	for range 200 {
		endless = NewArray([]Value{endless, endless})
	}
	if n := endless.Written(1000); n <= 1000 || n > 2000 {
		t.Errorf("counted are %d of a value without end", n)
	}
}
