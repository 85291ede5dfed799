package lua

import (
	"math"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// proxy is an object or array as Lua sees it. It behaves as a table. What is
// only read stays the document.Value it is; the first write makes a real table
// of this one level, which answers from then on, so that reading and writing
// go by gopher-lua's own rules. Below and beside it nothing is copied.
//
// A proxy of an event belongs to that event: used later, it is an error.
type proxy struct {
	ud         lua.LUserData
	generation uint64         // of the event it belongs to; 0: to none
	value      document.Value // as it came; Missing if it was made here
	slots      []slot         // the members or elements of value; until loaded, members that were looked at
	looks      int            // for members, until loaded
	named      map[string]int // slots by name, once one of many was looked for
	table      *lua.LTable    // after the first write
	cursor     int            // where next found its last key
	array      bool
	loaded     bool   // slots are there, all of them
	fixed      string // why it can't be written; empty if it can
}

// slot is a member or an element, and what Lua was given for it.
type slot struct {
	name  string
	value document.Value // Missing if it was made here
	lua   lua.LValue     // nil until Lua looked at it
}

// manySlots is from where on members are found by a map.
const manySlots = 24

// proxyBytes is about what a proxy occupies.
const proxyBytes = 256

// newProxy is the proxy of an object or array of the current event.
func (m *machine) newProxy(v document.Value, fixed string) *proxy {
	m.budget.alloc(proxyBytes)
	p := m.proxies.take()
	m.ready(p)
	p.generation, p.value, p.array, p.fixed = m.generation, v, v.Kind() == document.Array, fixed
	return p
}

// lasting is the proxy of an object or array that belongs to no event.
func (m *machine) lasting(v document.Value, fixed string) *proxy {
	m.budget.alloc(proxyBytes)
	p := &proxy{value: v, array: v.Kind() == document.Array, fixed: fixed}
	m.ready(p)
	return p
}

// made is a proxy that a script makes, with room for n slots: it belongs to no event and holds
// slots.
func (m *machine) made(array bool, n int) *proxy {
	m.budget.alloc(proxyBytes)
	p := m.mades.take()
	m.ready(p)
	p.array, p.loaded, p.slots = array, true, slices.Grow(p.slots, n)
	return p
}

// ready makes p known to Lua.
func (m *machine) ready(p *proxy) {
	if p.ud.Value == nil {
		p.ud.Value, p.ud.Metatable, p.ud.Env = p, m.proxyMeta, m.env
	}
}

// empty takes away all that p holds.
func (p *proxy) empty() {
	p.value, p.slots, p.named, p.table = document.Value{}, nil, nil, nil
	p.looks, p.cursor, p.loaded = 0, 0, false
}

// proxyOf is the proxy behind a Lua value, nil if it is something else.
func (m *machine) proxyOf(v lua.LValue) *proxy {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return nil
	}
	p, ok := ud.Value.(*proxy)
	if !ok {
		return nil
	}
	if p.stale(m) {
		m.L.RaiseError("this table belongs to an event that is through: keep a copy of it (etl.copy)")
	}
	return p
}

func (p *proxy) stale(m *machine) bool { return p.generation != 0 && p.generation != m.generation }

// load fills the slots.
func (m *machine) load(p *proxy) {
	if p.loaded {
		return
	}
	p.loaded = true
	n, seen := p.value.Len(), p.slots
	if p.generation == 0 {
		p.slots = make([]slot, 0, n)
	} else {
		p.slots = m.takeSlots(n)
	}
	m.budget.alloc(int64(n) * 64)
	if p.array {
		for v := range p.value.Elements() {
			p.slots = append(p.slots, slot{value: v})
		}
		return
	}
	for name, v := range p.value.Members() {
		p.slots = append(p.slots, slot{name: name, value: v})
	}
	for i := range seen {
		if seen[i].lua != nil {
			p.slots[p.find(seen[i].name)].lua = seen[i].lua
		}
	}
}

// look is the slot called name, or -1, of an object whose slots need not all be
// there: most scripts look at few members of large objects.
func (m *machine) look(p *proxy, name string) int {
	if p.looks++; p.looks > manySlots || p.generation == 0 {
		m.load(p)
	}
	at := p.find(name)
	if at >= 0 || p.loaded {
		return at
	}
	v := m.lookup(p, name)
	if v.Kind() == document.Missing {
		return -1
	}
	if len(p.slots) == cap(p.slots) {
		p.slots = append(m.takeSlots(2*len(p.slots)+4), p.slots...)
	}
	p.slots = append(p.slots, slot{name: name, value: v})
	return len(p.slots) - 1
}

// lookup is the member called name as it came.
func (m *machine) lookup(p *proxy, name string) document.Value {
	m.budget.spend(p.value.Len() / 64)
	return p.value.Get(name)
}

