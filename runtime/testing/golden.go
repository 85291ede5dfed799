package testing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/wazuh-etl/etl/runtime/document"
)

// isJSON says whether a golden is compared as JSON: by value, but for the
// order of members.
func isJSON(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".json" || ext == ".jsonl"
}

// goldenOf is what the file name would hold for bodies.
func goldenOf(name string, bodies [][]byte) []byte {
	switch filepath.Ext(name) {
	case ".json":
		if len(bodies) == 1 {
			return append([]byte(prettyJSON(bodies[0])), '\n')
		}
		return append([]byte(prettyJSON(append(append([]byte("["), bytes.Join(bodies, []byte(","))...), ']'))), '\n')
	case ".jsonl":
		var out []byte
		for _, b := range bodies {
			out = append(append(out, compactJSON(b)...), '\n')
		}
		return out
	default:
		return bytes.Join(bodies, []byte("\n"))
	}
}

func sameGolden(name string, got, want []byte) bool {
	switch filepath.Ext(name) {
	case ".json":
		return sameJSON(got, want)
	case ".jsonl":
		a, b := lines(got), lines(want)
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameJSON(a[i], b[i]) {
				return false
			}
		}
		return true
	default:
		return bytes.Equal(got, want)
	}
}

func lines(raw []byte) [][]byte {
	var out [][]byte
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// sameJSON compares two documents: values by the language's equality of their
// own kind, members in order.
func sameJSON(a, b []byte) bool {
	x, err := document.Parse(a)
	if err != nil {
		return bytes.Equal(a, b)
	}
	y, err := document.Parse(b)
	if err != nil {
		return false
	}
	return sameValue(x.Root(), y.Root())
}

func sameValue(a, b document.Value) bool {
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	switch a.Kind() {
	case document.Object:
		type member struct {
			name  string
			value document.Value
		}
		var members []member
		for name, v := range b.Members() {
			members = append(members, member{name, v})
		}
		i := 0
		for name, v := range a.Members() {
			if name != members[i].name || !sameValue(v, members[i].value) {
				return false
			}
			i++
		}
		return true
	case document.Array:
		for i := range a.Len() {
			if !sameValue(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	default:
		return document.Equal(a, b)
	}
}

func compactJSON(raw []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

func prettyJSON(raw []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// readable is the content of a golden for a person to compare.
func readable(name string, raw []byte) string {
	if !isJSON(name) {
		return string(raw)
	}
	var parts []string
	if filepath.Ext(name) == ".json" {
		parts = []string{prettyJSON(raw)}
	} else {
		for _, l := range lines(raw) {
			parts = append(parts, prettyJSON(l))
		}
	}
	return strings.Join(parts, "\n")
}

func diffText(wantName, want, gotName, got string) string {
	return strings.TrimRight(string(diff.Diff(wantName, []byte(withBreak(want)), gotName, []byte(withBreak(got)))), "\n")
}

func withBreak(s string) string {
	if strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}

// shown is a body in one line that fits a terminal.
func shown(body []byte) string {
	const most = 300
	s := string(compactJSON(body))
	if len(s) > most {
		cut := most
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = fmt.Sprintf("%s… (%d bytes)", s[:cut], len(s))
	}
	return s
}
