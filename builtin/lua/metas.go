package lua

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// openProxies makes the metatables of what is a userdata here and not there.
func (m *machine) openProxies() {
	m.proxyMeta = m.metatable(map[string]lua.LGFunction{
		"__index": func(L *lua.LState) int {
			L.Push(m.get(m.proxyOf(L.Get(1)), L.Get(2)))
			return 1
		},
		"__newindex": func(L *lua.LState) int {
			m.set(m.proxyOf(L.Get(1)), L.Get(2), L.Get(3))
			return 0
		},
		"__len": func(L *lua.LState) int {
			L.Push(lua.LNumber(m.length(m.proxyOf(L.Get(1)))))
			return 1
		},
	})
	m.nullMeta = m.metatable(map[string]lua.LGFunction{
		"__tostring": text(func(lua.LValue) string { return "null" }),
	})
	m.null = &lua.LUserData{Value: null{}, Metatable: m.nullMeta, Env: m.env}
	m.markupMeta = m.metatable(map[string]lua.LGFunction{
		"__tostring": text(textOf),
		"__concat":   m.concat,
		"__len": func(L *lua.LState) int {
			L.Push(lua.LNumber(len(textOf(L.Get(1)))))
			return 1
		},
		"__eq": func(L *lua.LState) int {
			L.Push(lua.LBool(textOf(L.Get(1)) == textOf(L.Get(2))))
			return 1
		},
	})
	m.openNumber()
}

func (m *machine) metatable(functions map[string]lua.LGFunction) *lua.LTable {
	t := m.L.NewTable()
	for name, f := range functions {
		t.RawSetString(name, m.function(f))
	}
	return t
}

func text(f func(lua.LValue) string) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LString(f(L.Get(1))))
		return 1
	}
}

// textOf is the text of what has one, as `..` and the helpers take it.
func textOf(v lua.LValue) string {
	if ud, ok := v.(*lua.LUserData); ok {
		switch u := ud.Value.(type) {
		case *markup:
			return u.String()
		case number:
			return u.value.Number()
		}
	}
	return lua.LVAsString(v)
}

// concat is `..` with a number or markup on one side.
func (m *machine) concat(L *lua.LState) int {
	for i := 1; i <= 2; i++ {
		if v := L.Get(i); textOf(v) == "" && !isText(v) {
			L.RaiseError("attempt to concatenate a %s value", v.Type().String())
		}
	}
	a, b := textOf(L.Get(1)), textOf(L.Get(2))
	m.budget.alloc(valueBytes + int64(len(a)+len(b)))
	L.Push(lua.LString(a + b))
	return 1
}

// isText says that v is a string, or something with a text of its own.
func isText(v lua.LValue) bool {
	switch v := v.(type) {
	case lua.LString, lua.LNumber:
		return true
	case *lua.LUserData:
		switch v.Value.(type) {
		case *markup, number:
			return true
		}
	}
	return false
}

// numberOf is the number that no float64 holds behind v.
func numberOf(v lua.LValue) (number, bool) {
	if ud, ok := v.(*lua.LUserData); ok {
		n, ok := ud.Value.(number)
		return n, ok
	}
	return number{}, false
}

// openNumber makes such numbers compute as the floats nearest to them, and
// compare with each other exactly.
func (m *machine) openNumber() {
	float := func(v lua.LValue) lua.LNumber {
		if n, ok := numberOf(v); ok {
			f, _ := n.value.Float64()
			return lua.LNumber(f)
		}
		n, ok := v.(lua.LNumber)
		if !ok {
			m.L.RaiseError("attempt to perform arithmetic on a %s value", v.Type().String())
		}
		return n
	}
	value := func(v lua.LValue) document.Value {
		n, _ := numberOf(v)
		return n.value
	}
	functions := map[string]lua.LGFunction{
		"__tostring": text(textOf),
		"__concat":   m.concat,
		"__unm": func(L *lua.LState) int {
			L.Push(-float(L.Get(1)))
			return 1
		},
		"__eq": func(L *lua.LState) int {
			L.Push(lua.LBool(document.Equal(value(L.Get(1)), value(L.Get(2)))))
			return 1
		},
		"__lt": func(L *lua.LState) int {
			order, _ := document.Compare(value(L.Get(1)), value(L.Get(2)))
			L.Push(lua.LBool(order < 0))
			return 1
		},
		"__le": func(L *lua.LState) int {
			order, _ := document.Compare(value(L.Get(1)), value(L.Get(2)))
			L.Push(lua.LBool(order <= 0))
			return 1
		},
	}
	for name, compute := range arithmetic {
		functions[name] = func(L *lua.LState) int {
			L.Push(compute(float(L.Get(1)), float(L.Get(2))))
			return 1
		}
	}
	m.numberMeta = m.metatable(functions)
}
