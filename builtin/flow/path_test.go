package flow

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitPath(t *testing.T) {
	for text, want := range map[string][]string{
		`a`:                   {"a"},
		`a.b.c`:               {"a", "b", "c"},
		`data."a.b".c`:        {"data", "a.b", "c"},
		`"a.b"`:               {"a.b"},
		`"say \"a\"".b`:       {`say "a"`, "b"},
		`""`:                  {""},
		`@timestamp.agent-id`: {"@timestamp", "agent-id"},
	} {
		if got, err := splitPath(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "a.", ".a", "a..b", `"a`, `"a\`, `"a"b`, `a"b"`, `a".b`} {
		if got, err := splitPath(text); err == nil {
			t.Errorf("%s: accepted as %q", text, got)
		}
	}
}

func FuzzSplitPath(f *testing.F) {
	f.Add(`data."a.b".c`)
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := splitPath(text)
		if err != nil {
			return
		}
		quoted := make([]string, len(parts))
		for i, p := range parts {
			quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p) + `"`
		}
		again, err := splitPath(strings.Join(quoted, "."))
		if err != nil || !slices.Equal(parts, again) {
			t.Errorf("%q: %q, then %q, %v", text, parts, again, err)
		}
	})
}
