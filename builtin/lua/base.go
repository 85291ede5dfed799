package lua

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// keptBase are the functions of gopher-lua's base library that are taken as they
// are: they allocate nothing to speak of and know nothing of proxies.
var keptBase = []string{"assert", "error", "pcall", "xpcall", "select", "_VERSION"}

// gone are the names that a script may expect and that a pipeline doesn't have.
var gone = map[string]string{
	"os":             `require "time" has the clock`,
	"io":             "a script has no files",
	"debug":          "",
	"load":           `code comes from the pipeline only: require "NAME"`,
	"loadstring":     `code comes from the pipeline only: require "NAME"`,
	"loadfile":       `code comes from the pipeline only: require "NAME"`,
	"dofile":         `code comes from the pipeline only: require "NAME"`,
	"coroutine":      "",
	"collectgarbage": "",
	"package":        "",
	"module":         "a module returns a table",
	"setfenv":        "",
	"getfenv":        "",
	"newproxy":       "",
}

// openLibraries fills the globals.
func (m *machine) openLibraries() {
	L := m.L
	m.real = L.NewTable()
	m.openFront()
	L.Push(L.NewFunction(lua.OpenBase))
	L.Call(0, 0)
	for _, name := range keptBase {
		m.real.RawSetString(name, L.G.Global.RawGetString(name))
	}
	m.openProxies()
	next := m.function(m.baseNext)
	for name, f := range map[string]lua.LGFunction{
		"getmetatable": m.baseGetMetatable,
		"ipairs":       m.baseIpairs(),
		"pairs":        m.basePairs(next),
		"print":        m.basePrint,
		"rawequal":     m.baseRawEqual,
		"rawget":       m.baseRawGet,
		"rawset":       m.baseRawSet,
		"require":      m.require,
		"setmetatable": m.baseSetMetatable,
		"tonumber":     m.baseToNumber(L.G.Global.RawGetString("tonumber").(*lua.LFunction)),
		"tostring":     m.baseToString,
		"type":         m.baseType,
		"unpack":       m.baseUnpack,
	} {
		m.real.RawSetString(name, m.function(f))
	}
	m.real.RawSetString("next", next)
	m.openMath()
	m.openTable()
	m.openString()
	m.real.RawSetString("etl", m.etlModule())
}

// openFront makes the table that scripts see as their globals: reading goes
// through to the real ones, writing does so until the chunk has run.
func (m *machine) openFront() {
	meta := m.L.NewTable()
	missing := m.L.NewTable() // behind the real globals: what is not there
	missing.RawSetString("__index", m.function(func(L *lua.LState) int {
		name := L.Get(2).String()
		if hint, ok := gone[name]; ok {
			if hint != "" {
				hint = ": " + hint
			}
			L.RaiseError("a pipeline's script has no %s%s", name, hint)
		}
		return 0
	}))
	m.real.Metatable = missing
	meta.RawSetString("__index", m.real)
	meta.RawSetString("__newindex", m.function(func(L *lua.LState) int {
		if m.sealed {
			L.RaiseError("global %s can't be set: globals are read-only once the script is loaded; use a local outside of process", L.Get(2).String())
		}
		m.budget.allocSet(m.real, L.Get(2))
		m.real.RawSet(L.Get(2), L.Get(3))
		return 0
	}))
	meta.RawSetString("__metatable", lua.LFalse)
	m.env = m.L.NewTable()
	m.env.Metatable = meta
	m.real.RawSetString("_G", m.env)
}

func (m *machine) function(f lua.LGFunction) *lua.LFunction { return m.L.NewFunction(f) }

// openMath is gopher-lua's, but for the seed that all states would share.
func (m *machine) openMath() {
	m.L.Push(m.L.NewFunction(lua.OpenMath))
	m.L.Call(0, 1)
	math := m.L.CheckTable(-1)
	m.L.Pop(1)
	math.RawSetString("randomseed", lua.LNil)
	m.real.RawSetString("math", math)
}

func (m *machine) baseType(L *lua.LState) int {
	v := L.CheckAny(1)
	if ud, ok := v.(*lua.LUserData); ok {
		switch ud.Value.(type) {
		case *proxy:
			L.Push(lua.LString("table"))
			return 1
		case number:
			L.Push(lua.LString("number"))
			return 1
		}
	}
	L.Push(lua.LString(v.Type().String()))
	return 1
}

func (m *machine) baseToString(L *lua.LState) int {
	v := L.CheckAny(1)
	s := m.tostring(v)
	m.budget.alloc(valueBytes + int64(len(s)))
	L.Push(lua.LString(s))
	return 1
}

func (m *machine) tostring(v lua.LValue) string {
	if ud, ok := v.(*lua.LUserData); ok {
		if p, ok := ud.Value.(*proxy); ok {
			return fmt.Sprintf("table: %p", p)
		}
	}
	s, ok := m.L.ToStringMeta(v).(lua.LString)
	if !ok {
		m.L.RaiseError("'__tostring' must return a string")
	}
	return string(s)
}

