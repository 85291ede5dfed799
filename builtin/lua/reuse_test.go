package lua

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/event"
)

// What a script puts away, by whatever way, is not used again for the next events; neither is what went out.

const keeper = `
local xml = require "xml"
local kept, store, list = nil, {}, etl.array()
local function make(n) return MAKE end
BEFORE
function process(event)
  local x = make(event.n)
  if event.keep then PUT end
  return etl.object("x", x, "kept", event.show and GET or etl.null)
end`

func TestWhatIsPutAwayStays(t *testing.T) {
	const late = `local made = etl.object("n", 1, "m", etl.array(1, "1")) return made`
	ways := map[string]struct{ before, put, get string }{
		"variable":       {put: `kept = x`, get: `kept`},
		"by a function":  {before: `local function put(v) kept = v end`, put: `put(x)`, get: `kept`},
		"closure":        {put: `kept = function() return x end`, get: `kept()`},
		"field":          {put: `store.x = x`, get: `store.x`},
		"element":        {put: `store[1] = x`, get: `store[1]`},
		"rawset":         {put: `rawset(store, "x", x)`, get: `store.x`},
		"table.insert":   {put: `table.insert(store, x)`, get: `store[1]`},
		"insert before":  {put: `table.insert(store, 1, x)`, get: `store[1]`},
		"made list":      {put: `table.insert(list, x)`, get: `list[1]`},
		"made field":     {put: `list[1] = x`, get: `list[1]`},
		"list in list":   {put: `kept = { x }`, get: `kept[1]`},
		"metatable":      {put: `setmetatable(store, { x })`, get: `getmetatable(store)[1]`},
		"chunk":          {before: `local first = make(1)`, put: ``, get: `first`},
		"closure, chunk": {before: `local first do local x = make(1) first = function() return x end end`, put: ``, get: `first()`},
		"key":            {put: `store[x] = true`, get: `next(store)`},
	}
	makes := map[string]string{
		"object":  `etl.object("n", n, "m", etl.array(n, tostring(n)))`,
		"list":    `etl.array(n, etl.object("n", n))`,
		"element": `xml.element("a", { "b", n }, n, xml.empty("c"), "<")`,
		"escaped": `xml.escape("number " .. n)`,
		"text":    `tostring(xml.escape("number " .. n))`,
	}
	for way, w := range ways {
		for kind, expression := range makes {
			code := strings.NewReplacer("MAKE", expression, "BEFORE", w.before, "PUT", w.put, "GET", w.get).Replace(keeper)
			t.Run(way+" "+kind, func(t *testing.T) { checkKeeper(t, scriptOf(t, code)) })
		}
	}
	t.Run("module", func(t *testing.T) {
		code := strings.NewReplacer("MAKE", makes["object"], "BEFORE", "", "PUT", `require "late"`, "GET", `require "late"`).Replace(keeper)
		checkKeeper(t, workerOf(t, configOf(t, map[string]any{"code": code}, map[string]string{"late.lua": late})))
	})
}

// checkKeeper has a script keep what it made of 1, lets it make the same of other
// numbers, and looks at all that came out.
func checkKeeper(t *testing.T, w *worker) {
	t.Helper()
	var events []*event.Event
	process := func(text string) {
		if err := w.Process(eventOf(text), func(e *event.Event) { events = append(events, e) }); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		process(fmt.Sprintf(`{"n":%d}`, n+100))
	}
	process(`{"n":1,"keep":true}`)
	for n := range 6 {
		process(fmt.Sprintf(`{"n":%d}`, n+2))
	}
	process(`{"n":9,"show":true}`)
	want := []int{100, 101, 102, 1, 2, 3, 4, 5, 6, 7, 9}
	first, _ := events[3].Root()
	for i, e := range events {
		root, _ := e.Root()
		if got, want := root.Get("x").String(), strings.ReplaceAll(first.Get("x").String(), "1", fmt.Sprint(want[i])); got != want {
			t.Errorf("event %d is %s, not %s", i, got, want)
		}
	}
	last, _ := events[len(events)-1].Root()
	if got, want := last.Get("kept").String(), first.Get("x").String(); got != want {
		t.Errorf("what was kept is %s, and was %s", got, want)
	}
	if n := len(w.machine.mades.all) + len(w.machine.markups.all); n > 6 {
		t.Errorf("%d values for what each event makes a few of: they are not used again", n)
	}
}

