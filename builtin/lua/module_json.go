package lua

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// jsonModule: encode(value), and decode(text), which is nil and the reason for
// what is no JSON. What decode gives behaves as an event's tables do, and belongs to no event.
func (m *machine) jsonModule() functions {
	return functions{
		"encode": func(L *lua.LState) int {
			value, err := m.toValue(L.CheckAny(1), 0)
			if err != nil {
				L.RaiseError("json.encode: %s", err.Error())
			}
			b := value.AppendJSON(nil)
			m.budget.alloc(int64(len(b)))
			return m.push(L, string(b))
		},
		"decode": func(L *lua.LState) int {
			s := m.checkText(L, 1)
			m.budget.alloc(int64(4 * len(s)))
			m.budget.spend(len(s) / 16)
			d, err := document.Parse([]byte(s))
			if err != nil {
				L.Push(lua.LNil)
				L.Push(lua.LString(err.Error()))
				return 2
			}
			L.Push(m.toLua(d.Root(), &proxy{}))
			return 1
		},
	}
}
