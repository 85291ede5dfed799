package template

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
)

var stream = &event.Stream{Source: "source.file.alerts", Generation: "g"}

func eventOf(raw string) *event.Event {
	return event.New(stream, 7, []byte(raw), time.Unix(1, 0), ack.Token{})
}

func env(t testing.TB) expression.Env {
	d, err := document.Parse([]byte(`{"ext":".jsonl","topic":"alerts","nothing":null,"list":["a"]}`))
	if err != nil {
		t.Fatal(err)
	}
	return expression.Env{Vars: d.Root(), Unknown: map[string]string{"var.brokers": "brokers"}}
}

const alert = `{"rule":{"level":7,"groups":["a","b"]},"agent":{"id":"001","name":"edge birch.x"},"n":null,"evil":"../../etc\u0000/x","dots":"..","cr":"a\r\nb","empty":"","float":1.50}`

func TestValues(t *testing.T) {
	for src, want := range map[string]string{
		`plain`:                                 `"plain"`,
		``:                                      `""`,
		`{{ rule.level }}`:                      `7`,
		`{{rule.level}}`:                        `7`,
		`{{ rule.groups }}`:                     `["a","b"]`,
		`{{ nope }}`:                            `null`,
		` {{ rule.level }}`:                     `" 7"`,
		`level {{ rule.level }} of {{ nope }}.`: `"level 7 of ."`,
		`{{ float }}x`:                          `"1.50x"`,
		`{{ agent }}!`:                          `"{\"id\":\"001\",\"name\":\"edge birch.x\"}!"`,
		`{{ {'a': {'b': 1}} }}`:                 `{"a":{"b":1}}`,
		`{{ '}}' }}x`:                           `"}}x"`,
		"{{ `}}` + \"}}\" }}x":                  `"}}}}x"`,
		`{{ '{{' }}`:                            `"{{"`,
		`a }} b`:                                `"a }} b"`,
		`{{ 'it\'s }}' }}`:                      `"it's }}"`,
		`{{ rule.level /* don't }} */ }}`:       `7`,
		`{{ var.topic }}`:                       `"alerts"`,
		`{{ var.list }}`:                        `["a"]`,
		`{{ var.brokers }}`:                     `"(var.brokers has no value)"`,
		`to {{ var.brokers }}`:                  `"to (var.brokers has no value)"`,
		`{{ rule.level > 3 ? {'a': 1} : {} }}`:  `{"a":1}`,
	} {
		tmpl, problems := Compile(src, Options{Env: env(t)})
		if tmpl == nil {
			t.Errorf("%s: %+v", src, problems)
			continue
		}
		v, err := tmpl.Value(eventOf(alert))
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := string(v.AppendJSON(nil)); got != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
		text, err := tmpl.AppendText([]byte("> "), eventOf(alert))
		if err != nil || string(text) != "> "+string(v.AppendText(nil)) {
			t.Errorf("%s as text: %s %v", src, text, err)
		}
	}
}

func TestPattern(t *testing.T) {
	for src, want := range map[string]string{
		`plain`: `plain`, `{{ 'a' }}.b`: `a.b`, `{{ agent.id }}`: `?`,
		`x.{{ agent.id }}.{{ rule.level }}y`: `x.?.?y`,
		`${{ agent.id }}`:                    `$?`,
	} {
		tmpl, problems := Compile(src, Options{Env: env(t), Place: component.PlaceSubject})
		if tmpl == nil {
			t.Fatalf("%s: %+v", src, problems)
		}
		if got := component.Pattern(tmpl, "?"); got != want {
			t.Errorf("%s: %s, not %s", src, got, want)
		}
	}
	if got := component.Pattern(Object(nil), "?"); got != "?" {
		t.Errorf("an object: %s", got)
	}
}

