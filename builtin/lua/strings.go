package lua

import (
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/builtin/lua/pattern"
)

// openString is gopher-lua's string library, with everything replaced that
// could take long or much.
func (m *machine) openString() {
	m.L.Push(m.L.NewFunction(lua.OpenString))
	m.L.Call(0, 1)
	t := m.L.CheckTable(-1)
	m.L.Pop(1)
	for _, name := range []string{"dump", "gfind"} {
		t.RawSetString(name, lua.LNil)
	}
	for name, f := range map[string]lua.LGFunction{
		"find":    m.stringFind,
		"format":  m.stringFormat,
		"gmatch":  m.stringGmatch,
		"gsub":    m.stringGsub,
		"lower":   m.stringMap(lower),
		"match":   m.stringMatch,
		"rep":     m.stringRep,
		"reverse": m.stringMap(reverse),
		"upper":   m.stringMap(upper),
	} {
		t.RawSetString(name, m.function(f))
	}
	m.real.RawSetString("string", t)
}

// checkText is argument n as text.
func (m *machine) checkText(L *lua.LState, n int) string {
	v := L.Get(n)
	if s, ok := v.(lua.LString); ok {
		return string(s)
	}
	if isText(v) {
		return textOf(v)
	}
	return L.CheckString(n)
}

// push gives s back to Lua; its bytes are charged unless they are part of
// another string.
func (m *machine) push(L *lua.LState, s string) int {
	m.budget.alloc(valueBytes + int64(len(s)))
	L.Push(lua.LString(s))
	return 1
}

func (m *machine) stringMap(f func(string) string) lua.LGFunction {
	return func(L *lua.LState) int {
		s := m.checkText(L, 1)
		m.budget.alloc(int64(len(s)))
		L.Push(lua.LString(f(s)))
		return 1
	}
}

// lower and upper work on letters, or on ASCII where the bytes are no UTF-8:
// part of a letter stays what it is.
func lower(s string) string {
	if utf8.ValidString(s) {
		return strings.ToLower(s)
	}
	return ascii(s, 'A', 'Z')
}

func upper(s string) string {
	if utf8.ValidString(s) {
		return strings.ToUpper(s)
	}
	return ascii(s, 'a', 'z')
}

// ascii changes the case of the letters between from and to.
func ascii(s string, from, to byte) string {
	b := []byte(s)
	for i, c := range b {
		if c >= from && c <= to {
			b[i] = c ^ ('a' - 'A')
		}
	}
	return string(b)
}

func reverse(s string) string {
	b := make([]byte, len(s))
	for i := range len(s) {
		b[len(s)-1-i] = s[i]
	}
	return string(b)
}

