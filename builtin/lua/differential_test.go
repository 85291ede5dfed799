package lua

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The proxy is held to real tables: the same script on the event itself and on
// a plain copy of it must see and make the same.

func TestProxyAgainstTables(t *testing.T) {
	for seed := range uint64(300) {
		compareWithTables(t, seed)
	}
}

func FuzzProxyAgainstTables(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { compareWithTables(t, seed) })
}

func compareWithTables(t *testing.T, seed uint64) {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	doc := g.object(3)
	script := g.script()
	w := scriptOf(t, differentialPrelude+script+differentialEnd)
	results := map[string]string{}
	for _, mode := range []string{"proxy", "table"} {
		out, _, err := run(w, `{"mode":"`+mode+`","doc":`+doc+`}`)
		switch {
		case err != nil:
			results[mode] = "failed: " + err.Error()[strings.LastIndex(err.Error(), ": ")+1:]
		default:
			// a plain table has lost how numbers and texts were written, and that an empty list is one
			written := strings.NewReplacer("\n", "", "[]", "{}").Replace(byValue(t, []byte(out[0])))
			results[mode] = written
		}
	}
	if results["proxy"] != results["table"] {
		t.Fatalf("seed %d\ndocument %s\nscript\n%s\nproxy %s\ntable %s", seed, doc, script, results["proxy"], results["table"])
	}
}

const differentialPrelude = `
local function show(v, depth)
  if type(v) ~= "table" then return type(v) .. ":" .. tostring(v) end
  if depth > 4 then return "deep" end
  local out = { "#" .. #v }
  for k, x in pairs(v) do out[#out + 1] = tostring(k) .. "=" .. show(x, depth + 1) end
  return "{" .. table.concat(out, ",") .. "}"
end

function process(event)
  local t = event.mode == "table" and etl.copy(event.doc) or event.doc
  local log, kept = {}, {}
  local function see(...)
    for i = 1, select("#", ...) do log[#log + 1] = show((select(i, ...)), 0) end
    log[#log + 1] = ";"
  end
  local function try(f) see((pcall(f))) end
`

const differentialEnd = `
  see(t)
  return etl.object("log", table.concat(log, " "), "doc", t)
end`

// generator makes documents and scripts.
type generator struct{ *rand.Rand }

func (g generator) pick(options ...string) string { return options[g.IntN(len(options))] }

var memberNames = []string{"a", "b", "c", "d", "x", "list"}

func (g generator) value(depth int) string {
	if depth > 0 {
		switch g.IntN(3) {
		case 0:
			return g.object(depth - 1)
		case 1:
			return g.list(depth - 1)
		}
	}
	return g.pick(`"text"`, `"é\u00e9\n"`, `1`, `-2.5`, `1e3`, `true`, `false`, `null`, `""`, `"7"`, `12345678901234567890123`, `0.10`)
}

func (g generator) object(depth int) string {
	var members []string
	for range g.IntN(6) {
		members = append(members, fmt.Sprintf("%q:%s", g.pick(memberNames...), g.value(depth)))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g generator) list(depth int) string {
	var items []string
	for range g.IntN(5) {
		items = append(items, g.value(depth))
	}
	return "[" + strings.Join(items, ",") + "]"
}

// place is an expression that may be a table.
func (g generator) place() string {
	s := "t"
	for range g.IntN(3) {
		s += g.pick(".a", ".b", ".c", ".list", "[1]", "[2]", `["x"]`)
	}
	return s
}

func (g generator) key() string {
	return g.pick(`"a"`, `"b"`, `"new"`, `1`, `2`, `3`, `#p + 1`, `#p`)
}

func (g generator) luaValue() string {
	return g.pick(`nil`, `1`, `"s"`, `true`, `etl.null`, `{ 1, 2 }`, `{ k = "v" }`, `t.a`, `t.list`, `p`, `p[1]`, `#p`)
}

// script is some statements, each on its own.
func (g generator) script() string {
	var b strings.Builder
	for range 3 + g.IntN(10) {
		statement := g.pick(
			"see(p)",
			"see(#p, type(p), next(p))",
			"see(p["+g.key()+"], rawget(p, "+g.key()+"))",
			"for k, v in pairs(p) do see(k, v) end",
			"for i, v in ipairs(p) do see(i, v) end",
			"for k, v in next, p do see(k) end",
			"see(unpack(p))",
			"see(unpack(p, 1, 2))",
			"see(table.getn(p), table.maxn(p))",
			"see(table.concat(p, ','))",
			"see(p == "+g.place()+", rawequal(p, "+g.place()+"), p ~= t)",
			"kept[p] = true see(kept["+g.place()+"])",
			"local k = "+g.key()+" if p[k] ~= nil then see(next(p, k)) end",
			"p["+g.key()+"] = "+g.luaValue(),
			"p.a = "+g.luaValue(),
			"p.b.c = "+g.luaValue(),
			"rawset(p, "+g.key()+", "+g.luaValue()+")",
			"table.insert(p, "+g.luaValue()+")",
			"table.insert(p, 1, "+g.luaValue()+")",
			"see(table.remove(p))",
			"see(table.remove(p, 1))",
			"table.sort(p)",
			"table.sort(p, function(a, b) return show(a, 0) > show(b, 0) end)",
			"for k, v in pairs(p) do p[k] = nil end",
			"for k, v in pairs(p) do p[k] = 'changed' end",
			"see((('a b c'):gsub('%w', p)))",
			"local q = p "+"q.a = q.b see(q.a == p.a)",
			"see(type(etl.text(p, 'a')), type(etl.text(p, 1)))",
			"for k, v in etl.texts(p) do see(k) end",
			"see(p.x.y)",
			"see(p .. 'x')",
			"see(p < p)",
			"see(p())",
		)
		fmt.Fprintf(&b, "  try(function() local p = %s %s end)\n", g.place(), statement)
	}
	return b.String()
}
