package lua

import (
	"errors"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/event"
)

const (
	hostileTime   = 500 * time.Millisecond
	hostileMemory = 32 << 20
	// hostilePeak is how much the heap may grow while a script runs that does
	// its worst: what it may allocate, the copy that a growing table or string is for a moment, and
	// what the collector has not got round to.
	hostilePeak = 5 * hostileMemory
)

// hostile are bodies of process. They never return an event.
var hostile = map[string]string{
	// time
	"endless loop":           `while true do end`,
	"endless repeat":         `repeat local x = 1 until false`,
	"endless for":            `for i = 1, math.huge do end`,
	"endless goto":           `::again:: goto again`,
	"loop that catches":      `while true do pcall(function() while true do end end) end`,
	"loop in a handler":      `xpcall(function() error("x") end, function() while true do end end)`,
	"error in a handler":     `while true do xpcall(function() error("x") end, function() error("y") end) end`,
	"caught at the end":      `return pcall(function() while true do end end)`,
	"__index that loops":     `local t = setmetatable({}, { __index = function(t, k) while true do end end }) return t.x`,
	"__index of itself":      `local t = {} setmetatable(t, { __index = t }) return t.x.y`,
	"__tostring that loops":  `return tostring(setmetatable({}, { __tostring = function() while true do end end }))`,
	"__eq that loops":        `local m = { __eq = function() while true do end end } return setmetatable({}, m) == setmetatable({}, m)`,
	"comparison that loops":  `local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function() while true do end end)`,
	"sort of much":           `local t = {} for i = 1, 500000 do t[i] = (i * 7919) % 1000003 end while true do table.sort(t, function(a, b) return a > b end) table.sort(t) end`,
	"inserts at the front":   `local t = {} for i = 1, 500000 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t, 1) end`,
	"length of an emptied":   `local t = {} for i = 1, 500000 do t[i] = i end for i = 2, 500000 do t[i] = nil end local n = 0 while true do n = n + #t + table.maxn(t) end`,
	"next of an emptied":     `local t = {} for i = 1, 500000 do t[i] = i end for i = 1, 499999 do t[i] = nil end while true do next(t) end`,
	"comparing long texts":   `local a, b = ("x"):rep(1e7), ("x"):rep(1e7) while true do local c = a < b end`,
	"equality of long texts": `local a, b = ("x"):rep(1e7), ("x"):rep(1e7) while true do local c = a == b end`,
	"sorting long texts":     `local a, b, t = ("x"):rep(1e7), ("x"):rep(1e7), {} for i = 1, 1000 do t[2 * i], t[2 * i - 1] = a, b end while true do table.sort(t) end`,
	"computing long texts":   `local a = ("1"):rep(1e7) while true do local c = a + a end`,
	"numbers of long texts":  `local a = ("1"):rep(1e7) .. "." while true do tonumber(a) end`,
	"looking up long texts":  `local a, t = ("x"):rep(1e7), {} while true do local c = t[a] end`,
	"gsub with a loop":       `return (("a"):rep(10)):gsub("a", function() while true do end end)`,
	"gmatch that never ends": `while true do for x in ("a"):gmatch("a*") do end end`,

	// patterns
	"pattern bomb":         `return string.find(("a"):rep(28), ("a*"):rep(28) .. "b")`,
	"lazy pattern bomb":    `return string.match(("a"):rep(200), ("a-"):rep(20) .. "b")`,
	"captures bomb":        `return string.gsub(("a"):rep(40), ("(a*)"):rep(20) .. "b", "")`,
	"optional bomb":        `return string.find(("a"):rep(40), ("a?"):rep(40) .. ("a"):rep(40) .. "b")`,
	"square pattern":       `local s = ("a"):rep(2000000) return s:find(".-b")`,
	"balanced bomb":        `local s = ("("):rep(300000) return s:gsub("%b()", "")`,
	"back reference bomb":  `local s = ("a"):rep(100000) return s:find("(a*)%1b")`,
	"frontier over much":   `local s = ("a "):rep(1000000) while true do s:find("%f[b]") end`,
	"deep pattern":         `return string.find(("a"):rep(1000), ("a?"):rep(1000) .. "b")`,
	"long pattern":         `return string.find("a", ("[^%w%s%p]"):rep(3000000))`,
	"plain find over much": `local s = ("a"):rep(8000000) while true do s:find("b", 1, true) end`,

	// memory
	"rep":                   `return ("x"):rep(1e10)`,
	"rep of nothing":        `while true do (""):rep(1e15) end`,
	"rep of rep":            `local s = "x" while true do s = s:rep(1000) end`,
	"doubling":              `local s = "x" while true do s = s .. s end`,
	"many parts":            `local s = ("x"):rep(1000000) while true do s = s .. s .. s .. s .. s .. s .. s .. s end`,
	"concat":                `local t = {} for i = 1, 100000 do t[i] = ("x"):rep(1000) end return table.concat(t)`,
	"concat separator":      `local t = {} for i = 1, 100000 do t[i] = "" end return table.concat(t, ("x"):rep(100000))`,
	"format width":          `return string.format("%999999999d", 1)`,
	"format precision":      `return string.format("%.999999999f", 1)`,
	"format much":           `local s = ("x"):rep(1000000) return string.format(("%s"):rep(200), unpack((function() local t = {} for i = 1, 200 do t[i] = s end return t end)()))`,
	"format quotes":         `local s = ('"'):rep(3000000) while true do s = string.format("%q", s) end`,
	"gsub that grows":       `local s = ("a"):rep(10000) while true do s = s:gsub("a", "%0%0") end`,
	"gsub with a table":     `local s, t = ("a"):rep(100000), { a = ("b"):rep(100000) } return s:gsub("a", t)`,
	"gsub with a function":  `local b = ("b"):rep(100000) return (("a"):rep(100000)):gsub("a", function() return b end)`,
	"upper":                 `local s, t = ("a"):rep(1000000), {} while true do t[#t + 1] = s:upper() end`,
	"many tables":           `local t = {} while true do t[#t + 1] = {} end`,
	"linked tables":         `local t while true do t = { t } end`,
	"named tables":          `local t while true do t = { n = t } end`,
	"many names":            `local t, i = {}, 0 while true do i = i + 1 t["k" .. i] = i t["k" .. i] = nil end`,
	"far index":             `local t = {} t[60000000] = 1`,
	"far indexes":           `local l = {} for i = 1, 1000 do local t = {} t[1000000] = 1 l[i] = t end`,
	"far rawset":            `rawset({}, 60000000, 1)`,
	"far insert":            `table.insert({}, 60000000, 1)`,
	"far index of an event": `event.list[60000000] = 1`,
	"closures":              `local f while true do local g = f f = function() return g end end`,
	"unpack":                `local t = {} for i = 1, 60000 do t[i] = i end return unpack(t, -1e9, 1e9)`,
	"bytes":                 `local t = {} while true do t[#t + 1] = { (("a"):rep(100000)):byte(1, -1) } end`,
	"varargs":               `local function f(...) return f(1, 2, 3, ...) end return f()`,
	"copies":                `local t = {} while true do t[#t + 1] = etl.copy(event) end`,
	"arrays":                `local t = etl.array() while true do t = etl.array(t, t) end`,
	"objects":               `local t = etl.object() while true do t = etl.object("a", t, "b", t) end`,
	"markup":                `local xml = require "xml" local x = "x" while true do x = xml.element("a", nil, x, x) end`,
	"attributes":            `local xml = require "xml" local s = ("<"):rep(1000000) while true do s = tostring(xml.empty("a", { "b", s })) end`,
	"json":                  `local json = require "json" local t = {} while true do t[#t + 1] = json.decode(("[1,2,3]")) end`,
	"hashes":                `local hash = require "hash" local s = ("x"):rep(10000000) while true do hash.sha256(s) end`,
	"base64":                `local b = require "base64" local s = "x" while true do s = b.encode(s .. s) end`,
	"patterns":              `local i = 0 while true do i = i + 1 string.find("a", "[^" .. i .. "]") end`,

	// depth
	"recursion":             `local function f() return 1 + f() end return f()`,
	"recursion in gsub":     `local function f() return (("a"):gsub("a", f)) end return f()`,
	"recursion in sort":     `local function f() table.sort({ 1, 2, 3 }, f) return true end f()`,
	"recursion of __index":  `local t = setmetatable({}, { __index = function(t, k) return t[k .. "x"] end }) return t.x`,
	"recursion of pcall":    `local function f() return pcall(f) or error("x") end while true do f() end`,
	"recursion of tostring": `local t t = setmetatable({}, { __tostring = function() return tostring(t) end }) return tostring(t)`,
	"coroutines":            `local function f() return coroutine.wrap(f)() end return f()`,

	// what is returned
	"cycle":                  `local t = {} t.t = t return t`,
	"cycle in the event":     `event.self = event return event`,
	"deep result":            `local t = {} for i = 1, 100000 do t = { a = t } end return t`,
	"shared result":          `local t = { x = "y" } for i = 1, 40 do t = { a = t, b = t } end return t`,
	"shared event":           `local t = {} for i = 1, 100 do t["k" .. i] = event.big end for i = 1, 100 do t = { a = t, b = event.big } end local l = {} for i = 1, 100000 do l[i] = t end return l`,
	"shared text":            `local s, t = ("x"):rep(1000000), {} for i = 1, 1000 do t["k" .. i] = s end return t`,
	"huge list":              `local t, e = {}, { a = 1 } for i = 1, 300000 do t[i] = e end return t`,
	"sparse list":            `local t = {} t[1] = event t[1000000] = event return t`,
	"function in the result": `return { f = print }`,
	"number":                 `return 5`,
	"text":                   `return "event"`,
	"list of texts":          `return { "a", "b" }`,
	"error with a cycle":     `local t = {} t.t = t error(t)`,
	"error without end":      `error(("x"):rep(10000000))`,
	"error with nil":         `error(nil)`,

	// what is not there
	"os":                    `os.execute("true")`,
	"io":                    `io.open("/etc/passwd")`,
	"debug":                 `debug.getinfo(1)`,
	"load":                  `load(function() end)`,
	"loadstring":            `loadstring("while true do end")()`,
	"dofile":                `dofile("/dev/zero")`,
	"dump":                  `string.dump(process)`,
	"collectgarbage":        `collectgarbage("collect")`,
	"getfenv":               `getfenv(1).x = 1`,
	"unknown module":        `local r = require r("nothing")`,
	"metatable of strings":  `setmetatable("", {})`,
	"metatable of an event": `setmetatable(event, {})`,
	"global":                `counter = 1`,
	"global by _G":          `_G.counter = 1`,
	"global by rawset":      `rawset(_G, "counter", 1)`,
	"metatable of globals":  `setmetatable(_G, {})`,
	"config":                `config.x = 1`,
	"origin":                `etl.origin.x = 1`,
}