func TestPlaces(t *testing.T) {
	long := `{"x":"` + strings.Repeat("a", 5000) + `"}`
	for _, test := range []struct {
		place          component.Place
		src, doc, want string
		err            string
	}{
		{component.PlaceSubject, `alerts.{{ agent.name }}.x`, alert, `alerts.edge%20birch%2Ex.x`, ""},
		{component.PlaceSubject, `a.{{ x }}`, `{"x":"*>%é"}`, `a.%2A%3E%25é`, ""},
		{component.PlaceSubject, `a.{{ empty }}.b`, alert, ``, "empty token"},
		{component.PlaceSubject, `a.{{ x }}`, long, ``, "the limit is 4000"},
		{component.PlaceSubject, `a.{{ n }}`, alert, ``, "n is nil"},
		{component.PlaceTopic, `dfn-{{ agent.name }}`, alert, `dfn-edge_20birch.x`, ""},
		{component.PlaceTopic, `{{ x }}`, `{"x":"é"}`, `_C3_A9`, ""},
		{component.PlaceTopic, `{{ x }}`, `{"x":""}`, ``, "topic is empty"},
		{component.PlaceTopic, `{{ dots }}`, alert, ``, "can't be called .."},
		{component.PlaceTopic, `{{ x }}`, long, ``, "the limit is 249"},
		{component.PlaceTopic, `{{ agent.nope }}`, alert, ``, "agent.nope is nil"},
		{component.PlacePath, `/var/{{ agent.id }}/{{ evil }}.jsonl`, alert, `/var/001/%2E%2E%2F%2E%2E%2Fetc%00%2Fx.jsonl`, ""},
		{component.PlacePath, `{{ dots }}/x`, alert, `%2E%2E/x`, ""},
		{component.PlacePath, `{{ x }}`, `{"x":".hidden.a"}`, `%2Ehidden.a`, ""},
		{component.PlacePath, `a{{ x }}`, `{"x":".b"}`, `a.b`, ""},
		{component.PlacePath, `a{{ var.ext }}`, `{}`, `a.jsonl`, ""},
		{component.PlacePath, `{{ empty }}/x`, alert, ``, "empty part"},
		{component.PlacePath, `d/{{ empty }}/x`, alert, ``, "empty part"},
		{component.PlacePath, `d/{{ x }}`, long, ``, "the limit is 255"},
		{component.PlacePath, `{{ x }}{{ y }}`, `{"x":"","y":"../a"}`, `%2E%2E%2Fa`, ""},
		{component.PlaceHeader, `{{ cr }} 5%`, alert, `a%0D%0Ab 5%`, ""},
		{component.PlaceKey, `{{ evil }}`, alert, "../../etc\x00/x", ""},
	} {
		tmpl, problems := Compile(test.src, Options{Env: env(t), Place: test.place, Address: true})
		if tmpl == nil {
			t.Errorf("%s: %+v", test.src, problems)
			continue
		}
		got, err := tmpl.AppendText(nil, eventOf(test.doc))
		if test.err != "" {
			failure, ok := err.(*event.Failure)
			if !ok || failure.Code != event.CodeTemplate || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s %s: %v, want %s", test.place, test.src, err, test.err)
			}
			continue
		}
		if err != nil || string(got) != test.want {
			t.Errorf("%s %s\n got %s %v\nwant %s", test.place, test.src, got, err, test.want)
		}
		v, err := tmpl.Value(eventOf(test.doc))
		if err != nil || string(v.AppendText(nil)) != test.want {
			t.Errorf("%s %s as value: %s %v", test.place, test.src, v.AppendText(nil), err)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		src        string
		o          Options
		start      int
		message    string
		suggestion string
		warning    bool
	}{
		{`a {{ b`, Options{}, 2, "never closed", "{{ '{{' }}", false},
		{`a {{ 'b }} c`, Options{}, 2, "never closed", "a quote or bracket", false},
		{`a {{ b( }} c`, Options{}, 6, "`(` is never closed", "", false},
		{`a {{ b = 1 }}`, Options{}, 7, "unexpected `=`", "write ==", false},
		{`é {{ nope(1) }}`, Options{}, 6, "no function called nope", "one", false},
		{`{{ }}`, Options{}, 2, "an expression is missing", "", false},
		{`{{ var.nothing }}`, Options{Address: true}, 2, "var.nothing is nil", "", false},
		{`agent.id`, Options{Place: component.PlaceKey}, 0, `this is the text "agent.id"`, "write {{ agent.id }}", true},
		{`origin.agent.id`, Options{Place: component.PlaceTopic}, 0, `this is the text`, "write {{ origin.agent.id }}", true},
	} {
		test.o.Env = env(t)
		tmpl, problems := Compile(test.src, test.o)
		if len(problems) == 0 {
			t.Errorf("%s: no problem", test.src)
			continue
		}
		p := problems[0]
		if p.Start != test.start || !strings.Contains(p.Message, test.message) || !strings.Contains(p.Suggestion, test.suggestion) || p.Warning != test.warning || (tmpl != nil) != test.warning {
			t.Errorf("%s: %+v", test.src, p)
		}
	}
	for src, place := range map[string]component.Place{`wazuh.alerts`: component.PlaceTopic, `data.jsonl`: component.PlacePath, `agent.status`: component.PlaceSubject, `hello.world`: "", `agent`: ""} {
		if _, problems := Compile(src, Options{Place: place}); len(problems) > 0 {
			t.Errorf("%s: %+v", src, problems)
		}
	}
}