// A worker that uses things again is held to one that does not.

func TestReuseAgainstPlain(t *testing.T) {
	for seed := range uint64(60) {
		compareWithPlain(t, seed)
	}
}

func FuzzReuse(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { compareWithPlain(t, seed) })
}

func compareWithPlain(t *testing.T, seed uint64) {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(seed, 2))}
	script := g.reusing()
	reusing, plain := scriptOf(t, script), scriptOf(t, script)
	var out [2][]*event.Event
	var failed [2][]string
	for n := range 12 {
		text := fmt.Sprintf(`{"n":%d,"way":%d,"doc":%s}`, n, g.IntN(8), g.object(2))
		for i, w := range []*worker{reusing, plain} {
			if w == plain && w.machine != nil {
				w.machine.budget.stored, w.machine.buffer = true, nil
			}
			err := w.Process(eventOf(text), func(e *event.Event) { out[i] = append(out[i], e) })
			failed[i] = append(failed[i], fmt.Sprint(err))
		}
	}
	for i := range max(len(out[0]), len(out[1])) {
		if got, want := string(out[0][i].AppendJSON(nil)), string(out[1][i].AppendJSON(nil)); got != want {
			t.Fatalf("seed %d, event %d: %s, plain %s\n%s", seed, i, got, want, script)
		}
	}
	if got, want := strings.Join(failed[0], "\n"), strings.Join(failed[1], "\n"); got != want {
		t.Fatalf("seed %d: %s\nplain %s\n%s", seed, got, want, script)
	}
}

// reusing is a script that makes things of an event, puts some of them away on
// some events, and shows what it has.
func (g generator) reusing() string {
	var b strings.Builder
	b.WriteString(`
local xml = require "xml"
local kept, store, list = nil, {}, etl.array()
local element = xml.template("<t a='{a}'>{b}{...}</t>")
local function text(v) if type(v) == "userdata" then return tostring(v) end return etl.text(v) end
function process(event)
  local doc, a, b, c = event.doc, event.n, nil, nil
`)
	for range 2 + g.IntN(6) {
		fmt.Fprintf(&b, "  %s = %s\n", g.pick("a", "b", "c"), g.made())
	}
	for way := range 1 + g.IntN(3) {
		fmt.Fprintf(&b, "  if event.way == %d then %s end\n", way, fmt.Sprintf(g.pick(
			"kept = %s", "store.x = %s", "store[#store + 1] = %s", "table.insert(list, %s)", "rawset(store, 'y', %s)",
			"local v = %s kept = function() return v end", "setmetatable(store, { %s })"), g.made()))
	}
	fmt.Fprintf(&b, `
  local was = kept
  if type(was) == "function" then was = was() end
  return etl.object("a", text(a), "b", b, "c", c, "kept", %s, "x", store.x, "list", #list > 0 and list or nil)
end`, g.pick("was", "text(was)", "#store > 0 and store[1] or nil", "xml.element('k', nil, text(was))"))
	return b.String()
}

// made is an expression that makes something.
func (g generator) made() string {
	v := func() string { return g.pick("a", "b", "c", "doc", "doc.a", "doc.list", "event.n", "'<&'", "event") }
	return fmt.Sprintf(g.pick("etl.object('k', %s, 'l', %s)", "etl.array(%s, %s)", "xml.element('e', { 'n', text(%s) }, text(%s))",
		"xml.escape(text(%s), %s)", "element(etl.object('a', text(%s)), text(%s))", "text(%s) or %s", "etl.copy(%s), %s",
		"xml.named(doc, 'm', 'n', true, { 'z', text(%s) }), %s", "tostring(xml.escape(text(%s))) .. text(%s)"), v(), v())
}
