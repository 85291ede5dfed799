package lua

import (
	"maps"
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// functions is a module that is written in Go.
type functions map[string]lua.LGFunction

// natives are the modules in Go, by the name that require takes.
var natives = map[string]func(*machine) functions{
	"base64": (*machine).base64Module,
	"hash":   (*machine).hashModule,
	"json":   (*machine).jsonModule,
	"syslog": (*machine).syslogModule,
	"time":   (*machine).timeModule,
	"xml":    (*machine).xmlModule,
}

func isNative(name string) bool { return natives[name] != nil }

func nativeNames() []string { return slices.Sorted(maps.Keys(natives)) }

// loading marks a module whose chunk runs.
var loading = &lua.LUserData{}

// require gives a module: one that the loader found beside the pipeline or in
// the binary, else one in Go.
func (m *machine) require(L *lua.LState) int {
	name := L.CheckString(1)
	if v := m.loaded[name]; v == lua.LValue(loading) {
		L.RaiseError("module %s requires itself", name)
	} else if v != nil {
		L.Push(v)
		return 1
	}
	if proto := m.program.modules[name]; proto != nil {
		m.loaded[name] = loading
		f := L.NewFunctionFromProto(proto)
		f.Env = m.env
		L.Push(f)
		L.Push(lua.LString(name))
		L.Call(1, 1)
		if L.Get(-1) == lua.LNil {
			L.Pop(1)
			L.Push(lua.LTrue)
		}
		m.loaded[name] = L.Get(-1)
		m.budget.stored = true
		return 1
	}
	native := natives[name]
	if native == nil {
		L.RaiseError("there is no module %s that was known when the pipeline was loaded", name)
	}
	t := L.NewTable()
	for name, f := range native(m) {
		t.RawSetString(name, m.function(f))
	}
	m.loaded[name] = t
	L.Push(t)
	return 1
}
