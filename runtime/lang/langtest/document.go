package langtest

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// member is one of an object under construction; exactly one of value and
// members is set.
type member struct {
	name    string
	value   string // JSON
	members []*member
}

// Document makes up a document that has some of the wishes, and much else. It is
// one line, and begins and ends like an object; now and then it is broken inside.
func (m *Maker) Document(wishes ...Wish) []byte {
	root := &member{}
	for range m.IntN(4) {
		m.set(root, pick(m, paths), m.value())
	}
	for _, w := range wishes {
		if m.IntN(4) > 0 {
			m.set(root, w.Path, w.Value)
		}
		if m.IntN(6) == 0 {
			m.set(root, w.Path, m.value()) // a second one of its name, which wins, or is won over
		}
	}
	if m.IntN(4) == 0 {
		m.set(root, []string{"full_log"}, quote(pick(m, texts)+" "+pick(m, texts)))
	}
	if m.IntN(30) == 0 {
		depth := m.IntN(60)
		m.set(root, []string{"deep"}, strings.Repeat(`{"x":[`, depth)+`"abc"`+strings.Repeat(`]}`, depth))
	}
	w := writer{Maker: m, escapes: m.IntN(5) == 0, blanks: m.IntN(4) == 0}
	w.object(root.members)
	return m.hurt(w.out)
}

// set gives root the value at path: beside others of the name, or in place of them.
func (m *Maker) set(root *member, path []string, value string) {
	at := root
	for _, name := range path[:len(path)-1] {
		var next *member
		for _, c := range at.members {
			if c.name == name && c.value == "" && m.IntN(8) > 0 {
				next = c
			}
		}
		if next == nil {
			next = &member{name: name}
			at.members = append(at.members, next)
		}
		at = next
	}
	leaf := &member{name: path[len(path)-1], value: value}
	at.members = append(at.members, leaf)
	if n := len(at.members); n > 1 && m.IntN(2) == 0 {
		i := m.IntN(n)
		at.members[i], at.members[n-1] = at.members[n-1], at.members[i]
	}
}

// value makes up a value.
func (m *Maker) value() string {
	switch m.IntN(8) {
	case 0:
		return pick(m, numbers)
	case 1:
		return pick(m, []string{"true", "false", "null"})
	case 2:
		return "[" + m.value() + "," + m.value() + "]"
	case 3:
		return "{" + quote(pick(m, texts)) + ":" + m.value() + "}"
	}
	return quote(pick(m, texts))
}

// hurt breaks a document now and then.
func (m *Maker) hurt(doc []byte) []byte {
	switch m.IntN(40) {
	case 0: // cut
		return append(doc[:1+m.IntN(len(doc)-1)], '}')
	case 1: // not UTF-8, maybe inside of a text
		doc[1+m.IntN(len(doc)-1)] = 0xff
		doc[len(doc)-1] = '}'
	case 2:
		doc[m.IntN(len(doc))] = '\\'
		doc[0], doc[len(doc)-1] = '{', '}'
	}
	return doc
}

// writer writes a document in one of its many spellings.
type writer struct {
	*Maker
	out             []byte
	escapes, blanks bool
}

func (w *writer) blank() {
	if w.blanks && w.IntN(3) == 0 {
		w.out = append(w.out, pick(w.Maker, []string{" ", "\t", "  ", "\r"})...)
	}
}

func (w *writer) object(members []*member) {
	w.out = append(w.out, '{')
	for i, m := range members {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.blank()
		w.respell(quote(m.name))
		w.blank()
		w.out = append(w.out, ':')
		w.blank()
		if m.value != "" {
			w.respell(m.value)
		} else {
			w.object(m.members)
		}
		w.blank()
	}
	w.out = append(w.out, '}')
}

// respell writes JSON with some letters of its texts as escapes.
func (w *writer) respell(json string) {
	inText := false
	for i := 0; i < len(json); {
		r, size := utf8.DecodeRuneInString(json[i:])
		switch {
		case json[i] == '\\':
			size = 2
			w.out = append(w.out, json[i:i+size]...)
		case json[i] == '"':
			inText = !inText
			w.out = append(w.out, '"')
		case inText && r == '/' && w.IntN(2) == 0:
			w.out = append(w.out, `\/`...)
		case inText && w.escapes && w.IntN(4) == 0 && r < 0x10000:
			w.out = fmt.Appendf(w.out, pick(w.Maker, []string{`\u%04x`, `\u%04X`}), r)
		default:
			w.out = append(w.out, json[i:i+size]...)
		}
		i += size
	}
}
