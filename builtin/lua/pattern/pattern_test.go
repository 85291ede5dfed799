package pattern

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/gopher-lua/pm"
)

// all is each match of p in text, as string.gsub would see them, with its captures.
func all(t testing.TB, p *Pattern, text string, spend func(int) error) (found []string, err error) {
	t.Helper()
	m := Matcher{Spend: spend}
	for at := 0; at <= len(text); {
		match, ok, err := m.Find(p, text, at)
		if err != nil || !ok {
			return found, err
		}
		line := fmt.Sprintf("%d-%d", match.Start, match.End)
		for _, c := range match.Captures {
			if c.IsPosition() {
				line += fmt.Sprintf(" @%d", c.Start+1)
			} else {
				line += fmt.Sprintf(" %q", c.Text(text))
			}
		}
		found = append(found, line)
		if at = match.End; match.End == match.Start {
			at++
		}
		if p.Anchored() {
			break
		}
	}
	return found, nil
}

func theirs(pattern, text string) (found []string, err error) {
	matches, err := pm.Find(pattern, []byte(text), 0, -1)
	for _, md := range matches {
		line := fmt.Sprintf("%d-%d", md.Capture(0), md.Capture(1))
		for i := 2; i < md.CaptureLength(); i += 2 {
			if md.IsPosCapture(i) {
				line += fmt.Sprintf(" @%d", md.Capture(i))
			} else {
				line += fmt.Sprintf(" %q", text[md.Capture(i):md.Capture(i+1)])
			}
		}
		found = append(found, line)
	}
	return found, err
}

func unlimited(int) error { return nil }

func TestMatches(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"", "ab", "0-0,1-1,2-2"},
		{"b", "abcb", "1-2,3-4"},
		{"a*", "baac", "0-0,1-3,3-3,4-4"},
		{"a-b", "aab", "0-3"},
		{"a?b", "aabb", "1-3,3-4"},
		{"^a", "aa", "0-1"},
		{"a$", "aa", "1-2"},
		{"$a", "$a", "0-2"},
		{"(%a+)=(%d+)", "x=1 yy=22", `0-3 "x" "1",4-9 "yy" "22"`},
		{"()a()", "ba", "1-2 @2 @3"},
		{"(a(b)c)", "abc", `0-3 "abc" "b"`},
		{"(.)%1", "abba", `1-3 "b"`},
		{"%b()", "f(a(b)c)(", "1-8"},
		{"%f[%w]%w+", "ab cd", "0-2,3-5"},
		{"[a-cx]+", "abdxc", "0-2,3-5"},
		{"[^%s]+", "a b", "0-1,2-3"},
		{"[]]", "a]", "1-2"},
		{"[^]]", "a]", "0-1"},
		{"[a-]", "-b", "0-1"},
		{"[%a-]", "-b", "0-1,1-2"},
		{"%.", "a.b", "1-2"},
		{"%z", "a\x00", "1-2"},
		{"é", "né", "1-3"},
		{".", "é", "0-1,1-2"},
		{"a-", "aa", "0-0,1-1,2-2"},
		{"a-$", "aa", "0-2,2-2"},
		{"(a*(.)%w(%s*))", "aab c", `0-4 "aab " "a" " "`},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		got, err := all(t, p, c.text, unlimited)
		if joined := strings.Join(got, ","); joined != c.want || err != nil {
			t.Errorf("%q in %q: %s, %v, want %s", c.pattern, c.text, joined, err, c.want)
		}
	}
}

func TestMalformedPatterns(t *testing.T) {
	for _, text := range []string{"%", "a%", "[", "[a", "[^", "[%", "[]", "(", "(a", ")", "a)", "%b", "%bx", "%f", "%fa", "%1", "(%1)", "%0", strings.Repeat("()", 33)} {
		if _, err := Compile(text); err == nil {
			t.Errorf("%q compiles", text)
		}
	}
}

func TestBudgetEndsAMatch(t *testing.T) {
	enough := errors.New("enough")
	for _, c := range []struct{ pattern, text string }{
		{strings.Repeat("a*", 28) + "b", strings.Repeat("a", 28)},
		{strings.Repeat("(a-)", 20) + "b", strings.Repeat("a", 100)},
		{".-b", strings.Repeat("a", 100_000)},
		{"%b()x", strings.Repeat("(", 100_000)},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		left := 1_000_000
		_, err = all(t, p, c.text, func(steps int) error {
			if left -= steps; left < 0 {
				return enough
			}
			return nil
		})
		if err != enough {
			t.Errorf("%.20q: %v", c.pattern, err)
		}
	}
	p, _ := Compile(strings.Repeat("a?", 1000) + "b")
	if _, err := all(t, p, strings.Repeat("a", 1000), unlimited); err != ErrTooComplex {
		t.Errorf("a deep pattern: %v", err)
	}
}

// FuzzAgainstGopherLua holds the matcher to gopher-lua's own where that one
// does what the manual says: not for %f, which it doesn't have, nor for dashes
// in sets beside classes and other dashes, nor for what it calls malformed in other cases.
func FuzzAgainstGopherLua(f *testing.F) {
	for _, seed := range []string{"a*b", "(%a+)-(%d*)", "[^%s,]+", "%b()", "(.)%1", "()x", "^a.-$", "[a-z%d_]+", "%w?%W", "(a*)(b)"} {
		f.Add(seed, "aab (x-12) ab,cd 9")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 24 || differs(pattern) {
			t.Skip()
		}
		p, err := Compile(pattern)
		want, theirErr := theirs(pattern, text)
		if err != nil || theirErr != nil {
			t.Skip()
		}
		steps := 0
		got, err := all(t, p, text, func(n int) error {
			if steps += n; steps > 1_000_000 {
				return errors.New("enough")
			}
			return nil
		})
		if err != nil {
			t.Skip()
		}
		if strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("%q in %q:\n%q\ngopher-lua %q", pattern, text, got, want)
		}
	})
}

// differs says that gopher-lua reads the pattern in another way than the manual.
func differs(pattern string) bool {
	inSet := strings.Contains(pattern, "[") && strings.Contains(pattern, "-")
	return strings.Contains(pattern, "%f") || inSet && (strings.Contains(pattern, "%") || strings.Count(pattern, "-") > 1 || strings.Contains(pattern, "-]"))
}
