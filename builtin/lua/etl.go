package lua

import (
	"strings"
	"unicode"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// etlModule is the global etl: what a script needs to speak JSON, and the
// current event's surroundings.
func (m *machine) etlModule() *lua.LTable {
	t := m.L.NewTable()
	t.RawSetString("null", m.null)
	for name, f := range map[string]lua.LGFunction{
		"array":      m.etlArray,
		"object":     m.etlObject,
		"capitalize": func(L *lua.LState) int { return m.push(L, capitalize(m.checkText(L, 1))) },
		"copy":       m.etlCopy,
		"is_array":   func(L *lua.LState) int { return m.pushForm(L, listForm) },
		"is_object":  func(L *lua.LState) int { return m.pushForm(L, objectForm) },
		"text":       m.etlText,
		"texts":      m.etlTexts,
	} {
		t.RawSetString(name, m.function(f))
	}
	meta := m.metatable(map[string]lua.LGFunction{"__index": m.etlIndex})
	meta.RawSetString("__metatable", lua.LFalse)
	t.Metatable = meta
	return t
}

// etlIndex gives etl.origin and etl.meta: the current event's, which can't be changed.
func (m *machine) etlIndex(L *lua.LState) int {
	name := L.Get(2).String()
	if name != "origin" && name != "meta" {
		return 0
	}
	if m.event == nil {
		L.RaiseError("etl.%s is there only while process runs", name)
	}
	if name == "meta" {
		if m.meta == nil {
			m.meta = &m.newProxy(m.event.MetaValue(), "etl.meta").ud
		}
		L.Push(m.meta)
		return 1
	}
	if m.origin == nil {
		root, err := m.event.Origin().Root()
		if err != nil {
			L.RaiseError("the event's origin is %s", err.Error())
		}
		m.origin = &m.newProxy(root, "etl.origin").ud
	}
	L.Push(m.origin)
	return 1
}

// etlArray is a list, also if it is empty; nil is null in it.
func (m *machine) etlArray(L *lua.LState) int {
	n := L.GetTop()
	m.budget.alloc(int64(n) * 64)
	p := m.made(true, n)
	for i := range n {
		v := L.Get(i + 1)
		if v == lua.LNil {
			v = m.null
		}
		p.slots = append(p.slots, slot{lua: v})
	}
	L.Push(&p.ud)
	return 1
}

// pushForm says whether an argument is a list, or an object, also an empty one of an event.
func (m *machine) pushForm(L *lua.LState, want form) int {
	v := L.CheckAny(1)
	is := false
	if p := m.proxyOf(v); p != nil && p.table == nil {
		is = p.array == (want == listForm)
	} else if p != nil {
		form, err := formOf(p.table, p.array)
		is = err == nil && form == want
	} else if t, ok := v.(*lua.LTable); ok {
		form, err := formOf(t, false)
		is = err == nil && form == want
	}
	L.Push(lua.LBool(is))
	return 1
}

// etlObject is an object of names and values in the order given; what is nil
// is left out.
func (m *machine) etlObject(L *lua.LState) int {
	n := L.GetTop()
	m.budget.alloc(int64(n) * 32)
	if n%2 != 0 && n > 0 {
		if _, ok := L.Get(n).(lua.LString); !ok { // a last value that is nil may be missing
			L.RaiseError("etl.object takes names and values in turn")
		}
	}
	p := m.made(false, n/2)
	for i := 1; i <= n; i += 2 {
		name, ok := L.Get(i).(lua.LString)
		if !ok {
			L.ArgError(i, "a name expected, got "+L.Get(i).Type().String())
		}
		if v := L.Get(i + 1); v != lua.LNil {
			p.put(string(name), v)
		}
	}
	L.Push(&p.ud)
	return 1
}

// put makes v the member called name of a proxy that a script makes: of two with one name the last
// value is there, at the first place.
func (p *proxy) put(name string, v lua.LValue) {
	if at := p.find(name); at >= 0 {
		p.slots[at].lua = v
		return
	}
	if p.named != nil {
		p.named[name] = len(p.slots)
	}
	p.slots = append(p.slots, slot{name: name, lua: v})
}

// etlCopy is a plain table with all that is below its argument: it belongs to no
// event, may be kept, and can have a metatable.
func (m *machine) etlCopy(L *lua.LState) int {
	L.Push(m.copied(L.CheckAny(1), 0))
	return 1
}

func (m *machine) copied(v lua.LValue, depth int) lua.LValue {
	if depth > maxDepth {
		m.L.RaiseError("etl.copy: a table that contains itself, or nests deeper than %d", maxDepth)
	}
	p := m.proxyOf(v)
	t, isTable := v.(*lua.LTable)
	if p == nil && !isTable {
		return v
	}
	m.budget.alloc(tableBytes)
	n := m.L.NewTable()
	put := func(key, value lua.LValue) {
		m.budget.alloc(memberBytes)
		n.RawSet(key, m.copied(value, depth+1))
	}
	if p != nil && p.table == nil {
		m.load(p)
		for i := range p.slots {
			if p.array {
				put(lua.LNumber(i+1), m.at(p, i))
			} else {
				put(m.name(p, i), m.at(p, i))
			}
		}
		return n
	}
	if p != nil {
		t = p.table
	}
	for key, value := t.Next(lua.LNil); key != lua.LNil; key, value = t.Next(key) {
		put(key, value)
	}
	return n
}

// etlText is a value as text, the way it was written: etl.text(event, "data",
// "version") is 1.0 where event.data.version is 1. Null is "", an object or array its
// JSON; what is not there is nil.
func (m *machine) etlText(L *lua.LState) int {
	v := L.CheckAny(1)
	for i := 2; i <= L.GetTop(); i++ {
		p := m.proxyOf(v)
		if p != nil && p.table == nil && i == L.GetTop() {
			at := m.slotOf(p, L.Get(i))
			if at < 0 {
				L.Push(lua.LNil)
				return 1
			}
			L.Push(m.slotText(p, at))
			return 1
		}
		if _, ok := v.(*lua.LTable); p == nil && !ok {
			L.Push(lua.LNil)
			return 1
		}
		v = m.index(v, L.Get(i))
	}
	if v == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LString(m.writtenText(v)))
	return 1
}

