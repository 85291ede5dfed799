package lua

import (
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openTable is the table library, for tables and proxies alike.
func (m *machine) openTable() {
	t := m.L.NewTable()
	for name, f := range map[string]lua.LGFunction{
		"concat": m.tableConcat,
		"getn":   m.tableGetn,
		"insert": m.tableInsert,
		"maxn":   m.tableMaxn,
		"remove": m.tableRemove,
		"sort":   m.tableSort,
	} {
		t.RawSetString(name, m.function(f))
	}
	m.real.RawSetString("table", t)
}

// writableList is argument n as a real table that may be changed.
func (m *machine) writableList(L *lua.LState, n int) *lua.LTable {
	m.budget.stored = true
	if p := m.proxyOf(L.Get(n)); p != nil {
		return m.writable(p)
	}
	return L.CheckTable(n)
}

func (m *machine) tableConcat(L *lua.LState) int {
	v := m.checkList(L, 1)
	separator := L.OptString(2, "")
	n := m.lengthOf(v)
	from, to := L.OptInt(3, 1), n
	if L.Get(4) != lua.LNil {
		to = min(L.CheckInt(4), n)
	}
	if from < 1 {
		from = 1
	}
	size := int64(0)
	for i := from; i <= to; i++ {
		e := m.index(v, lua.LNumber(i))
		if !isText(e) {
			L.RaiseError("invalid value (%s) at index %d in table for concat", e.Type().String(), i)
		}
		size += int64(len(separator) + len(textOf(e)))
		m.budget.spend(1)
	}
	m.budget.alloc(valueBytes + size)
	var b strings.Builder
	b.Grow(int(size))
	for i := from; i <= to; i++ {
		if i > from {
			b.WriteString(separator)
		}
		b.WriteString(textOf(m.index(v, lua.LNumber(i))))
	}
	L.Push(lua.LString(b.String()))
	return 1
}

func (m *machine) tableGetn(L *lua.LState) int {
	L.Push(lua.LNumber(m.lengthOf(m.checkList(L, 1))))
	return 1
}

func (m *machine) tableMaxn(L *lua.LState) int {
	v := m.checkList(L, 1)
	m.budget.spend(8)
	switch p := m.proxyOf(v); {
	case p == nil:
		L.Push(lua.LNumber(v.(*lua.LTable).MaxN()))
	case p.table != nil:
		L.Push(lua.LNumber(p.table.MaxN()))
	default:
		L.Push(lua.LNumber(m.length(p)))
	}
	return 1
}

func (m *machine) tableInsert(L *lua.LState) int {
	t := m.writableList(L, 1)
	m.budget.alloc(valueBytes)
	switch L.GetTop() {
	case 2:
		t.Append(L.Get(2))
	case 3:
		at, n := L.CheckInt(2), t.MaxN()
		if at > n || at < 1 {
			m.budget.allocSet(t, lua.LNumber(at))
		} else {
			m.budget.spend((n - at) / 64)
		}
		t.Insert(at, L.Get(3))
	default:
		L.RaiseError("wrong number of arguments to 'insert'")
	}
	return 0
}

func (m *machine) tableRemove(L *lua.LState) int {
	t := m.writableList(L, 1)
	if L.GetTop() == 1 {
		L.Push(t.Remove(-1))
		return 1
	}
	at := L.CheckInt(2)
	m.budget.spend(max(t.MaxN()-at, 0) / 64)
	L.Push(t.Remove(at))
	return 1
}

// sorter sorts a table by its own order, or by a function's.
type sorter struct {
	m    *machine
	t    *lua.LTable
	n    int
	less *lua.LFunction
}

func (s sorter) Len() int { return s.n }

func (s sorter) Swap(i, j int) {
	a, b := s.t.RawGetInt(i+1), s.t.RawGetInt(j+1)
	s.t.RawSetInt(i+1, b)
	s.t.RawSetInt(j+1, a)
}

func (s sorter) Less(i, j int) bool {
	s.m.budget.spend(4)
	a, b := s.t.RawGetInt(i+1), s.t.RawGetInt(j+1)
	if s.less == nil {
		s.m.budget.long(a)
		return s.m.L.LessThan(a, b)
	}
	L := s.m.L
	L.Push(s.less)
	L.Push(a)
	L.Push(b)
	L.Call(2, 1)
	result := L.Get(-1)
	L.Pop(1)
	return lua.LVAsBool(result)
}

func (m *machine) tableSort(L *lua.LState) int {
	s := sorter{m: m, t: m.writableList(L, 1)}
	s.n = s.t.Len()
	if L.GetTop() > 1 {
		s.less = L.CheckFunction(2)
	}
	sort.Sort(s)
	return 0
}
