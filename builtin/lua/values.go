package lua

import (
	"fmt"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// number is a JSON number that a float64 doesn't hold: 2^53+1, or 30 digits.
// In Lua it is a userdata that says it is a number, computes as the float
// nearest to it, and goes out as it came.
type number struct{ value document.Value }

// null is JSON's null: etl.null.
type null struct{}

// toLua is a document's value as Lua has it. What is below in says where it
// can't be changed.
func (m *machine) toLua(v document.Value, in *proxy) lua.LValue {
	switch v.Kind() {
	case document.Missing:
		return lua.LNil
	case document.Null:
		return m.null
	case document.Bool:
		return lua.LBool(v.IsTrue())
	case document.Number:
		return m.toNumber(v)
	case document.Text:
		s := v.Text()
		m.budget.alloc(valueBytes + int64(len(s)))
		return lua.LString(strings.Clone(s)) // as with names: it may be kept
	case document.Array, document.Object:
		if in.generation == 0 {
			return &m.lasting(v, in.fixed).ud
		}
		return &m.newProxy(v, in.fixed).ud
	default: // computed kinds: as JSON has them
		return lua.LString(v.AppendText(nil))
	}
}

func (m *machine) toNumber(v document.Value) lua.LValue {
	const exact = 1 << 53
	if i, ok := v.Int64(); ok && i >= -exact && i <= exact {
		return lua.LNumber(i)
	}
	if f, ok := v.Float64(); ok && document.Equal(document.NewFloat(f), v) {
		return lua.LNumber(f)
	}
	own, _ := document.NewNumber(strings.Clone(v.Number()))
	return m.userData(number{own}, m.numberMeta)
}

func (m *machine) userData(value any, meta *lua.LTable) *lua.LUserData {
	m.budget.alloc(64)
	return &lua.LUserData{Value: value, Metatable: meta, Env: m.env}
}

// maxDepth is how deep a table may nest in an event.
const maxDepth = 500

// toValue is what a Lua value is in a document. It charges for all it writes,
// so that a small table that holds itself a million times is no large event.
func (m *machine) toValue(v lua.LValue, depth int) (document.Value, error) {
	if depth > maxDepth {
		return document.Value{}, fmt.Errorf("a table that contains itself, or nests deeper than %d, can't be part of an event", maxDepth)
	}
	switch v := v.(type) {
	case lua.LBool:
		return document.NewBool(bool(v)), m.cost(0)
	case lua.LNumber:
		return numberValue(v), m.cost(0)
	case lua.LString:
		return document.NewText(string(v)), m.cost(len(v))
	case *lua.LTable:
		return m.tableValue(v, depth)
	case *lua.LUserData:
		switch u := v.Value.(type) {
		case *proxy:
			return m.proxyValue(u, depth)
		case number:
			return u.value, m.cost(u.value.Size())
		case *markup:
			u.own()
			return document.NewQuoted(u.quoted), m.cost(len(u.quoted))
		case null:
			return document.NewNull(), m.cost(0)
		}
	}
	return document.Value{}, fmt.Errorf("a %s can't be part of an event", v.Type())
}

// numberValue is a whole number without exponent as far as float64 is exact.
func numberValue(n lua.LNumber) document.Value {
	if f := float64(n); f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return document.NewInt(int64(f))
	}
	return document.NewFloat(float64(n))
}

// cost charges for a value of n bytes in the result.
func (m *machine) cost(n int) error {
	m.budget.charge(32 + int64(n))
	return m.budget.take(1)
}

func (m *machine) proxyValue(p *proxy, depth int) (document.Value, error) {
	if p.stale(m) {
		return document.Value{}, fmt.Errorf("a table of an event that is through can't be part of another: keep a copy of it (etl.copy)")
	}
	if !p.touched() {
		return p.value, m.cost(p.value.Size())
	}
	if p.table != nil {
		return m.changedValue(p, depth)
	}
	m.load(p)
	if p.array {
		items := make([]document.Value, 0, len(p.slots))
		for i := range p.slots {
			v, err := m.slotValue(&p.slots[i], depth)
			if err != nil {
				return v, err
			}
			items = append(items, v)
		}
		return document.NewArray(items), m.cost(0)
	}
	members := make([]document.Member, 0, len(p.slots))
	for i := range p.slots {
		v, err := m.slotValue(&p.slots[i], depth)
		if err != nil {
			return v, err
		}
		members = append(members, document.Member{Name: p.slots[i].name, Value: v})
	}
	return document.NewObject(members), m.cost(0)
}