func TestHostileScripts(t *testing.T) {
	big := strings.Repeat("x", 300_000)
	bad := `{"list":[1,2,3],"big":"` + big + `"}`
	for name, body := range hostile {
		t.Run(name, func(t *testing.T) {
			c := configOf(t, map[string]any{
				"code":    "function process(event) if event.ok then return event end " + body + " end",
				"timeout": hostileTime, "memory": int64(hostileMemory),
			}, nil)
			w := workerOf(t, c)
			runtime.GC()
			peak := watchHeap()
			took := stopwatch()
			out, _, err := run(w, bad)
			lasted, grown := took(), peak()
			var f *event.Failure
			if !errors.As(err, &f) {
				t.Fatalf("no failure of the event: %v, out %d", err, len(out))
			}
			if f.Code != codeError && f.Code != codeTime && f.Code != codeMemory {
				t.Errorf("code %s", f.Code)
			}
			if lasted > 10*hostileTime { // without an end it lasts longer than on any machine
				t.Errorf("took %s: %s", lasted, f.Message)
			}
			if grown > hostilePeak {
				t.Errorf("the heap grew by %s: %s", sizeText(grown), f.Message)
			}
			if len(f.Message) > 10<<10 {
				t.Errorf("a message of %d bytes", len(f.Message))
			}
			t.Logf("%v, %s: %s", lasted.Round(time.Millisecond), sizeText(grown), f.Message[:min(len(f.Message), 200)])

			// the next event is none the worse for it
			if out, _, err := run(w, `{"ok":true}`); err != nil || len(out) != 1 || out[0] != `{"ok":true}` {
				t.Errorf("the next event: %v %v", out, err)
			}
		})
	}
}

// stopwatch says how long something took: by the clock, or in processor time
// where that is less, since a busy machine is not the script's fault.
func stopwatch() func() time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began, before := time.Now(), used()
	return func() time.Duration { return min(time.Since(began), used()-before) }
}

// watchHeap samples the heap until its result is called, which says how much
// it grew.
func watchHeap() func() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() int64 { metrics.Read(sample); return int64(sample[0].Value.Uint64()) }
	before := read()
	peak := before
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			peak = max(peak, read())
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-done
		return peak - before
	}
}
