package lang

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// text is what a string or heredoc spells, and where in the file each part of
// it stands. It is the one map from expressions, templates and code back to the file.
type text struct {
	value    string
	file     *file
	segments []segment
	built    []byte // what becomes value
}

// segment says that n bytes of the text at `at` come from m bytes of the file
// at src: byte by byte, unless they are different numbers or flat says that
// each byte of the text stands for the whole.
type segment struct {
	at, n, src, m int
	flat          bool
}

func (s segment) linear() bool { return s.n == s.m && !s.flat }

func (t *text) add(value string, src, m int) {
	at := len(t.built)
	t.built = append(t.built, value...)
	if k := len(t.segments) - 1; k >= 0 && len(value) == m {
		if s := &t.segments[k]; s.linear() && s.src+s.m == src {
			s.n += m
			s.m += m
			return
		}
	}
	t.segments = append(t.segments, segment{at: at, n: len(value), src: src, m: m})
}

// addFlat appends what load time made of the m bytes at src.
func (t *text) addFlat(value string, src, m int) {
	t.segments = append(t.segments, segment{at: len(t.built), n: len(value), src: src, m: m, flat: true})
	t.built = append(t.built, value...)
}

// done ends the adding. The last line break of a heredoc is not part of its text.
func (t *text) done(heredoc bool) *text {
	t.value, t.built = string(t.built), nil
	if heredoc {
		t.value = strings.TrimSuffix(t.value, "\n")
	}
	return t
}

// span is where the bytes from start to end of the text stand.
func (t *text) span(start, end int) diag.Range {
	start = max(0, min(start, len(t.value)))
	end = max(start, min(end, len(t.value)))
	from, to := 0, 0
	for i, s := range t.segments {
		if start >= s.at {
			from = s.src
			if s.linear() || start >= s.at+s.n {
				from = min(s.src+start-s.at, s.src+s.m)
			}
			to = from
		}
		if end > s.at || i == 0 {
			to = s.src + s.m
			if s.linear() && end <= s.at+s.n {
				to = s.src + end - s.at
			}
		}
	}
	return t.file.span(from, max(from, to))
}

// position maps a line and column (in characters, from 1) of the text.
func (t *text) position(line, column int) diag.Range {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(t.value[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	rest := t.value[at:]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	end := len(rest)
	for ; column > 1 && rest != ""; column-- {
		_, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		at += n
	}
	if column > 1 {
		at = at - end
		return t.span(at, at+end)
	}
	return t.span(at, at+len(rest))
}

// literalText is the text of an expression that is one literal. interpolated
// is the first ${ or %{ in it, if it is a text but not a literal.
func (f *file) literalText(e hcl.Expression) (t *text, interpolated *hcl.Range) {
	switch e := unparen(e).(type) {
	case *hclsyntax.TemplateExpr:
		t = &text{file: f}
		for _, p := range e.Parts {
			lit, ok := p.(*hclsyntax.LiteralValueExpr)
			if !ok || lit.Val.Type() != cty.String || !f.addLiteral(t, e, lit) {
				r := p.Range()
				return nil, &r
			}
		}
		return t.done(f.isHeredoc(e)), nil
	case *hclsyntax.TemplateWrapExpr:
		r := e.Wrapped.Range()
		return nil, &r
	}
	return nil, nil
}

func unparen(e hcl.Expression) hcl.Expression {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return e
		}
		e = p.Expression
	}
}

func (f *file) isHeredoc(e *hclsyntax.TemplateExpr) bool {
	r := e.Range()
	return r.Start.Byte+2 <= len(f.src) && string(f.src[r.Start.Byte:r.Start.Byte+2]) == "<<"
}

// addLiteral appends a literal part of a template, read from the file's own
// bytes. HCL has composed its characters (NFC); here they stay as they are written.
func (f *file) addLiteral(t *text, whole *hclsyntax.TemplateExpr, part *hclsyntax.LiteralValueExpr) bool {
	r := part.Range()
	raw, want := f.src[r.Start.Byte:r.End.Byte], part.Val.AsString()
	p := &text{file: f}
	if f.isHeredoc(whole) {
		decodeHeredoc(p, raw, r.Start.Byte, want)
	} else {
		decodeQuoted(p, raw, r.Start.Byte)
	}
	if p.done(false); p.value != want && norm.NFC.String(p.value) != want {
		p = &text{file: f}
		p.add(want, r.Start.Byte, len(raw)) // trim marks (~}) took something away
		p.done(false)
	}
	for _, s := range p.segments {
		t.add(p.value[s.at:s.at+s.n], s.src, s.m) // adds no flat one
	}
	return true
}

// decodeQuoted reads the inside of "…".
func decodeQuoted(t *text, raw []byte, src int) {
	for i := 0; i < len(raw); {
		n := unitLength(raw[i:])
		switch {
		case n > 1 && raw[i] == '\\':
			t.add(unescape(string(raw[i:i+n])), src+i, n)
		case n == 3 && (raw[i] == '$' || raw[i] == '%'):
			t.add(string(raw[i+1:i+n]), src+i, n)
		default:
			t.add(string(raw[i:i+n]), src+i, n)
		}
		i += n
	}
}

// unitLength is the length of what spells one or two characters at the start of raw.
func unitLength(raw []byte) int {
	if isEscapedMark(raw) {
		return 3
	}
	if raw[0] == '\\' && len(raw) > 1 {
		n := 2
		switch raw[1] {
		case 'u':
			n = 6
		case 'U':
			n = 10
		}
		return min(n, len(raw))
	}
	_, n := utf8.DecodeRune(raw)
	return n
}

// isEscapedMark says whether raw begins with $${ or %%{.
func isEscapedMark(raw []byte) bool {
	return len(raw) >= 3 && raw[2] == '{' && raw[0] == raw[1] && (raw[0] == '$' || raw[0] == '%')
}

func unescape(s string) string {
	switch s[1] {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case 'u', 'U':
		if c, err := strconv.ParseUint(s[2:], 16, 32); err == nil {
			return string(rune(c))
		}
	}
	return s[1:]
}

// decodeHeredoc reads lines of a heredoc; want tells how much of each line's
// indentation belongs to the text.
func decodeHeredoc(t *text, raw []byte, src int, want string) {
	lines := strings.SplitAfter(want, "\n")
	for i := 0; i < len(raw); {
		if i > 0 && raw[i-1] == '\n' {
			lines = lines[min(1, len(lines)-1):]
			i += max(0, indentation(raw[i:])-indentation([]byte(lines[0])))
			if i >= len(raw) {
				return
			}
		}
		n := 1
		switch {
		case isEscapedMark(raw[i:]):
			t.add(string(raw[i+1:i+3]), src+i, 3)
			n = 3
		default:
			_, n = utf8.DecodeRune(raw[i:])
			t.add(string(raw[i:i+n]), src+i, n)
		}
		i += n
	}
}

// indentation is the length of the white space in front of a line.
func indentation(line []byte) int {
	for i, c := range string(line) {
		if c == '\n' || !strings.ContainsRune(" \t\v\f\r\u0085\u00a0", c) {
			return i
		}
	}
	return len(line)
}
