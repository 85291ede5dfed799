package document

import (
	"encoding/json"
	"strings"
	"testing"
)

// Any text comes back from its JSON, wherever in it the characters to escape stand.
func FuzzQuoted(f *testing.F) {
	f.Add("12345678\"12345678\\\x00é\x7f")
	f.Add(strings.Repeat("x", 7) + "\n" + strings.Repeat("\"", 9))
	f.Fuzz(func(t *testing.T, text string) {
		want := strings.ToValidUTF8(text, "\ufffd")
		var got string
		out := NewText(want).AppendJSON(nil)
		if err := json.Unmarshal(out, &got); err != nil || got != want {
			t.Fatalf("%q became %s (%v)", want, out, err)
		}
	})
}
