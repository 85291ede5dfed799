package flow

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/lang/langtest"
	"github.com/wazuh-etl/etl/runtime/lang/template"
)

var pairsFlag = flag.Int("pairs", 600, "how many maps and documents of each kind TestReachOfMaps makes up")

// madeMap is a made-up map, and what it means.
type madeMap struct {
	moves   [][2][]string
	removes [][]string
	sets    []madeSet
	wishes  []langtest.Wish
	hits    func(root *langtest.Tree) bool // it has something to do
}

type madeSet struct {
	path []string
	hole langtest.Hole
}

// mapRules are all kinds of maps.
var mapRules = []struct {
	name string
	make func(m *langtest.Maker) madeMap
}{
	{"set", func(m *langtest.Maker) madeMap { return setting(m, m.Path()) }},
	{"set something inside", func(m *langtest.Maker) madeMap { return setting(m, append(slices.Clone(m.Path()), "x", "new")) }},
	{"set an object", func(m *langtest.Maker) madeMap {
		made := setting(m, m.Path())
		made.sets[0].hole = m.Hole("object")
		return made
	}},
	{"set two", func(m *langtest.Maker) madeMap {
		made, other := setting(m, []string{"x"}), setting(m, []string{"data", "x"})
		made.sets, made.wishes = append(made.sets, other.sets...), append(made.wishes, other.wishes...)
		return made
	}},
	{"remove", func(m *langtest.Maker) madeMap {
		p, q := m.Path(), m.Path()
		return madeMap{removes: [][]string{p, q}, wishes: []langtest.Wish{m.Wish(p), m.Wish(q)}, hits: has(p)}
	}},
	{"rename", func(m *langtest.Maker) madeMap { p := m.Path(); return renaming(m, [2][]string{p, m.Path()}) }},
	{"rename into itself", func(m *langtest.Maker) madeMap {
		p := m.Path()
		return renaming(m, [2][]string{p, append(slices.Clone(p), "inside")})
	}},
	{"swap", func(m *langtest.Maker) madeMap {
		p, q := []string{"x"}, []string{"rule", "id"}
		return renaming(m, [2][]string{p, q}, [2][]string{q, p})
	}},
	{"all of them", func(m *langtest.Maker) madeMap {
		made, set, gone := renaming(m, [2][]string{m.Path(), m.Path()}), setting(m, m.Path()), m.Path()
		made.sets, made.removes = set.sets, [][]string{gone}
		made.wishes = slices.Concat(made.wishes, set.wishes, []langtest.Wish{m.Wish(gone)})
		return made
	}},
}

func has(path []string) func(*langtest.Tree) bool {
	return func(root *langtest.Tree) bool { return root.At(path...) != nil }
}

func setting(m *langtest.Maker, path []string) madeMap {
	rules := langtest.HoleRules()
	h := m.Hole(rules[m.IntN(len(rules))])
	return madeMap{sets: []madeSet{{path, h}}, wishes: append(h.Wishes, m.Wish(path)), hits: func(root *langtest.Tree) bool {
		v, known := h.Of(root)
		return known && !v.IsNil()
	}}
}

func renaming(m *langtest.Maker, moves ...[2][]string) madeMap {
	made := madeMap{moves: moves, hits: has(moves[0][0])}
	for _, move := range moves {
		made.wishes = append(made.wishes, m.Wish(move[0]))
	}
	return made
}

// of is what the map makes of a document; known is false where nobody has said what a hole of it gives.
func (made *madeMap) of(root *langtest.Tree) (now *langtest.Tree, known bool) {
	now = root
	for _, move := range made.moves {
		now = now.Without(move[0])
	}
	for _, path := range made.removes {
		now = now.Without(path)
	}
	for _, move := range made.moves {
		if v := root.At(move[0]...); v != nil {
			now = now.With(move[1], v)
		}
	}
	for _, s := range made.sets {
		v, known := s.hole.Of(root)
		if !known {
			return nil, false
		}
		if v == nil {
			v = &langtest.Tree{}
		}
		now = now.With(s.path, v)
	}
	return now, true
}

