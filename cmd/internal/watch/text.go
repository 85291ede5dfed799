package watch

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// mostMarks is how many accents one character may carry: more would hide the lines around it.
const mostMarks = 2

// Visible is s with nothing in it that a terminal would obey, or that would change what stands
// around it: control characters, marks of direction, and all else that can't be seen is written \u202e.
func Visible(s string) string {
	if plain(s) {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	marks := mostMarks // none without a character before it
	for i, r := range s {
		mark := unicode.In(r, unicode.Mn, unicode.Me)
		broken := r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD")
		switch {
		case broken:
			b = append(append(b, `\x`...), hex(s[i])...)
			marks = mostMarks
		case !unicode.IsPrint(r), mark && marks >= mostMarks, unicode.Is(unicode.Variation_Selector, r):
			q := strconv.QuoteRuneToASCII(r)
			b = append(b, q[1:len(q)-1]...)
			marks = mostMarks
		default:
			b = utf8.AppendRune(b, r)
			if marks++; !mark {
				marks = 0
			}
		}
	}
	return string(b)
}

func hex(c byte) string { return strconv.FormatUint(uint64(c)|0x100, 16)[1:] }

// plain says whether s is all ASCII that can be seen.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

// cells is how many columns of a terminal a visible text takes.
func cells(s string) int {
	if plain(s) {
		return len(s)
	}
	n := 0
	for _, r := range s {
		n += cell(r)
	}
	return n
}

func cell(r rune) int {
	switch {
	case r < 0x7F:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// clip cuts a visible text to columns.
func clip(s string, columns int) string {
	if cells(s) <= columns {
		return s
	}
	n := 0
	for i, r := range s {
		if n += cell(r); n > columns-1 {
			if columns < 1 {
				return ""
			}
			return s[:i] + "…"
		}
	}
	return s
}

// longest is how many columns of a line one name takes at most, where no terminal says how wide it is.
const longest = 64

// short is what can be seen of a name, within longest.
func short(name string) string { return clip(Visible(name), longest) }

// pad fills a text with blanks up to columns.
func pad(s string, columns int, right bool) string {
	blanks := strings.Repeat(" ", max(0, columns-cells(s)))
	if right {
		return blanks + s
	}
	return s + blanks
}

// number is n with commas.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// age is how long ago t was, in its largest unit.
func age(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := max(0, now.Sub(t))
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	default:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
}