// slotText is the text of slot at, of the bytes as they came if nobody changed it.
func (m *machine) slotText(p *proxy, at int) lua.LValue {
	s := &p.slots[at]
	switch s.value.Kind() {
	case document.Text:
		return m.at(p, at)
	case document.Missing, document.Array, document.Object:
		return lua.LString(m.writtenText(m.at(p, at)))
	case document.Number:
		m.budget.alloc(valueBytes + numberBytes)
		return lua.LString(strings.Clone(s.value.Number()))
	}
	text := s.value.AppendText(nil)
	m.budget.alloc(valueBytes + int64(len(text)))
	return lua.LString(text)
}

// writtenText is a Lua value as the text that a document would have.
func (m *machine) writtenText(v lua.LValue) string {
	if isText(v) {
		return textOf(v)
	}
	value, err := m.toValue(v, 0)
	if err != nil {
		m.L.RaiseError("%s", err.Error())
	}
	text := value.AppendText(nil)
	m.budget.alloc(int64(len(text)))
	return string(text)
}

// etlTexts is pairs for the texts of an object's members or a list's elements.
func (m *machine) etlTexts(L *lua.LState) int {
	v := m.checkList(L, 1)
	if p := m.proxyOf(v); p != nil && p.table == nil {
		m.load(p)
		i := -1
		m.budget.alloc(closureBytes)
		L.Push(m.function(func(L *lua.LState) int {
			if i++; i >= len(p.slots) {
				L.Push(lua.LNil)
				return 1
			}
			m.proxyOf(&p.ud) // still of this event
			if p.array {
				L.Push(lua.LNumber(i + 1))
			} else {
				L.Push(m.name(p, i))
			}
			L.Push(m.slotText(p, i))
			return 2
		}))
		return 1
	}
	next := m.real.RawGetString("next").(*lua.LFunction)
	key := lua.LNil
	L.Push(m.function(func(L *lua.LState) int {
		L.Push(next)
		L.Push(v)
		L.Push(key)
		L.Call(2, 2)
		var value lua.LValue
		key, value = L.Get(-2), L.Get(-1)
		if key == lua.LNil {
			return 2
		}
		L.Pop(1)
		L.Push(lua.LString(m.writtenText(value)))
		return 2
	}))
	return 1
}

// capitalize is text with its first letter in upper case.
func capitalize(text string) string {
	if text == "" || text[0] < utf8.RuneSelf && (text[0] < 'a' || text[0] > 'z') {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	if upper := unicode.ToUpper(first); upper != first {
		return string(upper) + text[size:]
	}
	return text
}