func TestStructures(t *testing.T) {
	hole := func(src string) component.Template {
		tmpl, problems := Compile(src, Options{Env: env(t)})
		if tmpl == nil {
			t.Fatal(problems)
		}
		return tmpl
	}
	o := Object([]component.NamedTemplate{
		{Name: "z", Template: hole(`{{ rule.level }}`)},
		{Name: "a.b", Template: Constant(document.NewBool(true))},
		{Name: "l", Template: List([]component.Template{hole(`x{{ nope }}`), hole(`{{ nope }}`)})},
	})
	const want = `{"z":7,"a.b":true,"l":["x",null]}`
	v, err := o.Value(eventOf(alert))
	if got := string(v.AppendJSON(nil)); err != nil || got != want {
		t.Errorf("%s %v", got, err)
	}
	text, err := o.AppendText(nil, eventOf(alert))
	if err != nil || string(text) != want {
		t.Errorf("%s %v", text, err)
	}
	if _, ok := o.Constant(); ok {
		t.Error("an object of holes is not constant")
	}
	if s, ok := hole(`a{{ var.topic }}`).Constant(); !ok || s != "aalerts" {
		t.Errorf("%q %v", s, ok)
	}
	var names []string
	for _, r := range Reads(o) {
		names = append(names, strings.Join(r.Names, "."))
	}
	if !slices.Equal(names, []string{"rule.level", "nope", "nope"}) {
		t.Errorf("reads %v", names)
	}
	broken := Object([]component.NamedTemplate{{Name: "x", Template: hole(`{{ rule.level }}`)}})
	if _, err := broken.Value(eventOf(`{"rule`)); err == nil {
		t.Error("a broken document is the event's error")
	}
}

func TestSplitPath(t *testing.T) {
	for s, want := range map[string][]string{
		`agent`: {"agent"}, `agent.id`: {"agent", "id"}, `data."a.b".c`: {"data", "a.b", "c"}, `'@timestamp'`: {"@timestamp"}, `@timestamp`: {"@timestamp"}, `a."".b`: {"a", "", "b"},
	} {
		if got, err := SplitPath(s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q %v", s, got, err)
		}
	}
	for _, s := range []string{``, `.`, `a.`, `.a`, `a..b`, `a."b`, `a."b"c`, `a"b".c`} {
		if got, err := SplitPath(s); err == nil {
			t.Errorf("%s: %q", s, got)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`a {{ b }} c`, `{{ {'a': {'b': 1}} }}`, `{{ '}}' }}`, "{{ ` }}", `{{ /* }} */ a }}`, `{{ var.topic }}`, `{{ }} {{`} {
		f.Add(s, "../%")
	}
	f.Fuzz(func(t *testing.T, src, value string) {
		e := env(t)
		root := document.NewObject([]document.Member{{Name: "x", Value: document.NewText(value)}})
		for place := range unsafeIn {
			tmpl, problems := Compile(src+"{{ x }}", Options{Env: e, Place: place, Address: true})
			for _, p := range problems {
				if p.Start < 0 || p.End < p.Start || p.End > len(src)+7 {
					t.Fatalf("%q: %+v", src, p)
				}
			}
			if tmpl == nil {
				if !expression.Failed(problems) {
					t.Fatalf("%q: no template and no error", src)
				}
				continue
			}
			_, _ = tmpl.AppendText(nil, eventOf(`{}`).Derive("x", -1, root))
		}
		hole, _ := Compile("d/{{ x }}", Options{Env: e, Place: component.PlacePath, Address: true})
		if text, err := hole.AppendText(nil, eventOf(`{}`).Derive("x", -1, root)); err == nil && (strings.Count(string(text), "/") != 1 || strings.Contains(string(text), "..") || strings.HasPrefix(string(text), "d/.")) {
			t.Fatalf("%q leaves its part: %q", value, text)
		}
	})
}

func BenchmarkSubject(b *testing.B) {
	tmpl, _ := Compile(`alerts.{{ agent.name }}.{{ rule.level }}`, Options{Place: component.PlaceSubject, Address: true})
	e := eventOf(`{"rule":{"level":7},"agent":{"name":"edge-birch"}}`)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = tmpl.AppendText(dst[:0], e)
	}
}
