package lua

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// What the script does not touch goes out byte for byte; blanks show it.
const written = `{"a": {"b":  1.0, "c":"\u0041"}, "list": [1,  2, {"x":1e2}], "n":12345678901234567890, "z":null, "s":"t"}`

func TestResults(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"the event itself", `return event`, []string{written}},
		{"read but not changed", `local x = event.a.b + #event.list event.list[3].x = event.list[3].x return event`, []string{`{"a":{"b":  1.0, "c":"\u0041"},"list":[1,2,{"x":1e2}],"n":12345678901234567890,"z":null,"s":"t"}`}},
		{"nil", `return nil`, nil},
		{"nothing", ``, nil},
		{"an empty list", `return {}`, nil},
		{"an empty array", `return etl.array()`, nil},
		{"an empty object", `return etl.object()`, []string{`{}`}},
		{"a member changed", `event.s = "u" return event`, []string{`{"a":{"b":  1.0, "c":"\u0041"},"list":[1,  2, {"x":1e2}],"n":12345678901234567890,"z":null,"s":"u"}`}},
		{"a member added", `event.new = { "x" } return event`, []string{`{"a":{"b":  1.0, "c":"\u0041"},"list":[1,  2, {"x":1e2}],"n":12345678901234567890,"z":null,"s":"t","new":["x"]}`}},
		{"a member removed", `event.a, event.list = nil return event`, []string{`{"n":12345678901234567890,"z":null,"s":"t"}`}},
		{"below", `event.a.c = nil return event`, []string{`{"a":{"b":1.0},"list":[1,  2, {"x":1e2}],"n":12345678901234567890,"z":null,"s":"t"}`}},
		{"in a list", `event.list[3].y = true return event.list[3]`, []string{`{"x":1e2,"y":true}`}},
		{"a subtree", `return event.a`, []string{`{"b":  1.0, "c":"\u0041"}`}},
		{"a subtree inside another", `return { data = event.a }`, []string{`{"data":{"b":  1.0, "c":"\u0041"}}`}},
		{"moved", `event.list[1] = event.a event.a = nil return event`, []string{`{"list":[{"b":  1.0, "c":"\u0041"},2,{"x":1e2}],"n":12345678901234567890,"z":null,"s":"t"}`}},
		{"in order", `return etl.object("z", 1, "a", nil, "m", etl.null, "l", etl.array(1, nil, "x"), "z", 2)`, []string{`{"z":2,"m":null,"l":[1,null,"x"]}`}},
		{"a list", `return { event, { i = 1 }, etl.object("i", 2) }`, []string{written, `{"i":1}`, `{"i":2}`}},
		{"an array", `return etl.array(event.a)`, []string{`{"b":  1.0, "c":"\u0041"}`}},
		{"an array of the event", `event.list[1], event.list[2] = { i = 1 }, { i = 2 } return event.list`, []string{`{"i":1}`, `{"i":2}`, `{"x":1e2}`}},
		{"large numbers", `return { n = event.n, type = type(event.n), text = tostring(event.n), float = tonumber(event.n), more = event.n + 1, same = event.n == event.n }`,
			[]string{`{"n":12345678901234567890,"type":"number","text":"12345678901234567890","float":12345678901234567000,"more":12345678901234567000,"same":true}`}},
		{"text as written", `return { b = etl.text(event.a, "b"), n = etl.text(event, "n"), o = etl.text(event, "a"), z = etl.text(event, "z"), none = etl.text(event, "a", "q", "r") }`,
			[]string{`{"b":"1.0","n":"12345678901234567890","o":"{\"b\":  1.0, \"c\":\"\\u0041\"}","z":""}`}},
		{"texts", `local out = {} for k, v in etl.texts(event.a) do out[#out + 1] = k .. "=" .. v end return { t = out }`, []string{`{"t":["b=1.0","c=A"]}`}},
		{"null", `return { is = event.z == etl.null, not_nil = event.z ~= nil, there = event.q == nil, text = tostring(event.z) }`, []string{`{"is":true,"not_nil":true,"there":true,"text":"null"}`}},
		{"surroundings", `return { id = etl.meta.id, source = etl.meta.source, s = etl.origin.s }`, []string{`{"id":"g@7","source":"source.file.alerts","s":"t"}`}},
		{"an origin that differs", `event.s = "changed" return { s = etl.origin.s }`, []string{`{"s":"t"}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := scriptOf(t, "function process(event) "+c.body+" end")
			got, events, err := run(w, written)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if c.name == "the event itself" && events[0].ID() != "g@7" {
				t.Errorf("id %s", events[0].ID())
			}
		})
	}
}

func TestIDs(t *testing.T) {
	w := scriptOf(t, `function process(e) if e.list then return { e, { a = 1 } } end e.new = 1 return e end`)
	for text, want := range map[string]string{
		`{}`:               "g@7/transform.lua.test",
		`{"list":[1,2,3]}`: "g@7/transform.lua.test#0 g@7/transform.lua.test#1",
	} {
		_, events, err := run(w, text)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, e := range events {
			ids = append(ids, e.ID())
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// An error says where it happened, in the file that the operator edits.
func TestFailures(t *testing.T) {
	files := map[string]string{
		"lua/script.lua": "local helper = require 'helper'\nfunction process(event)\n  local r = helper.run(event) return r\nend\n",
		"helper.lua":     "local M = {}\n\nfunction M.run(event)\n  error('went wrong')\nend\nreturn M\n",
	}
	check := func(t *testing.T, w *worker, message, file string, line int, trace ...string) {
		t.Helper()
		_, _, err := run(w, `{"a":1}`)
		var f *event.Failure
		if !errors.As(err, &f) {
			t.Fatalf("%v", err)
		}
		if f.Code != codeError || f.Message != message || f.File != file || f.Line != line {
			t.Errorf("%s %q at %s:%d\n%s", f.Code, f.Message, f.File, f.Line, f.Trace)
		}
		for _, part := range trace {
			if !strings.Contains(f.Trace, part) {
				t.Errorf("no %q in\n%s", part, f.Trace)
			}
		}
	}
	check(t, workerOf(t, configOf(t, map[string]any{"script": "lua/script.lua"}, files)),
		"helper.lua:4: went wrong", "helper.lua", 4, "helper.lua:4", "lua/script.lua:3")
	check(t, scriptOf(t, "function process(event)\n  local x = event.a.b\nend"),
		"pipeline.hcl:11: attempt to index a non-table object(number) with key 'b'", "pipeline.hcl", 11)
	check(t, scriptOf(t, "function process(event)\n\n  error('no place', 0)\nend"), "pipeline.hcl:12: no place", "pipeline.hcl", 12)
	check(t, scriptOf(t, "function process(event)\n  error({ code = 5, text = 'x' })\nend"), `pipeline.hcl:11: {"code":5,"text":"x"}`, "pipeline.hcl", 11)
	check(t, scriptOf(t, "function process(event)\n  return event .. 'x'\nend"),
		"pipeline.hcl:11: cannot perform concat operation between userdata and string", "pipeline.hcl", 11)
	check(t, scriptOf(t, "function process(event)\n  counter = 1\nend"),
		"pipeline.hcl:11: global counter can't be set: globals are read-only once the script is loaded; use a local outside of process", "pipeline.hcl", 11)
	check(t, scriptOf(t, "function process(event)\n  return { print }\nend"), "element 1 of what process returned: a function can't be part of an event", "", 0)
	check(t, scriptOf(t, "function process(event)\n  return { { 1, a = 2 } }\nend"), "element 1 of what process returned: a table that has both elements and the member \"a\" can't be part of an event", "", 0)
}

// What is broken is the event's own; one that is no JSON doesn't reach Lua.
func TestBrokenEvent(t *testing.T) {
	w := scriptOf(t, `function process(event) error("never") end`)
	var f *event.Failure
	if _, _, err := run(w, `{"a":`); !errors.As(err, &f) || f.Code != event.CodeNotJSON {
		t.Errorf("%v", err)
	}
	if _, _, err := run(w, `"text"`); !errors.As(err, &f) || !strings.Contains(f.Message, `"text"`) {
		t.Errorf("%v", err)
	}
}

func TestKeptEventIsStale(t *testing.T) {
	w := scriptOf(t, `
		local kept, copy, made, data
		function process(event)
			if event.keep then
				kept, data, copy, made = event, event.data, etl.copy(event), etl.object("a", event.keep)
				return { n = 1 }
			end
			if event.copy then return { a = copy.data.x, b = made.a } end
			if event.write then kept.x = 1 end
			if event.list then for k in pairs(data) do end end
			if event.out then return { k = kept } end
			if event.direct then return kept end
			if event.below then return event, { data } end
			return { x = kept.data }
		end`)
	keep := func() {
		if _, _, err := run(w, `{"keep":1,"data":{"x":"first"}}`); err != nil {
			t.Fatal(err)
		}
	}
	keep()
	for _, use := range []string{"read", "write", "list", "out", "direct"} {
		_, _, err := run(w, `{"`+use+`":1,"data":{"x":"second"}}`)
		if err == nil || !strings.Contains(err.Error(), "through") {
			t.Errorf("%s: %v", use, err)
		}
	}
	if out, _, err := run(w, `{"copy":1}`); err != nil || out[0] != `{"a":"first","b":1}` {
		t.Errorf("%v %v", out, err)
	}
}

// State in locals lives from event to event, unless a limit is hit.
func TestState(t *testing.T) {
	w := scriptOf(t, `
		local n = 0
		function process(event)
			n = n + 1
			if event.fail then error("x") end
			if event.loop then while true do end end
			return { n = n }
		end`)
	w.transform.settings.timeout = 20e6
	w.stop()
	want := []string{`{"n":1}`, "", `{"n":3}`, "", `{"n":1}`}
	for i, text := range []string{`{}`, `{"fail":1}`, `{}`, `{"loop":1}`, `{}`} {
		out, _, _ := run(w, text)
		if strings.Join(out, "") != want[i] {
			t.Errorf("%d: %s, want %s", i, out, want[i])
		}
	}
}

// What a script keeps of an event is a copy: it doesn't keep the event's bytes.
func TestKeptTextFreesTheEvent(t *testing.T) {
	w := scriptOf(t, `
		local texts, names, tables = {}, {}, {}
		function process(event)
			texts[#texts + 1] = event.s
			texts[#texts + 1] = etl.text(event, "n")
			texts[#texts + 1] = event.big
			tables[#tables + 1] = event.data
			for name in pairs(event) do names[name .. #texts] = name end
			for name, text in etl.texts(event.data) do names[name] = text end
			return { n = #texts }
		end`)
	freed := make(chan bool, 10)
	for i := range cap(freed) {
		raw := fmt.Appendf(nil, `{"s":"text","n":1.50,"big":12345678901234567890,"data":{"k%d":"v"}}`, i)
		runtime.AddCleanup(&raw[0], func(bool) { freed <- true }, true)
		if err := w.Process(event.New(stream, 7, raw, time.Time{}, ack.Token{}), func(*event.Event) {}); err != nil {
			t.Fatal(err)
		}
	}
	for range cap(freed) - 2 { // the last event is still the current one
		runtime.GC()
		select {
		case <-freed:
		case <-time.After(time.Minute):
			t.Fatal("the bytes of events are still held")
		}
	}
}

// What a script keeps is bounded, however little each event adds.
func TestKeptIsBounded(t *testing.T) {
	c := configOf(t, map[string]any{"memory": int64(1 << 20), "code": `
		local seen, n = {}, 0
		function process(event)
			n = n + 1
			seen[n] = ("x"):rep(1000) .. n
			return { n = n }
		end`}, nil)
	w := workerOf(t, c)
	failed := 0
	for i := range 5000 {
		_, _, err := run(w, `{}`)
		if err == nil {
			continue
		}
		var f *event.Failure
		if !errors.As(err, &f) || f.Code != codeMemory || !strings.Contains(f.Message, "keeps") {
			t.Fatalf("%d: %v", i, err)
		}
		failed++
	}
	if failed < 2 || failed > 10 {
		t.Errorf("%d events failed", failed)
	}
	// garbage is no leak
	w = workerOf(t, configOf(t, map[string]any{"memory": int64(1 << 20), "code": `
		local last
		function process(event) last = ("x"):rep(10000) return { last = #last } end`}, nil))
	for range 1000 {
		if _, _, err := run(w, `{}`); err != nil {
			t.Fatal(err)
		}
	}
}

// Objects with many members are found by a map.
func TestManyMembers(t *testing.T) {
	var document strings.Builder
	for i := range 100 {
		fmt.Fprintf(&document, `"m%d":%d,`, i, i)
	}
	w := scriptOf(t, `function process(event)
		local list = {}
		for i = 0, 99 do list[2 * i + 1], list[2 * i + 2] = "m" .. i % 60, i end
		local made = etl.object(unpack(list))
		return etl.object("a", event.m0 + event.m99, "none", event.m100, "b", made.m0 + made.m59, "n", #event) end`)
	out, _, err := run(w, "{"+document.String()+`"z":0}`)
	if err != nil || out[0] != `{"a":99,"b":119,"n":0}` {
		t.Errorf("%v %v", out, err)
	}
}

func TestConfig(t *testing.T) {
	config := document.NewObject([]document.Member{
		{Name: "names", Value: document.NewArray([]document.Value{document.NewText("a"), document.NewText("b")})},
		{Name: "limit", Value: document.NewInt(5)},
	})
	w := workerOf(t, configOf(t, map[string]any{"config": config, "code": `
		local names = {}
		for i, name in ipairs(config.names) do names[name] = i end
		function process(event) return { i = names.b, limit = config.limit, all = config } end`}, nil))
	for range 2 {
		out, _, err := run(w, `{}`)
		if err != nil || out[0] != `{"i":2,"limit":5,"all":{"names":["a","b"],"limit":5}}` {
			t.Fatal(out, err)
		}
	}
}