// worker is the map as the component does it.
func (made *madeMap) worker(t *testing.T) component.Worker {
	t.Helper()
	var sets []component.NamedTemplate
	for _, s := range made.sets {
		tmpl, problems := template.Compile("{{ "+s.hole.Text+" }}", template.Options{Env: expression.Env{}})
		if tmpl == nil {
			t.Fatalf("%s: %+v", s.hole.Text, problems)
		}
		sets = append(sets, component.NamedTemplate{Name: written(s.path), Path: s.path, Template: tmpl})
	}
	var removes []string
	for _, path := range made.removes {
		removes = append(removes, written(path))
	}
	rename := ""
	for _, move := range made.moves {
		from, _ := json.Marshal(written(move[0]))
		to, _ := json.Marshal(written(move[1]))
		rename += fmt.Sprintf(",%s:%s", from, to)
	}
	if rename != "" {
		rename = "{" + rename[1:] + "}"
	}
	return worker(t, config(t, sets, removes, rename))
}

// written is a path as it stands in a pipeline, each part in quotes.
func written(path []string) string {
	var parts []string
	for _, part := range path {
		parts = append(parts, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(part)+`"`)
	}
	return strings.Join(parts, ".")
}

// reach is what a kind of map was tried with.
type reach struct {
	pairs  int
	hits   int // documents in which it has something to do
	exact  int // documents with a \u
	broken int // documents that are no JSON
}

func (r *reach) share(n int) int { return 100 * n / r.pairs }

// A map makes of a document what is made of the tree that encoding/json reads: each step there is a copy of it,
// while the component changes what it has to, and leaves the bytes of the rest. To run it for long:
// go test ./builtin/flow -run Reach -pairs 10000000 -timeout 0
func TestReachOfMaps(t *testing.T) {
	m := langtest.New(3)
	table := fmt.Sprintf("%-24s %8s %8s %8s", "in %", "hits", "exact", "broken")
	for _, rule := range mapRules {
		var r reach
		for r.pairs < *pairsFlag {
			made := rule.make(m)
			w := made.worker(t)
			for range 5 {
				r.try(t, &made, w, m.Document(made.wishes...))
			}
		}
		table += fmt.Sprintf("\n%-24s %8d %8d %8d", rule.name, r.share(r.hits), r.share(r.exact), r.share(r.broken))
		if r.share(r.hits) < 10 || r.share(r.exact) < 10 || r.share(r.broken) < 1 {
			t.Errorf("%s: %d %% have something to do, %d %% take the exact path, %d %% are broken", rule.name, r.share(r.hits), r.share(r.exact), r.share(r.broken))
		}
	}
	t.Log("\n" + table)
}

// try compares what w makes of doc with what the tree says.
func (r *reach) try(t *testing.T, made *madeMap, w component.Worker, doc []byte) {
	t.Helper()
	var out []*event.Event
	came := alert(string(doc))
	err := w.Process(came, func(e *event.Event) { out = append(out, e) })
	root, isJSON := langtest.Read(doc)
	r.pairs++
	if bytes.Contains(doc, []byte(`\u`)) {
		r.exact++
	}
	if !isJSON {
		if r.broken++; err == nil {
			t.Fatalf("%+v of %q, which is no JSON: no error", made, doc)
		}
		return
	}
	if made.hits(root) {
		r.hits++
	}
	want, known := made.of(root)
	if !known {
		return
	}
	if err != nil || len(out) != 1 {
		t.Fatalf("%+v of %q: %d events, %v", made, doc, len(out), err)
	}
	text := out[0].AppendJSON(nil)
	if got, ok := langtest.ReadWritten(text); !ok || !got.Equal(want) {
		t.Fatalf("%+v of %q: %s", made, doc, text)
	}
	if was, ok := langtest.ReadWritten(came.AppendJSON(nil)); !ok || !was.Equal(root) {
		t.Fatalf("%+v of %q: the event that came is now %s", made, doc, came.AppendJSON(nil))
	}
}

// FuzzMaps tries made-up maps with any document.
func FuzzMaps(f *testing.F) {
	for seed := range uint64(len(mapRules)) {
		m := langtest.New(seed)
		made := mapRules[seed].make(m)
		f.Add(seed, m.Document(made.wishes...))
	}
	f.Fuzz(func(t *testing.T, seed uint64, doc []byte) {
		m := langtest.New(seed)
		made := mapRules[seed%uint64(len(mapRules))].make(m)
		w := made.worker(t)
		var r reach
		if doc = bytes.TrimSpace(doc); len(doc) > 1 && doc[0] == '{' {
			r.try(t, &made, w, doc)
		}
		r.try(t, &made, w, m.Document(made.wishes...))
	})
}