// takeSlots is room for n slots that lives as long as the event.
func (m *machine) takeSlots(n int) []slot {
	if cap(m.arena)-len(m.arena) < n {
		m.arena = make([]slot, 0, max(256, 2*cap(m.arena), n))
	}
	at := len(m.arena)
	m.arena = m.arena[:at+n]
	return m.arena[at : at : at+n]
}

// find is the slot called name, or -1.
func (p *proxy) find(name string) int {
	if len(p.slots) >= manySlots {
		return p.findAmongMany(name)
	}
	for i := range p.slots {
		if p.slots[i].name == name {
			return i
		}
	}
	return -1
}

func (p *proxy) findAmongMany(name string) int {
	if p.named == nil {
		p.named = make(map[string]int, len(p.slots))
		for i := range p.slots {
			p.named[p.slots[i].name] = i
		}
	}
	if i, ok := p.named[name]; ok {
		return i
	}
	return -1
}

// at is what Lua sees of slot i.
func (m *machine) at(p *proxy, i int) lua.LValue {
	s := &p.slots[i]
	if s.lua == nil {
		s.lua = m.toLua(s.value, p)
	}
	return s.lua
}

// get is p[key].
func (m *machine) get(p *proxy, key lua.LValue) lua.LValue {
	if p.table != nil {
		return p.table.RawGet(key)
	}
	if i := m.slotOf(p, key); i >= 0 {
		return m.at(p, i)
	}
	return lua.LNil
}

// slotOf is the slot that key means, or -1.
func (m *machine) slotOf(p *proxy, key lua.LValue) int {
	switch k := key.(type) {
	case lua.LString:
		if !p.array {
			return m.look(p, string(k))
		}
	case lua.LNumber:
		m.load(p)
		if i := int(k); p.array && lua.LNumber(i) == k && i >= 1 && i <= len(p.slots) {
			return i - 1
		}
	}
	return -1
}

// set is p[key] = value.
func (m *machine) set(p *proxy, key, value lua.LValue) {
	t := m.writable(p)
	m.budget.allocSet(t, key)
	m.checkKey(key)
	t.RawSet(key, value)
}

// checkKey refuses what is no key of a table.
func (m *machine) checkKey(key lua.LValue) {
	if key == lua.LNil {
		m.L.RaiseError("table index is nil")
	}
	if n, ok := key.(lua.LNumber); ok && math.IsNaN(float64(n)) {
		m.L.RaiseError("table index is NaN")
	}
}

// writable is p as a real table.
func (m *machine) writable(p *proxy) *lua.LTable {
	if p.table != nil {
		return p.table
	}
	if p.fixed != "" {
		m.L.RaiseError("%s can't be changed", p.fixed)
	}
	m.load(p)
	m.budget.alloc(tableBytes + int64(len(p.slots))*memberBytes)
	if p.array {
		t := m.L.CreateTable(len(p.slots), 0)
		for i := range p.slots {
			t.Append(m.at(p, i))
		}
		p.table = t
		return t
	}
	t := m.L.CreateTable(0, len(p.slots))
	for i := range p.slots {
		t.RawSetString(string(m.name(p, i)), m.at(p, i))
	}
	p.table = t
	return t
}

// length is #p.
func (m *machine) length(p *proxy) int {
	switch {
	case p.table != nil:
		return p.table.Len()
	case p.array:
		m.load(p)
		return len(p.slots)
	}
	return 0
}

// next is the member behind key, of the first for nil; nil at the end.
func (m *machine) next(p *proxy, key lua.LValue) (lua.LValue, lua.LValue) {
	if p.table != nil {
		m.budget.spend(4)
		return p.table.Next(key)
	}
	m.load(p)
	i := 0
	if key != lua.LNil {
		if name, ok := key.(lua.LString); ok && p.cursor < len(p.slots) && !p.array && p.slots[p.cursor].name == string(name) {
			i = p.cursor + 1
		} else if i = m.slotOf(p, key) + 1; i == 0 {
			m.L.RaiseError("invalid key to 'next'")
		}
	}
	if i >= len(p.slots) {
		return lua.LNil, lua.LNil
	}
	p.cursor = i
	if p.array {
		return lua.LNumber(i + 1), m.at(p, i)
	}
	return m.name(p, i), m.at(p, i)
}

// name is the name of slot i as a string of its own: kept by a script, it must
// not keep the memory that the event's bytes lie in.
func (m *machine) name(p *proxy, i int) lua.LString {
	m.budget.alloc(valueBytes + int64(len(p.slots[i].name)))
	return lua.LString(strings.Clone(p.slots[i].name))
}

// touched says that p, or something below it, was changed.
func (p *proxy) touched() bool {
	if p.table != nil || p.value.Kind() == document.Missing {
		return true
	}
	for i := range p.slots {
		if ud, ok := p.slots[i].lua.(*lua.LUserData); ok {
			if below, ok := ud.Value.(*proxy); ok && below.touched() {
				return true
			}
		}
	}
	return false
}
