package watch

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// harmless fails if a terminal would obey anything in text.
func harmless(t testing.TB, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%q is not UTF-8", text)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			t.Errorf("%q has %U", text, r)
		}
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"web-01":                  "web-01",
		"":                        "",
		"名前 ü":                    "名前 ü",
		"\x1b[2J\x1b]0;x\a":       `\x1b[2J\x1b]0;x\a`,
		"a\nb\tc\r":               `a\nb\tc\r`,
		"\u009b31m":               `\u009b31m`,
		"\u202egnp.exe\u202c":     `\u202egnp.exe\u202c`,
		"\xff\xc3(":               `\xff\xc3(`,
		"\uFFFD":                  "\uFFFD",
		"e\u0301":                 "e\u0301",
		"z\u0301\u0301\u0301a":    "z\u0301\u0301\\u0301a",
		"\u0301a":                 `\u0301a`,
		"a\u200b\u2028b\ufe0f":    `a\u200b\u2028b\ufe0f`,
		"\U000e0041":              `\U000e0041`,
		"no\u00a0break\u3000wide": `no\u00a0break\u3000wide`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	for _, s := range []string{"a", "名\x1b[m", "\u202e", "e\u0301\u0301\u0301", "\xff", "👩‍👩‍👧"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, columns int) {
		columns = max(0, columns) % 200
		v := Visible(s)
		harmless(t, v)
		harmless(t, escapeJSON(strings.ToValidUTF8(v, "")))
		if Visible(v) != v {
			t.Errorf("%q is not visible: %q", v, Visible(v))
		}
		short := clip(v, columns)
		if cells(short) > columns {
			t.Errorf("%q takes %d columns, not %d", short, cells(short), columns)
		}
		if got := cells(pad(short, columns, true)); got != columns {
			t.Errorf("padded to %d, not %d", got, columns)
		}
	})
}

func TestCells(t *testing.T) {
	for s, want := range map[string]int{"abc": 3, "名前": 4, "e\u0301": 1, "ｆ": 2, "ü…": 2, "🙂": 2, "한": 2} {
		if got := cells(s); got != want {
			t.Errorf("%q takes %d, want %d", s, got, want)
		}
	}
	for columns, want := range []string{"", "…", "…", "名…", "名…", "名前a", "名前a"} {
		if got := clip("名前a", columns); got != want {
			t.Errorf("in %d columns: %q, want %q", columns, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 9960: "9,960", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for d, want := range map[time.Duration]string{-time.Hour: "0s", 59 * time.Second: "59s", 90 * time.Second: "1m", 47 * time.Hour: "47h", 50 * time.Hour: "2d"} {
		if got := age(noon.Add(-d), noon); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestEscapeJSON(t *testing.T) {
	if got := escapeJSON("\"\u009b\u202e名\U000e0041\""); got != `"\u009b\u202e名\udb40\udc41"` {
		t.Error(got)
	}
}
