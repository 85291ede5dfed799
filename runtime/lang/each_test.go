package lang

import (
	"strings"
	"testing"
)

func TestPossibleKey(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "north east": true, "größe": true, "😀": true, "\xff": true, // what is no UTF-8 is shown as a sign
		strings.Repeat("ü", 64): true, strings.Repeat("ü", 65): false,
		"": false, `a"b`: false, `a\b`: false, "a\nb": false, "a\x7f": false,
		"a\u200b": false, "\ue000": false, "\u0378": false, // without width, private, not assigned
	} {
		if got := possibleKey(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
	}
}
