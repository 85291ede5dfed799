package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Printer renders findings: as text for a person, with the source line and
// carets under what is meant, or as one JSON document for a program.
type Printer struct {
	// Source is the content of a file; nil, and an error, leave the source lines out.
	Source func(file string) ([]byte, error)
	// Name is how a file is called for the reader; nil: as it is.
	Name func(file string) string
	// Color marks severities with terminal colours.
	Color bool
}

// excerptWidth is how much of a long source line is shown, in characters.
const excerptWidth = 110

// Text writes findings one after the other, each like
//
//	dfn.hcl:12:10: error ETL1202: there is no filter "windos"
//	   12 |   from = filter.windos
//	      |          ^^^^^^^^^^^^^
//	      = write filter.windows
func (p Printer) Text(w io.Writer, list List) error {
	var b bytes.Buffer
	for _, d := range list {
		p.text(&b, d)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (p Printer) text(b *bytes.Buffer, d Diagnostic) {
	if d.Range.File != "" {
		fmt.Fprintf(b, "%s: ", p.place(d.Range))
	}
	fmt.Fprintf(b, "%s %s: %s\n", p.severity(d.Severity), d.Code, visible(d.Message))
	gutter := fmt.Sprintf("%5d", d.Range.Start.Line)
	if line, ok := p.line(d.Range); ok {
		shown, carets := excerpt(line, d.Range)
		fmt.Fprintf(b, "%s | %s\n", gutter, shown)
		fmt.Fprintf(b, "%*s | %s\n", len(gutter), "", carets)
	}
	for line := range strings.Lines(d.Suggestion) {
		fmt.Fprintf(b, "%*s = %s\n", len(gutter), "", visible(strings.TrimRight(line, "\n")))
	}
}

func (p Printer) severity(s Severity) string {
	switch {
	case !p.Color:
		return s.String()
	case s == Warning:
		return "\x1b[33m" + s.String() + "\x1b[0m"
	default:
		return "\x1b[31m" + s.String() + "\x1b[0m"
	}
}

func (p Printer) name(file string) string {
	if p.Name == nil || file == "" {
		return file
	}
	return p.Name(file)
}

func (p Printer) place(r Range) string {
	r.File = p.name(r.File)
	if r.Start.Line == 0 {
		return r.File
	}
	return r.String()
}

// line is the source line that r starts in.
func (p Printer) line(r Range) (string, bool) {
	if p.Source == nil || r.File == "" || r.Start.Line < 1 {
		return "", false
	}
	source, err := p.Source(r.File)
	if err != nil {
		return "", false
	}
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	n := 0
	for line := range bytes.Lines(source) {
		if n++; n == r.Start.Line {
			return string(bytes.TrimRight(line, "\r\n")), true
		}
	}
	return "", n > 0 && r.Start.Line == n+1 // behind the last line break
}

// excerpt is the part of line around r, and carets under r.
func excerpt(line string, r Range) (shown, carets string) {
	runes := []rune(line)
	from := min(max(r.Start.Column-1, 0), len(runes))
	to := len(runes)
	if r.End.Line == r.Start.Line {
		to = min(max(r.End.Column-1, from), len(runes))
	}
	for to > from+1 && unicode.IsSpace(runes[to-1]) {
		to--
	}
	left, right, before, after := 0, len(runes), "", ""
	if len(runes) > excerptWidth {
		left = max(0, from-excerptWidth/3)
		right = min(len(runes), left+excerptWidth)
		if left > 0 {
			before = "… "
		}
		if right < len(runes) {
			after = " …"
		}
		to = min(to, right)
	}
	var under strings.Builder
	under.WriteString(strings.Repeat(" ", utf8.RuneCountInString(before)))
	for _, c := range runes[left:from] {
		if c == '\t' {
			under.WriteRune(c)
		} else {
			under.WriteString(strings.Repeat(" ", columns(c)))
		}
	}
	marks := 0
	for _, c := range runes[from:to] {
		marks += columns(c)
	}
	under.WriteString(strings.Repeat("^", max(marks, 1)))
	return before + visible(string(runes[left:right])) + after, under.String()
}

// columns is how many cells of a terminal c takes.
func columns(c rune) int {
	if unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Me, c) {
		return 0
	}
	switch width.LookupRune(c).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// visible is s without what a terminal would obey.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if c != '\t' && unicode.IsControl(c) {
			return utf8.RuneError
		}
		return c
	}, s)
}

// finding is a Diagnostic as JSON has it.
type finding struct {
	Code       Code   `json:"code"`
	Severity   string `json:"severity"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
	Range      Range  `json:"range"`
	Source     string `json:"source,omitempty"` // the line it starts in
	Meaning    string `json:"meaning"`          // of the code
}

// JSON writes one document: {"errors": 1, "warnings": 0, "diagnostics": [...]}.
func (p Printer) JSON(w io.Writer, list List) error {
	out := struct {
		Errors      int       `json:"errors"`
		Warnings    int       `json:"warnings"`
		Diagnostics []finding `json:"diagnostics"`
	}{Diagnostics: []finding{}}
	for _, d := range list {
		if d.Severity == Warning {
			out.Warnings++
		} else {
			out.Errors++
		}
		line, _ := p.line(d.Range)
		d.Range.File = p.name(d.Range.File)
		out.Diagnostics = append(out.Diagnostics, finding{
			Code: d.Code, Severity: d.Severity.String(), Message: d.Message, Suggestion: d.Suggestion,
			Range: d.Range, Source: line, Meaning: Meanings[d.Code],
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
