package lua

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// checkKept bounds what a script keeps from event to event in its upvalues and
// tables, which the account of a single event doesn't see: each time as much
// was allocated as may be kept, what is still there is measured.
func (m *machine) checkKept() error {
	m.kept += m.budget.used
	if m.kept <= m.budget.memory {
		return nil
	}
	m.kept = m.measure()
	if m.kept <= m.budget.memory {
		return nil
	}
	m.budget.fail(event.Failf(codeMemory,
		"the script keeps %s in its variables from event to event, more than the %s it may take (attribute `memory`): all of it is dropped",
		sizeText(m.kept), sizeText(m.budget.memory)))
	return m.budget.broken
}

// measure is about what can be reached from the globals and from process.
func (m *machine) measure() int64 {
	s := survey{seen: map[any]bool{}}
	s.add(m.real)
	s.add(m.process)
	for _, module := range m.loaded {
		s.add(module)
	}
	for len(s.todo) > 0 {
		v := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		s.open(v)
	}
	return s.bytes
}

// survey adds up values, each once.
type survey struct {
	seen  map[any]bool
	todo  []lua.LValue
	bytes int64
}

func (s *survey) add(v lua.LValue) {
	switch v := v.(type) {
	case lua.LString:
		s.bytes += valueBytes + int64(len(v))
	case *lua.LTable, *lua.LFunction, *lua.LUserData:
		if !s.seen[v] {
			s.seen[v] = true
			s.todo = append(s.todo, v)
		}
	}
}

func (s *survey) open(v lua.LValue) {
	switch v := v.(type) {
	case *lua.LTable:
		s.bytes += tableBytes
		v.ForEach(func(key, value lua.LValue) {
			s.bytes += memberBytes / 2
			s.add(key)
			s.add(value)
		})
		s.add(v.Metatable)
	case *lua.LFunction:
		s.bytes += closureBytes
		for _, up := range v.Upvalues {
			if up != nil {
				s.add(up.Value())
			}
		}
	case *lua.LUserData:
		s.bytes += proxyBytes
		switch u := v.Value.(type) {
		case *proxy:
			s.proxy(u)
		case *markup:
			s.bytes += int64(len(u.quoted))
			if u.text != nil {
				s.bytes += int64(len(*u.text))
			}
		case number:
			s.bytes += int64(u.value.Size())
		}
	}
}

func (s *survey) proxy(p *proxy) {
	if p.value.Kind() != document.Missing {
		s.bytes += int64(p.value.Size())
	}
	if p.table != nil {
		s.add(p.table)
	}
	if p.generation != 0 {
		return // its slots are the arena's
	}
	for i := range p.slots {
		s.bytes += 64
		if p.slots[i].lua != nil {
			s.add(p.slots[i].lua)
		}
	}
}
