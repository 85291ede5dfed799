package lua

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// markup is XML that is already escaped. It is held as the event will have it:
// escaped once more, as JSON is between quotes. So what comes from one event and
// goes into another is escaped from the one form to the other in one pass, and
// copied from there on.
type markup struct {
	ud     lua.LUserData
	quoted string
	shared bool    // quoted is in the machine's buffer, which lives as long as the event
	text   *string // decoded, once a script has looked at it
}

// own makes x live longer than its event.
func (x *markup) own() {
	if x.shared {
		x.quoted, x.shared = strings.Clone(x.quoted), false
	}
}

// String is the XML itself.
func (x *markup) String() string {
	if x.text == nil {
		x.own()
		text := document.NewQuoted(x.quoted).Text()
		x.text = &text
	}
	return *x.text
}

// where is the place in XML that a text is to stand at.
type where uint8

const (
	content   where = iota
	attribute       // between double quotes
)

// references are what stands for a character, in XML and in JSON; what is not
// there is itself.
var references = [...][utf8.RuneSelf]string{
	content: {
		'&': "&amp;", '<': "&lt;", '>': "&gt;",
		'"': `\"`, '\\': `\\`, '\t': `\t`, '\n': `\n`, '\r': `\r`,
	},
	attribute: {
		'&': "&amp;", '<': "&lt;", '>': "&gt;",
		'"': "&quot;", '\\': `\\`, '\t': "&#09;", '\n': "&#10;", '\r': "&#13;",
	},
}

// appendText appends a text to a markup.
func (m *machine) appendText(b []byte, s string, at where) []byte {
	return m.appendEscaped(b, s, at, false)
}

// appendValue appends what a document holds, as text: a Text as it came, nothing for null, all else as JSON.
func (m *machine) appendValue(b []byte, v document.Value, at where) []byte {
	switch v.Kind() {
	case document.Null, document.Missing:
		return b
	case document.Text:
		if s, ok := v.Quoted(); ok {
			m.budget.alloc(int64(len(s)))
			return m.appendEscaped(b, s, at, true)
		}
		s := v.Text()
		m.budget.alloc(int64(len(s)))
		return m.appendText(b, s, at)
	case document.Number:
		return append(b, v.Number()...)
	default:
		text := v.AppendText(nil)
		m.budget.alloc(int64(len(text)))
		return m.appendText(b, string(text), at)
	}
}

// appendEscaped appends s; quoted says that it is as JSON has it between quotes.
// What XML forbids becomes U+FFFD, and is counted.
func (m *machine) appendEscaped(b []byte, s string, at where, quoted bool) []byte {
	done := 0
	for i := harmless(s); i < len(s); i += harmless(s[i:]) {
		var r rune
		size := 1
		switch c := s[i]; {
		case c == '\\' && quoted:
			r, size = document.Unescape(s[i:])
		case c < utf8.RuneSelf:
			r = rune(c)
		default:
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		as := ""
		switch {
		case r == utf8.RuneError && size == 1 || r == 0xfffe || r == 0xffff:
			as = "\ufffd"
			m.replaced++
		case r < utf8.RuneSelf:
			if as = references[at][r]; as == "" && r < ' ' {
				as = "\ufffd"
				m.replaced++
			}
		}
		from := s[i : i+size]
		if as == "" && from[0] == '\\' {
			as = string(r)
		}
		if as != "" && as != from {
			b = append(append(b, s[done:i]...), as...)
			done = i + size
		}
		i += size
	}
	return append(b, s[done:]...)
}

// harmless is how much of s stands in XML, in JSON and in both as it is. Eight bytes at a
// time: two characters that differ in one bit are compared as one.
func harmless(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	p, n := unsafe.Slice(unsafe.StringData(s), len(s)), 0
	for ; n+8 <= len(p); n += 8 {
		x := binary.LittleEndian.Uint64(p[n:])
		angle := (x | ('<'^'>')*ones) ^ ('>' * ones)
		other := (x | ('"'^'&')*ones) ^ ('&' * ones)
		slash := x ^ ('\\' * ones)
		if marks := ((angle-ones)&^angle | (other-ones)&^other | (slash-ones)&^slash | (x-' '*ones)&^x | x) & highs; marks != 0 {
			return n + bits.TrailingZeros64(marks)/8
		}
	}
	for n < len(p) && !special[p[n]] {
		n++
	}
	return n
}

// special are the bytes that harmless stops at.
var special = func() (is [256]bool) {
	for c := range is {
		is[c] = c < ' ' || c >= utf8.RuneSelf || strings.IndexByte(`<>&"\`, byte(c)) >= 0
	}
	return is
}()
