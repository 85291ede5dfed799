package diag

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func at(line, from, to int) Range {
	return Range{File: "/p/x.hcl", Start: Pos{Line: line, Column: from}, End: Pos{Line: line, Column: to}}
}

func TestText(t *testing.T) {
	const source = "filter \"a\" {\n\tfrom = filter.windos\n  wo = \"日本 x\"\n}\n"
	p := Printer{
		Source: func(file string) ([]byte, error) { return []byte(source), nil },
		Name:   func(file string) string { return strings.TrimPrefix(file, "/p/") },
	}
	multi := at(1, 8, 0)
	multi.End = Pos{Line: 4, Column: 2}
	for _, c := range []struct {
		name string
		d    Diagnostic
		want string
	}{
		{"tab", Diagnostic{Code: UnknownReference, Range: at(2, 9, 22), Message: "no such filter", Suggestion: "write filter.windows"},
			"x.hcl:2:9: error ETL1202: no such filter\n    2 | \tfrom = filter.windos\n      | \t       ^^^^^^^^^^^^^\n      = write filter.windows\n"},
		{"wide", Diagnostic{Code: Syntax, Severity: Warning, Range: at(3, 9, 11), Message: "wide"},
			"x.hcl:3:9: warning ETL1002: wide\n    3 |   wo = \"日本 x\"\n      |         ^^^^\n"},
		{"several lines", Diagnostic{Code: Cycle, Range: multi, Message: "round"},
			"x.hcl:1:8: error ETL1206: round\n    1 | filter \"a\" {\n      |        ^^^^^\n"},
		{"behind the end", Diagnostic{Code: Unterminated, Range: at(5, 1, 1), Message: "no end"},
			"x.hcl:5:1: error ETL1007: no end\n    5 | \n      | ^\n"},
		{"no place", Diagnostic{Code: NoValue, Message: "topic\x1b[2J"},
			"error ETL1307: topic\uFFFD[2J\n"},
	} {
		var b bytes.Buffer
		if err := p.Text(&b, List{c.d}); err != nil {
			t.Fatal(err)
		}
		if b.String() != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, b.String(), c.want)
		}
	}
}

func TestLongLine(t *testing.T) {
	line := strings.Repeat("a", 400) + "BAD" + strings.Repeat("b", 400)
	shown, carets := excerpt(line, at(1, 401, 404))
	if len([]rune(shown)) > excerptWidth+4 || !strings.Contains(shown, "BAD") {
		t.Fatalf("shown %q", shown)
	}
	if i := strings.IndexByte(carets, '^'); string([]rune(shown)[i:i+3]) != "BAD" || strings.Count(carets, "^") != 3 {
		t.Fatalf("carets are not under BAD:\n%s\n%s", shown, carets)
	}
}

func TestJSON(t *testing.T) {
	p := Printer{Source: func(string) ([]byte, error) { return nil, errors.New("gone") }}
	var b bytes.Buffer
	if err := p.JSON(&b, List{{Code: Cycle, Range: at(1, 2, 3), Message: "round <>"}, {Code: UnreadNode, Severity: Warning}}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Errors, Warnings int
		Diagnostics      []struct {
			Code, Severity, Message, Meaning string
			Range                            Range
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Errors != 1 || got.Warnings != 1 || got.Diagnostics[0].Code != "ETL1206" || got.Diagnostics[0].Severity != "error" ||
		got.Diagnostics[1].Severity != "warning" || got.Diagnostics[0].Range.Start.Column != 2 || got.Diagnostics[0].Meaning != Meanings[Cycle] {
		t.Fatalf("got %s", b.String())
	}
}

func TestEveryCodeHasAMeaning(t *testing.T) {
	for code, meaning := range Meanings {
		if !strings.HasPrefix(string(code), "ETL1") || meaning == "" {
			t.Errorf("%q means %q", code, meaning)
		}
	}
}