// slotValue is the value as it came, unless what Lua has of it was changed.
func (m *machine) slotValue(s *slot, depth int) (document.Value, error) {
	if s.value.Kind() == document.Missing {
		return m.toValue(s.lua, depth+1)
	}
	if ud, ok := s.lua.(*lua.LUserData); ok {
		if p, ok := ud.Value.(*proxy); ok {
			return m.proxyValue(p, depth+1)
		}
	}
	return s.value, m.cost(s.value.Size())
}

// changedValue is a proxy that was written to: where its table still has what
// came, the bytes that came are used.
func (m *machine) changedValue(p *proxy, depth int) (document.Value, error) {
	form, err := formOf(p.table, p.array)
	if err != nil {
		return document.Value{}, err
	}
	same := func(i int, v lua.LValue) (document.Value, error) {
		if i >= 0 && i < len(p.slots) && p.slots[i].lua == v && p.slots[i].value.Kind() != document.Missing {
			return m.slotValue(&p.slots[i], depth)
		}
		return m.toValue(v, depth+1)
	}
	if form == listForm {
		return m.listValue(p.table, func(i int, v lua.LValue) (document.Value, error) { return same(i-1, v) })
	}
	at := -1
	return m.objectValue(p.table, func(name string, v lua.LValue) (document.Value, error) {
		if at++; at >= len(p.slots) || p.slots[at].name != name { // the order is mostly the same
			at = p.find(name)
		}
		return same(at, v)
	})
}

func (m *machine) tableValue(t *lua.LTable, depth int) (document.Value, error) {
	form, err := formOf(t, false)
	if err != nil {
		return document.Value{}, err
	}
	if form == listForm {
		return m.listValue(t, func(_ int, v lua.LValue) (document.Value, error) { return m.toValue(v, depth+1) })
	}
	return m.objectValue(t, func(_ string, v lua.LValue) (document.Value, error) { return m.toValue(v, depth+1) })
}

// listValue is a table's elements; a gap is null.
func (m *machine) listValue(t *lua.LTable, each func(int, lua.LValue) (document.Value, error)) (document.Value, error) {
	n := t.MaxN()
	if err := m.cost(n * 24); err != nil {
		return document.Value{}, err
	}
	items := make([]document.Value, 0, n)
	for i := 1; i <= n; i++ {
		e := t.RawGetInt(i)
		if e == lua.LNil {
			e = m.null
		}
		v, err := each(i, e)
		if err != nil {
			return v, err
		}
		items = append(items, v)
	}
	return document.NewArray(items), nil
}

func (m *machine) objectValue(t *lua.LTable, each func(string, lua.LValue) (document.Value, error)) (document.Value, error) {
	var members []document.Member
	for k, e := t.Next(lua.LNil); k != lua.LNil; k, e = t.Next(k) {
		name := string(k.(lua.LString))
		v, err := each(name, e)
		if err == nil {
			err = m.cost(len(name) + 48)
		}
		if err != nil {
			return v, err
		}
		members = append(members, document.Member{Name: name, Value: v})
	}
	return document.NewObject(members), nil
}

// form is what a table is in JSON.
type form int

const (
	objectForm form = iota
	listForm
)

// formOf tells lists from objects: a table with elements 1, 2, … is a list,
// one with names an object, an empty one what it was before, else an object.
func formOf(t *lua.LTable, wasList bool) (form, error) {
	k, _ := t.Next(lua.LNil)
	if k == lua.LNil {
		if wasList {
			return listForm, nil
		}
		return objectForm, nil
	}
	n := t.MaxN()
	first := n > 0
	if first {
		k, _ = t.Next(lua.LNumber(n))
	}
	for ; k != lua.LNil; k, _ = t.Next(k) {
		if _, ok := k.(lua.LString); ok && !first {
			continue
		}
		if first {
			return 0, fmt.Errorf("a table that has both elements and the member %q can't be part of an event", k.String())
		}
		return 0, fmt.Errorf("a table with the key %s can't be part of an event: members have names, elements are numbered 1, 2, …", k.String())
	}
	if first {
		return listForm, nil
	}
	return objectForm, nil
}
