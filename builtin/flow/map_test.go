package flow

import (
	"errors"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// at is the template `{{ path }}`.
type at []string

func (p at) Value(e *event.Event) (document.Value, error) {
	root, err := e.Root()
	return root.At(p...), err
}

func (p at) AppendText(dst []byte, e *event.Event) ([]byte, error) {
	v, err := p.Value(e)
	return v.AppendText(dst), err
}

func (p at) Constant() (string, bool) { return "", false }

// text is a template without holes.
type text string

func (t text) Value(*event.Event) (document.Value, error) { return document.NewText(string(t)), nil }
func (t text) AppendText(dst []byte, _ *event.Event) ([]byte, error) {
	return append(dst, t...), nil
}
func (t text) Constant() (string, bool) { return string(t), true }

// broken is a template whose expression fails.
type broken struct{ text }

var errBroken = event.Failf(event.CodeTemplate, "no such luck")

func (broken) Value(*event.Event) (document.Value, error) { return document.Value{}, errBroken }

func set(path string, t component.Template) component.NamedTemplate {
	parts, err := splitPath(path)
	if err != nil {
		panic(err)
	}
	return component.NamedTemplate{Name: path, Path: parts, Template: t}
}

func object(t testing.TB, text string) document.Value {
	t.Helper()
	d, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func config(t testing.TB, sets []component.NamedTemplate, removes []string, rename string) *component.Config {
	c := &component.Config{Address: "transform.map.m", Role: component.RoleTransform, Values: map[string]any{}}
	if sets != nil {
		c.Values["set"] = sets
	}
	if removes != nil {
		c.Values["remove"] = removes
	}
	if rename != "" {
		c.Values["rename"] = object(t, rename)
	}
	return c
}

func worker(t testing.TB, c *component.Config) component.Worker {
	t.Helper()
	m, err := mapSpec.NewTransform(c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Worker(&component.Host{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func alert(raw string) *event.Event {
	return event.New(&event.Stream{Source: "source.file.alerts", Generation: "g"}, 7, []byte(raw), time.Unix(0, 0), ack.Token{})
}

func TestMap(t *testing.T) {
	type sets = []component.NamedTemplate
	for name, c := range map[string]struct {
		in      string
		sets    sets
		removes []string
		rename  string
		want    string
	}{
		"nothing to do":                      {in: `{"a":1}`, want: `{"a":1}`},
		"set adds at the end":                {in: `{"a":1,"b":2}`, sets: sets{set("c", text("x"))}, want: `{"a":1,"b":2,"c":"x"}`},
		"set replaces in place":              {in: `{"a":{"x":1},"b":2}`, sets: sets{set("a", at{"b"})}, want: `{"a":2,"b":2}`},
		"set makes objects":                  {in: `{"a":1}`, sets: sets{set("b.c.d", at{"a"})}, want: `{"a":1,"b":{"c":{"d":1}}}`},
		"set goes through what is no object": {in: `{"a":1}`, sets: sets{set("a.b", text("x"))}, want: `{"a":{"b":"x"}}`},
		"set keeps types and number text":    {in: `{"a":{"n":1.50}}`, sets: sets{set("b", at{"a"})}, want: `{"a":{"n":1.50},"b":{"n":1.50}}`},
		"set of nothing is null":             {in: `{"a":1}`, sets: sets{set("b", at{"x", "y"})}, want: `{"a":1,"b":null}`},
		"set reads what came":                {in: `{"a":1,"b":2}`, sets: sets{set("a", at{"b"}), set("b", at{"a"})}, want: `{"a":2,"b":1}`},
		"set sees what is removed":           {in: `{"a":{"b":1}}`, sets: sets{set("c", at{"a", "b"})}, removes: []string{"a"}, want: `{"c":1}`},
		"set after remove starts anew":       {in: `{"a":{"b":1}}`, sets: sets{set("a.c", text("x"))}, removes: []string{"a"}, want: `{"a":{"c":"x"}}`},
		"quoted part":                        {in: `{"a.b":{"c":1}}`, sets: sets{set(`"a.b".d`, text("x"))}, want: `{"a.b":{"c":1,"d":"x"}}`},
		"remove":                             {in: `{"a":{"b":1,"c":2},"d":3}`, removes: []string{"a.b", "d", "e", "a.x.y"}, want: `{"a":{"c":2}}`},
		"remove all":                         {in: `{"a":1}`, removes: []string{"a"}, want: `{}`},
		"rename":                             {in: `{"a":{"b":1}}`, rename: `{"a.b":"c.d"}`, want: `{"a":{},"c":{"d":1}}`},
		"rename of null":                     {in: `{"a":null}`, rename: `{"a":"b"}`, want: `{"b":null}`},
		"rename of nothing":                  {in: `{"a":1}`, rename: `{"x":"a"}`, want: `{"a":1}`},
		"rename replaces":                    {in: `{"a":1,"b":{"x":2}}`, rename: `{"a":"b"}`, want: `{"b":1}`},
		"rename swaps":                       {in: `{"a":1,"b":2}`, rename: `{"a":"b","b":"a"}`, want: `{"b":1,"a":2}`},
		"rename into itself":                 {in: `{"a":{"x":1}}`, rename: `{"a":"a.b"}`, want: `{"a":{"b":{"x":1}}}`},
		"rename saves from remove":           {in: `{"data":{"ip":1,"x":2}}`, rename: `{"data.ip":"data.source"}`, removes: []string{"data"}, want: `{"data":{"source":1}}`},
		"set has the last word":              {in: `{"a":1}`, rename: `{"a":"b"}`, sets: sets{set("b", text("x"))}, want: `{"b":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := worker(t, config(t, c.sets, c.removes, c.rename))
			e := alert(c.in)
			var got []*event.Event
			if err := w.Process(e, func(e *event.Event) { got = append(got, e) }); err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 {
				t.Fatalf("%d events", len(got))
			}
			if s := string(got[0].AppendJSON(nil)); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
			if id := got[0].ID(); id != "g@7/transform.map.m" {
				t.Errorf("id %s", id)
			}
			if s := string(e.AppendJSON(nil)); s != c.in {
				t.Errorf("the event that came is now %s", s)
			}
		})
	}
}

func TestMapPassesTheEventsErrorOn(t *testing.T) {
	none := func(*event.Event) { t.Error("an event came out") }
	w := worker(t, config(t, []component.NamedTemplate{set("a", broken{})}, nil, ""))
	if err := w.Process(alert(`{}`), none); !errors.Is(err, errBroken) {
		t.Errorf("template: %v", err)
	}
	var f *event.Failure
	w = worker(t, config(t, nil, []string{"a"}, ""))
	if err := w.Process(alert(`{"a":`), none); !errors.As(err, &f) || f.Code != event.CodeNotJSON {
		t.Errorf("not JSON: %v", err)
	}
}

func TestMapRefuses(t *testing.T) {
	for name, c := range map[string]*component.Config{
		"path set twice":      config(t, []component.NamedTemplate{set("a.b", text("x")), set(`a."b"`, text("y"))}, nil, ""),
		"empty part":          config(t, nil, []string{"a..b"}, ""),
		"two to one":          config(t, nil, nil, `{"a":"c","b":"c"}`),
		"new name is no text": config(t, nil, nil, `{"a":1}`),
		"rename is a list":    config(t, nil, nil, `["a"]`),
	} {
		if _, err := mapSpec.NewTransform(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkMap(b *testing.B) {
	w := worker(b, config(b, []component.NamedTemplate{set("source.ip", at{"data", "srcip"})}, []string{"full_log"}, ""))
	e := alert(`{"rule":{"level":3},"full_log":"x","data":{"srcip":"192.0.2.1"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Process(e, func(*event.Event) {}); err != nil {
			b.Fatal(err)
		}
	}
}