func (m *machine) stringRep(L *lua.LState) int {
	s, n := m.checkText(L, 1), L.CheckInt(2)
	if n <= 0 || s == "" {
		L.Push(lua.LString(""))
		return 1
	}
	if n > int(m.budget.memory) { // no product of it may overflow
		n = int(m.budget.memory)
	}
	m.budget.alloc(int64(len(s)) * int64(n))
	L.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

// patternCache keeps compiled patterns by their text.
type patternCache struct {
	patterns map[string]*pattern.Pattern
	matcher  *pattern.Matcher // the one that is free
}

// cachedPatterns is how many patterns a state keeps; a script that makes more
// of them out of data starts anew.
const cachedPatterns = 256

// compiled is the pattern that text spells.
func (m *machine) compiled(text string) *pattern.Pattern {
	if p := m.patterns.patterns[text]; p != nil {
		return p
	}
	m.budget.alloc(int64(len(text)) * 96)
	p, err := pattern.Compile(text)
	if err != nil {
		m.L.RaiseError("%s", err.Error())
	}
	if len(m.patterns.patterns) >= cachedPatterns || m.patterns.patterns == nil {
		m.patterns.patterns = map[string]*pattern.Pattern{}
	}
	if len(text) < 256 {
		m.patterns.patterns[strings.Clone(text)] = p
	}
	return p
}

// withMatcher lends a matcher: a function called by gsub may itself match.
func (m *machine) withMatcher(f func(*pattern.Matcher) int) int {
	x := m.patterns.matcher
	if x == nil {
		x = &pattern.Matcher{Spend: m.budget.take}
	}
	m.patterns.matcher = nil
	n := f(x)
	m.patterns.matcher = x
	return n
}

// find is the next match at or behind start.
func (m *machine) find(x *pattern.Matcher, p *pattern.Pattern, s string, start int) (pattern.Match, bool) {
	found, ok, err := x.Find(p, s, start)
	if err != nil {
		m.L.RaiseError("%s", err.Error())
	}
	return found, ok
}

// pushCaptures pushes the captures of a match, the whole if there are none and
// whole says so.
func (m *machine) pushCaptures(L *lua.LState, s string, found pattern.Match, whole bool) int {
	if len(found.Captures) == 0 && whole {
		m.budget.alloc(valueBytes)
		L.Push(lua.LString(s[found.Start:found.End]))
		return 1
	}
	for _, c := range found.Captures {
		m.budget.alloc(valueBytes)
		L.Push(captured(s, c))
	}
	return len(found.Captures)
}

func captured(s string, c pattern.Capture) lua.LValue {
	if c.IsPosition() {
		return lua.LNumber(c.Start + 1)
	}
	return lua.LString(c.Text(s))
}

// start is where a search with init begins; ok is false behind the end.
func start(s string, init int) (at int, ok bool) {
	switch {
	case init > 0:
		at = init - 1
	case init < 0:
		at = max(len(s)+init, 0)
	}
	return at, at <= len(s)
}

func (m *machine) stringFind(L *lua.LState) int  { return m.search(L, true) }
func (m *machine) stringMatch(L *lua.LState) int { return m.search(L, false) }

func (m *machine) search(L *lua.LState, positions bool) int {
	s, p := m.checkText(L, 1), m.checkText(L, 2)
	at, ok := start(s, L.OptInt(3, 1))
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	if positions && (lua.LVAsBool(L.Get(4)) || !strings.ContainsAny(p, "^$*+?.([%-")) {
		m.budget.spend((len(s) - at) / 64)
		i := strings.Index(s[at:], p)
		if i < 0 {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(lua.LNumber(at + i + 1))
		L.Push(lua.LNumber(at + i + len(p)))
		return 2
	}
	compiled := m.compiled(p)
	return m.withMatcher(func(x *pattern.Matcher) int {
		found, ok := m.find(x, compiled, s, at)
		if !ok {
			L.Push(lua.LNil)
			return 1
		}
		if !positions {
			return m.pushCaptures(L, s, found, true)
		}
		L.Push(lua.LNumber(found.Start + 1))
		L.Push(lua.LNumber(found.End))
		return 2 + m.pushCaptures(L, s, found, false)
	})
}

// matches walks over the matches of a pattern as gsub and gmatch do: behind an
// empty match it goes on one byte later.
type matches struct {
	pattern *pattern.Pattern
	text    string
	at      int // where the next search begins; behind the end: nowhere
}

func (m *machine) nextMatch(x *pattern.Matcher, w *matches) (pattern.Match, bool) {
	if w.at > len(w.text) {
		return pattern.Match{}, false
	}
	found, ok := m.find(x, w.pattern, w.text, w.at)
	switch {
	case !ok || w.pattern.Anchored():
		w.at = len(w.text) + 1
	case found.End > found.Start:
		w.at = found.End
	default:
		w.at = found.End + 1
	}
	return found, ok
}

func (m *machine) stringGmatch(L *lua.LState) int {
	w := &matches{text: m.checkText(L, 1), pattern: m.compiled(m.checkText(L, 2))}
	m.budget.alloc(closureBytes)
	L.Push(m.function(func(L *lua.LState) int {
		return m.withMatcher(func(x *pattern.Matcher) int {
			found, ok := m.nextMatch(x, w)
			if !ok {
				L.Push(lua.LNil)
				return 1
			}
			return m.pushCaptures(L, w.text, found, true)
		})
	}))
	return 1
}

func (m *machine) stringGsub(L *lua.LState) int {
	s := m.checkText(L, 1)
	w := &matches{text: s, pattern: m.compiled(m.checkText(L, 2))}
	replace := m.replacement(L, L.Get(3))
	most := len(s) + 1
	if L.Get(4) != lua.LNil {
		most = L.CheckInt(4)
	}
	return m.withMatcher(func(x *pattern.Matcher) int {
		var out []byte
		n, copied := 0, 0
		for n < most {
			found, ok := m.nextMatch(x, w)
			if !ok {
				break
			}
			n++
			m.budget.alloc(int64(found.Start-copied) + valueBytes)
			out = append(out, s[copied:found.Start]...)
			out = replace(out, s, found)
			copied = found.End
		}
		if n == 0 {
			L.Push(lua.LString(s))
		} else {
			m.budget.alloc(int64(len(s)-copied) + int64(len(out)))
			L.Push(lua.LString(append(out, s[copied:]...)))
		}
		L.Push(lua.LNumber(n))
		return 2
	})
}

// replacement is what gsub's third argument does with a match.
func (m *machine) replacement(L *lua.LState, v lua.LValue) func(out []byte, s string, found pattern.Match) []byte {
	insert := func(out []byte, s string, found pattern.Match, by lua.LValue) []byte {
		if lua.LVIsFalse(by) {
			by = lua.LString(s[found.Start:found.End])
		} else if !isText(by) {
			L.RaiseError("invalid replacement value (a %s)", by.Type().String())
		}
		m.budget.alloc(int64(len(textOf(by))))
		return append(out, textOf(by)...)
	}
	if f, ok := v.(*lua.LFunction); ok {
		return func(out []byte, s string, found pattern.Match) []byte {
			L.Push(f)
			n := m.pushCaptures(L, s, found, true)
			L.Call(n, 1)
			by := L.Get(-1)
			L.Pop(1)
			return insert(out, s, found, by)
		}
	}
	if _, isTable := v.(*lua.LTable); isTable || m.proxyOf(v) != nil {
		return func(out []byte, s string, found pattern.Match) []byte {
			key := lua.LValue(lua.LString(s[found.Start:found.End]))
			if len(found.Captures) > 0 {
				key = captured(s, found.Captures[0])
			}
			return insert(out, s, found, L.GetTable(v, key))
		}
	}
	by := m.checkText(L, 3)
	return func(out []byte, s string, found pattern.Match) []byte { return m.expand(out, by, s, found) }
}

// expand appends a replacement text, with %0 to %9 filled in.
func (m *machine) expand(out []byte, by, s string, found pattern.Match) []byte {
	for {
		percent := strings.IndexByte(by, '%')
		if percent < 0 || percent+1 == len(by) {
			m.budget.alloc(int64(len(by)))
			return append(out, by...)
		}
		m.budget.alloc(int64(percent))
		out = append(out, by[:percent]...)
		c := by[percent+1]
		by = by[percent+2:]
		part := string(c)
		switch n := int(c) - '1'; {
		case c == '0' || c == '1' && len(found.Captures) == 0:
			part = s[found.Start:found.End]
		case c >= '1' && c <= '9':
			if n >= len(found.Captures) {
				m.L.RaiseError("invalid capture index %%%d in the replacement", n+1)
			}
			part = lua.LVAsString(captured(s, found.Captures[n]))
		}
		m.budget.alloc(int64(len(part)))
		out = append(out, part...)
	}
}