// baseToNumber is gopher-lua's, and the float nearest to a number that no
// float holds.
func (m *machine) baseToNumber(plain *lua.LFunction) lua.LGFunction {
	return func(L *lua.LState) int {
		if n, ok := numberOf(L.CheckAny(1)); ok {
			f, _ := n.value.Float64()
			L.Push(lua.LNumber(f))
			return 1
		}
		m.budget.long(L.Get(1))
		return plain.GFunction(L)
	}
}

func (m *machine) baseNext(L *lua.LState) int {
	var key, value lua.LValue
	at := lua.LNil
	if L.GetTop() >= 2 {
		at = L.Get(2)
	}
	if p := m.proxyOf(L.Get(1)); p != nil {
		key, value = m.next(p, at)
	} else {
		m.budget.spend(4)
		key, value = L.CheckTable(1).Next(at)
	}
	if key == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(key)
	L.Push(value)
	return 2
}

func (m *machine) basePairs(next *lua.LFunction) lua.LGFunction {
	return func(L *lua.LState) int {
		v := m.checkList(L, 1)
		L.Push(next)
		L.Push(v)
		L.Push(lua.LNil)
		return 3
	}
}

// checkList is argument n, which must be a table or a proxy.
func (m *machine) checkList(L *lua.LState, n int) lua.LValue {
	v := L.Get(n)
	if m.proxyOf(v) != nil {
		return v
	}
	return L.CheckTable(n)
}

func (m *machine) baseIpairs() lua.LGFunction {
	next := m.function(func(L *lua.LState) int {
		i := L.CheckInt(2) + 1
		value := m.index(L.Get(1), lua.LNumber(i))
		if value == lua.LNil {
			return 0
		}
		L.Push(lua.LNumber(i))
		L.Push(value)
		return 2
	})
	return func(L *lua.LState) int {
		v := m.checkList(L, 1)
		L.Push(next)
		L.Push(v)
		L.Push(lua.LNumber(0))
		return 3
	}
}

// index is v[key] of a table or proxy, without metamethods.
func (m *machine) index(v, key lua.LValue) lua.LValue {
	if p := m.proxyOf(v); p != nil {
		return m.get(p, key)
	}
	if t, ok := v.(*lua.LTable); ok {
		return t.RawGet(key)
	}
	m.L.RaiseError("table expected, got %s", v.Type().String())
	return nil
}

// lengthOf is #v of a table or proxy, without metamethods.
func (m *machine) lengthOf(v lua.LValue) int {
	if p := m.proxyOf(v); p != nil {
		return m.length(p)
	}
	if t, ok := v.(*lua.LTable); ok {
		m.budget.spend(8)
		return t.Len()
	}
	m.L.RaiseError("table expected, got %s", v.Type().String())
	return 0
}

func (m *machine) basePrint(L *lua.LState) int {
	var b strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			b.WriteByte('\t')
		}
		s := m.tostring(L.Get(i))
		m.budget.alloc(int64(len(s)))
		b.WriteString(s)
	}
	m.log.Debug("print", "text", cut(b.String()))
	return 0
}

func (m *machine) baseRawEqual(L *lua.LState) int {
	L.Push(lua.LBool(L.CheckAny(1) == L.CheckAny(2)))
	return 1
}

func (m *machine) baseRawGet(L *lua.LState) int {
	L.Push(m.index(m.checkList(L, 1), L.CheckAny(2)))
	return 1
}

func (m *machine) baseRawSet(L *lua.LState) int {
	v, key, value := m.checkList(L, 1), L.CheckAny(2), L.CheckAny(3)
	if p := m.proxyOf(v); p != nil {
		m.set(p, key, value)
	} else {
		t := v.(*lua.LTable)
		if t == m.env {
			L.RaiseError("global %s can't be set by rawset", key.String())
		}
		m.checkKey(key)
		m.budget.allocSet(t, key)
		t.RawSet(key, value)
	}
	L.Push(v)
	return 1
}

func (m *machine) baseSetMetatable(L *lua.LState) int {
	if m.proxyOf(L.Get(1)) != nil {
		L.RaiseError("setmetatable: an event's table can't have a metatable; use a copy of it (etl.copy)")
	}
	t := L.CheckTable(1)
	L.CheckTypes(2, lua.LTNil, lua.LTTable)
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	m.budget.stored = true
	t.Metatable = L.Get(2)
	L.Push(t)
	return 1
}

func (m *machine) baseGetMetatable(L *lua.LState) int {
	if t, ok := L.CheckAny(1).(*lua.LTable); ok {
		L.Push(L.GetMetatable(t))
		return 1
	}
	L.Push(lua.LNil)
	return 1
}

func (m *machine) baseUnpack(L *lua.LState) int {
	v := m.checkList(L, 1)
	from := L.OptInt(2, 1)
	to := 0
	if L.Get(3) == lua.LNil {
		to = m.lengthOf(v)
	} else {
		to = L.CheckInt(3)
	}
	n := int64(to) - int64(from) + 1
	if n <= 0 {
		return 0
	}
	if n > maxRegisters/2 {
		L.RaiseError("too many results to unpack")
	}
	m.budget.alloc(n * valueBytes)
	for i := from; i <= to; i++ {
		L.Push(m.index(v, lua.LNumber(i)))
	}
	return int(n)
}
