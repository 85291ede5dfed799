package lua

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// syslogModule makes lines of RFC 5424 that are valid whatever the values are.
//
//	syslog.line{ facility = 4, severity = 5, timestamp = "2025-10-09T08:31:05.002+0000",
//	             hostname = …, app = …, procid = …, msgid = …,
//	             data = { ["dfn@32473"] = { alert = "1.2" } }, message = … }
//	syslog.header{ … }               the same without data and message
//	syslog.priority(facility, severity)
//
// facility is 1 (user) and severity 6 (informational) if they are missing. A timestamp is
// RFC 3339 or Wazuh's; one that is neither is an error. What is missing or empty is "-"; what a
// field doesn't allow becomes an underscore, and what is too long for it is cut. Control characters of the
// message become #012 and the like, as rsyslog writes them.
func (m *machine) syslogModule() functions {
	return functions{
		"priority": func(L *lua.LState) int {
			L.Push(lua.LNumber(8*m.bounded(L, L.Get(1), "facility", 23, 1) + m.bounded(L, L.Get(2), "severity", 7, 6)))
			return 1
		},
		"header": func(L *lua.LState) int {
			return m.push(L, string(m.appendHeader(nil, L, m.checkList(L, 1))))
		},
		"line": func(L *lua.LState) int {
			fields := m.checkList(L, 1)
			b := append(m.appendHeader(nil, L, fields), ' ')
			b = m.appendData(b, L, m.index(fields, lua.LString("data")))
			if v := m.index(fields, lua.LString("message")); v != lua.LNil {
				b = m.appendMessage(append(b, ' '), m.writtenText(v))
			}
			return m.push(L, string(b))
		},
	}
}

// bounded is a whole number from 0 to most.
func (m *machine) bounded(L *lua.LState, v lua.LValue, name string, most, missing int) int {
	if v == lua.LNil || v == lua.LValue(m.null) {
		return missing
	}
	n, err := strconv.Atoi(m.writtenText(v))
	if err != nil || n < 0 || n > most {
		L.RaiseError("syslog: %s is a whole number from 0 to %d, not %s", name, most, cut(m.writtenText(v)))
	}
	return n
}

func (m *machine) appendHeader(b []byte, L *lua.LState, fields lua.LValue) []byte {
	get := func(name string) lua.LValue { return m.index(fields, lua.LString(name)) }
	priority := 8*m.bounded(L, get("facility"), "facility", 23, 1) + m.bounded(L, get("severity"), "severity", 7, 6)
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(priority), 10)
	b = append(b, ">1 "...)
	if v := get("timestamp"); v == lua.LNil || v == lua.LValue(m.null) {
		b = append(b, '-')
	} else {
		t, err := parseTime(m.writtenText(v))
		if err != nil {
			L.RaiseError("syslog: timestamp: %s", err.Error())
		}
		b = t.AppendFormat(b, "2006-01-02T15:04:05.999999Z07:00")
	}
	for _, field := range []struct {
		name string
		most int
	}{{"hostname", 255}, {"app", 48}, {"procid", 128}, {"msgid", 32}} {
		b = append(b, ' ')
		b = m.appendField(b, get(field.name), field.most, "")
	}
	return b
}

// appendField appends printable ASCII without blanks and without what is
// forbidden, "-" for nothing.
func (m *machine) appendField(b []byte, v lua.LValue, most int, forbidden string) []byte {
	s := ""
	if v != lua.LNil {
		s = m.writtenText(v)
	}
	if s == "" {
		return append(b, '-')
	}
	n := 0
	for _, c := range s {
		if n++; n > most {
			break
		}
		if c <= ' ' || c > '~' || strings.ContainsRune(forbidden, c) {
			c = '_'
		}
		b = append(b, byte(c))
	}
	return b
}

// appendData appends structured data: a table of elements, each a table of
// parameters.
func (m *machine) appendData(b []byte, L *lua.LState, data lua.LValue) []byte {
	empty := len(b)
	m.each(data, func(id, parameters lua.LValue) {
		b = append(b, '[')
		b = m.appendField(b, id, 32, `="]`)
		m.each(parameters, func(name, value lua.LValue) {
			b = append(b, ' ')
			b = m.appendField(b, name, 32, `="]`)
			b = append(b, `="`...)
			for _, c := range []byte(strings.ToValidUTF8(m.writtenText(value), "\ufffd")) {
				if c == '"' || c == '\\' || c == ']' {
					b = append(b, '\\')
				}
				b = append(b, c)
			}
			b = append(b, '"')
		})
		b = append(b, ']')
	})
	if len(b) == empty {
		b = append(b, '-')
	}
	return b
}

// each goes over a table or proxy in its order; over nothing for anything else.
func (m *machine) each(v lua.LValue, f func(key, value lua.LValue)) {
	p := m.proxyOf(v)
	t, ok := v.(*lua.LTable)
	if p == nil && !ok {
		return
	}
	next := func(key lua.LValue) (lua.LValue, lua.LValue) {
		m.budget.spend(4)
		if p != nil {
			return m.next(p, key)
		}
		return t.Next(key)
	}
	for key, value := next(lua.LNil); key != lua.LNil; key, value = next(key) {
		f(key, value)
	}
}

func (m *machine) appendMessage(b []byte, s string) []byte {
	m.budget.alloc(int64(len(s)))
	for _, c := range []byte(strings.ToValidUTF8(s, "\ufffd")) {
		if c < ' ' || c == 0x7f {
			b = append(b, '#', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
			continue
		}
		b = append(b, c)
	}
	return b
}
