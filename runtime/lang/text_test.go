package lang

import (
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/text/unicode/norm"
)

// theText is the text of the attribute a in src.
func theText(t testing.TB, src string) (*file, *text) {
	t.Helper()
	f := newFile("f.hcl", "/f.hcl", []byte(src))
	bodies, _, list := f.parse()
	if len(list) > 0 {
		t.Fatal(list)
	}
	for _, b := range bodies {
		if a := b.Attributes["a"]; a != nil {
			x, _ := f.literalText(a.Expr)
			if x == nil {
				t.Fatalf("no literal: %s", src)
			}
			return f, x
		}
	}
	t.Fatal("no attribute a")
	return nil, nil
}

// Every ‹…› in want stands where the marked part of the text is in the file.
func TestPositions(t *testing.T) {
	for name, c := range map[string]struct{ src, find, want string }{
		"plain":               {`a = "rule.level"`, "level", `1:11-1:16`},
		"from the start":      {`a = "rule"`, "rule", `1:6-1:10`},
		"behind é":            {`a = "é x"`, "x", `1:8-1:9`},
		"behind é, escaped":   {`a = "\u00e9 x"`, "x", `1:13-1:14`},
		"é, escaped":          {`a = "x \u00e9 x"`, "é", `1:8-1:14`},
		"long escape":         {`a = "\U0001F600 x"`, "x", `1:17-1:18`},
		"line break, escaped": {`a = "one\ntwo"`, "two", `1:11-1:14`},
		"quote, escaped":      {`a = "a \"b\" c"`, "c", `1:14-1:15`},
		"quotes":              {`a = "a \"b\" c"`, `"b"`, `1:8-1:13`},
		"backslash":           {`a = "a \\d c"`, `\d`, `1:8-1:11`},
		"mark, escaped":       {`a = "a $${b} c"`, "c", `1:14-1:15`},
		"mark":                {`a = "a $${b} c"`, "${", `1:8-1:11`},
		"directive, escaped":  {`a = "%%{x} y"`, "y", `1:12-1:13`},
		"tab":                 {"a = \"x\ty\"", "y", `1:8-1:9`},
		"tab, escaped":        {`a = "x\ty"`, "y", `1:9-1:10`},
		"decomposed é":        {"a = \"e\u0301 x\"", "x", `1:9-1:10`},
		"heredoc":             {"a = <<X\none\n  two\nX\n", "two", `3:3-3:6`},
		"indented heredoc":    {"a = <<-X\n    one\n      two\n    X\n", "two", `3:7-3:10`},
		"over lines":          {"a = <<-X\n    one\n      two\n    X\n", "ne\n  t", `2:6-3:8`},
		"indented by tabs":    {"a = <<-X\n\t\tone\n\t\t\ttwo\n\t\tX\n", "two", `3:4-3:7`},
		"blank line":          {"a = <<-X\n    one\n\n    two\n    X\n", "two", `4:5-4:8`},
		"line of blanks":      {"a = <<-X\n    one\n  \n    two\n    X\n", "two", `4:5-4:8`},
		"é in heredoc":        {"a = <<-X\n    é\n    é two\n    X\n", "two", `3:7-3:10`},
		"decomposed é, lines": {"a = <<-X\n    e\u0301e\u0301\n      two\n    X\n", "two", `3:7-3:10`},
		"mark in heredoc":     {"a = <<-X\n    $${x} two\n    X\n", "two", `2:11-2:14`},
		"no escapes there":    {"a = <<-X\n    \\n two\n    X\n", "two", `2:8-2:11`},
		"carriage returns":    {"a = <<-X\r\n    one\r\n      two\r\n    X\r\n", "two", `3:7-3:10`},
		"byte order mark":     {"\xef\xbb\xbfa = \"two\"", "two", `1:6-1:9`},
		"no end of line":      {"a = <<-X\n  two\n  X", "two", `2:3-2:6`},
		"behind blocks":       {"b {\n}\n\na = \"two\"\n", "two", `4:6-4:9`},
		"parentheses":         {`a = ("two")`, "two", `1:7-1:10`},
	} {
		t.Run(name, func(t *testing.T) {
			_, x := theText(t, c.src)
			at := strings.Index(x.value, c.find)
			if at < 0 {
				t.Fatalf("%q is not in %q", c.find, x.value)
			}
			r := x.span(at, at+len(c.find))
			got := strings.TrimPrefix(r.String(), "f.hcl:") + "-" + hclEnd(r.End.Line, r.End.Column)
			if got != c.want {
				t.Errorf("%q in %q: %s, want %s", c.find, x.value, got, c.want)
			}
			// And by line and column, as Lua says it.
			line := 1 + strings.Count(x.value[:at], "\n")
			column := 1 + len([]rune(x.value[strings.LastIndex(x.value[:at], "\n")+1:at]))
			if p := x.position(line, column); p.Start != r.Start {
				t.Errorf("position(%d, %d) is %v, want %v", line, column, p.Start, r.Start)
			}
		})
	}
}

func hclEnd(line, column int) string {
	return strconv.Itoa(line) + ":" + strconv.Itoa(column)
}

func TestLastLineBreakOfHeredoc(t *testing.T) {
	for src, want := range map[string]string{
		"a = <<X\none\nX\n":          "one",
		"a = <<X\none\n\nX\n":        "one\n",
		"a = <<-X\n  one\r\n  X\r\n": "one",
		"a = <<X\nX\n":               "",
		"a = \"one\\n\"\n":           "one\n",
	} {
		if _, x := theText(t, src); x.value != want {
			t.Errorf("%q is %q, want %q", src, x.value, want)
		}
	}
}

// The text read from the file's bytes is the one that HCL reads, but for the
// normal form of its characters.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		`"a\n\u00e9$${x}%%{y}\"\\"`, "<<-X\n  a\n   b\n\n\t\n  X", "<<X\n$${é}\nX", "\"e\u0301\"", `"\U0001F600"`, "<<-X\n\ta\n  b\n X", "\"\xff\"", `"$$${x}"`, "<<-X\n \u00a0a\n \u00a0 b\n X",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file := newFile("f", "/f", []byte("a = "+s))
		if file.invalid() >= 0 {
			return
		}
		parsed, diags := hclsyntax.ParseConfig(file.src, "f", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		a := parsed.Body.(*hclsyntax.Body).Attributes["a"]
		if a == nil {
			return
		}
		x, _ := file.literalText(a.Expr)
		if x == nil {
			return
		}
		v, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			return
		}
		want := v.AsString()
		if e, is := unparen(a.Expr).(*hclsyntax.TemplateExpr); is && file.isHeredoc(e) {
			want = strings.TrimSuffix(want, "\n")
		}
		if norm.NFC.String(x.value) != norm.NFC.String(want) {
			t.Fatalf("%q is %q, HCL says %q", s, x.value, want)
		}
		for i := range len(x.value) + 1 {
			r := x.span(i, len(x.value))
			if r.Start.Byte < 0 || r.End.Byte < r.Start.Byte || r.End.Byte > len("a = "+s)+1 {
				t.Fatalf("%q from %d: %v", s, i, r)
			}
		}
	})
}
