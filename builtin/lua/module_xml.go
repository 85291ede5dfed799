package lua

import (
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// xmlModule makes XML 1.0 that parses whatever the values are.
//
//	xml.element(name, attributes, content…)  <name a="…">content</name>, <name /> without content
//	xml.empty(name, attributes)              <name a="…" />
//	xml.template(text)                       a function of (object, content…) that gives the XML of
//	                                         text, with the object's members in the places {name}
//	                                         and the content in the place {...}
//	xml.named(object, element, attribute, c, lacking)  one element for each member: its name is the
//	                                         attribute, with a capital first letter if c is true; and for
//	                                         names of lacking, { name, content, … }, that no member
//	                                         has, in whatever case
//	xml.name(text)                           text as a legal name, each illegal character an underscore
//	xml.escape(text)                         text as element content
//
// attributes is a list of names and values in turn, or nil; a value that is nil
// leaves its attribute out. Content is text, which is escaped, or what element, empty and escape
// gave, which is not, or a list of such. Numbers, booleans, objects and arrays are their JSON text,
// etl.null is nothing. What XML forbids becomes U+FFFD and is counted.
func (m *machine) xmlModule() functions {
	return functions{
		"element":  m.xmlElement,
		"empty":    m.xmlEmpty,
		"named":    m.xmlNamed,
		"template": m.xmlTemplate,
		"name": func(L *lua.LState) int {
			return m.push(L, xmlName(m.checkText(L, 1)))
		},
		"escape": func(L *lua.LState) int {
			return m.pushMarkup(L, m.appendContent(m.buffer, L.Get(1)), len(m.buffer))
		},
	}
}

func (m *machine) xmlElement(L *lua.LState) int {
	b := m.appendStart(m.buffer, L)
	open := len(b)
	b = append(b, '>')
	for i := 3; i <= L.GetTop(); i++ {
		b = m.appendContent(b, L.Get(i))
	}
	if len(b) == open+1 {
		b = append(b[:open], " />"...)
	} else {
		b = append(b, "</"...)
		b = appendName(b, m.checkText(L, 1))
		b = append(b, '>')
	}
	return m.pushMarkup(L, b, len(m.buffer))
}

func (m *machine) xmlEmpty(L *lua.LState) int {
	return m.pushMarkup(L, append(m.appendStart(m.buffer, L), " />"...), len(m.buffer))
}

// appendSlot appends the text of slot i without making a Lua string of it.
func (m *machine) appendSlot(b []byte, p *proxy, i int, at where) []byte {
	switch v := p.slots[i].value; v.Kind() {
	case document.Missing, document.Array, document.Object: // a script may have written it, or into it
		return m.appendWritten(b, m.at(p, i), at)
	default:
		return m.appendValue(b, v, at)
	}
}

// appendWritten appends a Lua value as the text that a document would have.
func (m *machine) appendWritten(b []byte, v lua.LValue, at where) []byte {
	if v == lua.LNil || v == lua.LValue(m.null) {
		return b
	}
	text := m.writtenText(v)
	m.budget.alloc(int64(len(text)))
	return m.appendText(b, text, at)
}

func (m *machine) xmlNamed(L *lua.LState) int {
	object := m.checkList(L, 1)
	element, capital := m.checkText(L, 2), lua.LVAsBool(L.Get(4))
	// What each element begins and ends with stands in front of them, to be copied.
	begin := len(m.buffer)
	b := appendName(append(m.buffer, '<'), element)
	b = append(appendName(append(b, ' '), m.checkText(L, 3)), `=\"`...)
	start := len(b)
	b = append(appendName(append(b, "</"...), element), '>')
	end := len(b)
	lacking := m.lackingOf(L)
	one := func(name string, appendContent func()) {
		for i := range lacking {
			if strings.EqualFold(lacking[i].name, name) {
				lacking[i].found = true
			}
		}
		b = append(b, b[begin:start]...)
		if capital && name != "" && name[0] >= 'a' && name[0] <= 'z' {
			b = append(b, name[0]-'a'+'A')
			name = name[1:]
		} else if capital {
			name = capitalize(name)
		}
		b = append(m.appendText(b, name, attribute), `\">`...)
		open := len(b)
		if appendContent(); len(b) == open {
			b = append(b[:open-1], " />"...)
			return
		}
		b = append(b, b[start:end]...)
	}
	switch p := m.proxyOf(object); {
	case p != nil && !p.loaded && len(p.slots) == 0 && !p.array: // nobody has looked inside
		for name, v := range p.value.Members() {
			one(name, func() { b = m.appendValue(b, v, content) })
		}
		m.budget.spend(p.value.Len())
	case p != nil && p.table == nil:
		m.load(p)
		for i := range p.slots {
			one(p.slots[i].name, func() { b = m.appendSlot(b, p, i, content) })
		}
		m.budget.spend(len(p.slots))
	default:
		m.each(object, func(key, value lua.LValue) {
			one(key.String(), func() { b = m.appendContent(b, value) })
		})
	}
	for i := range lacking {
		if !lacking[i].found {
			one(lacking[i].name, func() { b = m.appendContent(b, lacking[i].content) })
		}
	}
	return m.pushMarkup(L, b, end)
}

// lacking is a member that an object may lack, and what stands for it.
type lacking struct {
	name    string
	content lua.LValue
	found   bool
}

// lackingOf is the last argument of xml.named.
func (m *machine) lackingOf(L *lua.LState) []lacking {
	const argument = 5
	if L.Get(argument) == lua.LNil {
		return nil
	}
	list := m.checkList(L, argument)
	n := m.lengthOf(list)
	m.budget.alloc(int64(n) * 32)
	out := make([]lacking, 0, n/2)
	for i := 1; i < n; i += 2 {
		out = append(out, lacking{name: m.writtenText(m.index(list, lua.LNumber(i))), content: m.index(list, lua.LNumber(i+1))})
	}
	return out
}

// pushMarkup pushes as markup what was written behind the buffer, from start on.
func (m *machine) pushMarkup(L *lua.LState, b []byte, start int) int {
	m.budget.alloc(64 + int64(len(b)-start))
	x := m.markups.take()
	if x.ud.Value == nil {
		x.ud.Value, x.ud.Metatable, x.ud.Env = x, m.markupMeta, m.env
	}
	x.quoted, x.shared = unsafe.String(unsafe.SliceData(b[start:]), len(b)-start), true
	m.buffer = b
	L.Push(&x.ud)
	return 1
}

// appendStart appends <name a="…" from arguments 1 and 2.
func (m *machine) appendStart(b []byte, L *lua.LState) []byte {
	b = append(b, '<')
	b = appendName(b, m.checkText(L, 1))
	v := L.Get(2)
	if v == lua.LNil {
		return b
	}
	attributes := m.checkList(L, 2)
	n := 0
	if t, ok := attributes.(*lua.LTable); ok {
		n = t.MaxN()
	} else {
		n = m.lengthOf(attributes)
	}
	for i := 1; i < n; i += 2 {
		value := m.index(attributes, lua.LNumber(i+1))
		if value == lua.LNil {
			continue
		}
		name := m.index(attributes, lua.LNumber(i))
		if !isText(name) {
			L.RaiseError("the name of an attribute is a %s", name.Type().String())
		}
		b = append(b, ' ')
		b = appendName(b, textOf(name))
		b = append(b, `=\"`...)
		b = m.appendWritten(b, value, attribute)
		b = append(b, `\"`...)
	}
	return b
}

// appendContent appends what stands inside an element.
func (m *machine) appendContent(b []byte, v lua.LValue) []byte {
	switch v := v.(type) {
	case *lua.LUserData:
		if x, ok := v.Value.(*markup); ok {
			m.budget.alloc(int64(len(x.quoted)))
			return append(b, x.quoted...)
		}
	case *lua.LTable:
		return m.appendList(b, v)
	}
	return m.appendWritten(b, v, content)
}

// appendList appends a list of contents.
func (m *machine) appendList(b []byte, t *lua.LTable) []byte {
	if form, err := formOf(t, true); err != nil || form != listForm {
		m.L.RaiseError("a table with names is no content of an element: json.encode it, or make elements of its members")
	}
	n := t.MaxN()
	for i := 1; i <= n; i++ {
		v := t.RawGetInt(i)
		if _, ok := v.(*lua.LTable); ok {
			m.L.RaiseError("a list in a list is no content of an element")
		}
		b = m.appendContent(b, v)
	}
	return b
}

// appendName appends a name; a colon stays, since the script wrote it.
func appendName(b []byte, name string) []byte {
	if name == "" {
		return append(b, '_')
	}
	for i := range len(name) {
		if c := name[i]; !nameBytes[c] || i == 0 && c < 'A' && c != ':' {
			return append(b, xmlName(name)...)
		}
	}
	return append(b, name...)
}

// nameBytes are the ASCII characters of names.
var nameBytes = func() (is [256]bool) {
	for c := range utf8.RuneSelf {
		is[c] = isNameRune(rune(c), false) || c == ':'
	}
	return is
}()

// xmlName is text as a name without colon.
func xmlName(text string) string {
	if text == "" {
		return "_"
	}
	b := make([]byte, 0, len(text))
	for i, c := range text {
		if isNameRune(c, i == 0) {
			b = utf8.AppendRune(b, c)
		} else {
			b = append(b, '_')
		}
	}
	return string(b)
}

// isNameRune says that c may be in a name, or begin one.
func isNameRune(c rune, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		return true
	case c >= '0' && c <= '9' || c == '-' || c == '.' || c == 0xb7:
		return !first
	}
	return c >= 0xc0 && unicode.Is(nameLetters, c)
}

// nameLetters are letters that every edition of XML 1.0 takes in a name: the
// fifth allows nearly all of Unicode, but most parsers still go by the fourth.
var nameLetters = &unicode.RangeTable{R16: []unicode.Range16{
	{0xc0, 0xd6, 1}, {0xd8, 0xf6, 1}, {0xf8, 0x131, 1}, {0x134, 0x13e, 1}, {0x141, 0x148, 1}, {0x14a, 0x17e, 1}, // Latin
	{0x386, 0x386, 1}, {0x388, 0x38a, 1}, {0x38c, 0x38c, 1}, {0x38e, 0x3a1, 1}, {0x3a3, 0x3ce, 1}, // Greek
	{0x401, 0x40c, 1}, {0x40e, 0x44f, 1}, {0x451, 0x45c, 1}, {0x45e, 0x481, 1}, // Cyrillic
	{0x5d0, 0x5ea, 1}, {0x621, 0x63a, 1}, {0x641, 0x64a, 1}, // Hebrew, Arabic
	{0x3041, 0x3094, 1}, {0x30a1, 0x30fa, 1}, {0x4e00, 0x9fa5, 1}, {0xac00, 0xd7a3, 1}, // Kana, Han, Hangul
}}
