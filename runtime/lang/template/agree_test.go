package template

import (
	"bytes"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/lang/langtest"
)

var pairsFlag = flag.Int("pairs", 600, "how many holes and documents of each kind TestReachOfTemplates makes up")

// reach is what a kind of hole was tried with.
type reach struct {
	pairs  int
	gives  int // something but nil
	exact  int // documents with a \u
	broken int // documents that are no JSON
	known  int // that the tree has a value for, too
}

func (r *reach) share(n int) int { return 100 * n / r.pairs }

// Whatever a template looks at, it gives what encoding/json says is there, for documents that have it in all
// spellings. To run it for long: go test ./runtime/lang/template -run Reach -pairs 10000000 -timeout 0
func TestReachOfTemplates(t *testing.T) {
	m := langtest.New(2)
	table := fmt.Sprintf("%-24s %8s %8s %8s %8s", "in %", "gives", "exact", "broken", "known")
	for _, rule := range langtest.HoleRules() {
		var r reach
		for r.pairs < *pairsFlag {
			h := fill(t, m.Hole(rule))
			for range 5 {
				r.try(t, h, m.Document(h.Wishes...))
			}
		}
		table += fmt.Sprintf("\n%-24s %8d %8d %8d %8d", rule, r.share(r.gives), r.share(r.exact), r.share(r.broken), r.share(r.known))
		if r.share(r.gives) < 10 || r.share(r.exact) < 10 || r.share(r.broken) < 1 || r.share(r.known) < 50 {
			t.Errorf("%s: %d %% give something, %d %% take the exact path, %d %% are broken, %d %% are known", rule, r.share(r.gives), r.share(r.exact), r.share(r.broken), r.share(r.known))
		}
	}
	t.Log("\n" + table)
}

// fence stands around the hole of a text; no made-up document has it.
const fence = "\x1f"

// try compares h for doc, as a value and in a text, with what the tree says.
func (r *reach) try(t *testing.T, h filled, doc []byte) {
	t.Helper()
	value, err := h.single.Value(eventOf(string(doc)))
	filled, errText := h.text.AppendText([]byte("before"), eventOf(string(doc)))
	root, isJSON := langtest.Read(doc)
	r.pairs++
	if bytes.Contains(doc, []byte(`\u`)) {
		r.exact++
	}
	if !isJSON {
		if r.broken++; err == nil || errText == nil {
			t.Fatalf("%s of %q, which is no JSON: %s %q", h.Text, doc, value, filled)
		}
		return
	}
	want, known := h.Of(root)
	if !known {
		return
	}
	r.known++
	if !want.IsNil() {
		r.gives++
	}
	if err != nil || errText != nil {
		t.Fatalf("%s of %q: %v, %v", h.Text, doc, err, errText)
	}
	got, ok := langtest.ReadWritten(value.AppendJSON(nil))
	if !ok || !got.Equal(want) {
		t.Fatalf("%s of %q: %s, want %+v", h.Text, doc, value, want)
	}
	parts := strings.Split(string(filled), fence)
	if len(parts) != 3 || parts[0] != "beforea" || parts[2] != "é" || !fills(parts[1], want) {
		t.Fatalf("%s of %q in a text: %q, want %+v", h.Text, doc, filled, want)
	}
}

// fills says whether text is what v is in one.
func fills(text string, v *langtest.Tree) bool {
	switch {
	case v.IsNil():
		return text == ""
	case v.Kind == langtest.Text || v.Kind == langtest.Number:
		return text == v.Text
	}
	got, ok := langtest.ReadWritten([]byte(text))
	return ok && got.Equal(v)
}

// filled is a hole, and the templates that have it alone and in a text.
type filled struct {
	langtest.Hole
	single, text component.Template
}

func fill(t *testing.T, h langtest.Hole) filled {
	t.Helper()
	compiled := func(src string) component.Template {
		tmpl, problems := Compile(src, Options{Env: expression.Env{}})
		if tmpl == nil {
			t.Fatalf("%s: %+v", src, problems)
		}
		return tmpl
	}
	return filled{h, compiled("{{ " + h.Text + " }}"), compiled("a" + fence + "{{ " + h.Text + " }}" + fence + "é")}
}

// FuzzTemplates tries made-up holes with any document.
func FuzzTemplates(f *testing.F) {
	rules := langtest.HoleRules()
	for seed := range uint64(len(rules)) {
		m := langtest.New(seed)
		h := m.Hole(rules[seed])
		f.Add(seed, m.Document(h.Wishes...))
	}
	f.Fuzz(func(t *testing.T, seed uint64, doc []byte) {
		if bytes.Contains(doc, []byte(fence)) || bytes.Contains(doc, []byte(`\u001`)) {
			return
		}
		m := langtest.New(seed)
		h := fill(t, m.Hole(rules[seed%uint64(len(rules))]))
		var r reach
		if doc = bytes.TrimSpace(doc); len(doc) > 1 && doc[0] == '{' {
			r.try(t, h, doc)
		}
		r.try(t, h, m.Document(h.Wishes...))
	})
}
