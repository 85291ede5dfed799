package lua

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
)

// template is XML with places in it, {name}, for an object's members, compiled
// once. A whole piece of XML in one call is what a script is fastest with: each element
// of its own costs a call, a Lua string for each text, and a copy.
type template []part

// part is one step of writing a template. All text is markup: as JSON has it.
type part struct {
	kind partKind
	text string // what is written as it is
	key  string // the member's name
}

type partKind uint8

const (
	fixed    partKind = iota // text
	member                   // the member's text as content
	quote                    // the member's text inside of an attribute
	optional                 // text, the member's text and a quotation mark; nothing if it is missing
	rest                     // the content that the call was given
	opened                   // text, which ends a start tag
	shut                     // text, which is an end tag; a start tag with nothing behind it is closed instead
)

// xmlTemplate is xml.template(text): a function of an object, and content.
func (m *machine) xmlTemplate(L *lua.LState) int {
	text := m.checkText(L, 1)
	m.budget.alloc(int64(len(text)) * 16)
	t, err := m.parseTemplate(text)
	if err != nil {
		L.RaiseError("xml.template: %s", err.Error())
	}
	L.Push(m.function(func(L *lua.LState) int {
		return m.pushMarkup(L, m.appendTemplate(m.buffer, L, t), len(m.buffer))
	}))
	return 1
}

func (m *machine) appendTemplate(b []byte, L *lua.LState, t template) []byte {
	object := m.checkList(L, 1)
	from := members{object: object, proxy: m.proxyOf(object)}
	if from.proxy != nil && !from.proxy.loaded {
		from.finder = document.NewFinder(from.proxy.value)
	}
	m.budget.spend(len(t) / 4)
	var open [maxNesting]int // where the content of each open element begins
	depth := 0
	for i := range t {
		switch p := &t[i]; p.kind {
		case fixed:
			b = append(b, p.text...)
		case member:
			b, _ = m.appendMember(b, &from, p.key, content)
		case quote:
			b, _ = m.appendMember(b, &from, p.key, attribute)
		case optional:
			before := len(b)
			var there bool
			if b, there = m.appendMember(append(b, p.text...), &from, p.key, attribute); there {
				b = append(b, `\"`...)
			} else {
				b = b[:before]
			}
		case rest:
			for n := 2; n <= L.GetTop(); n++ {
				b = m.appendContent(b, L.Get(n))
			}
		case opened:
			b = append(b, p.text...)
			open[depth] = len(b)
			depth++
		case shut:
			if depth--; len(b) == open[depth] {
				b = append(b[:len(b)-1], " />"...)
			} else {
				b = append(b, p.text...)
			}
		}
	}
	return b
}

// members are those of the object that a template is written for.
type members struct {
	object lua.LValue
	proxy  *proxy // of the object, nil if it is a table
	finder document.Finder
}

// appendMember appends the text of a member, as it was written, and says
// whether there is one.
func (m *machine) appendMember(b []byte, from *members, name string, at where) ([]byte, bool) {
	p := from.proxy
	if p != nil && !p.loaded {
		m.budget.spend(p.value.Len() / 64)
		switch v := from.finder.Get(name); v.Kind() {
		case document.Missing:
			return b, false
		case document.Array, document.Object: // a script may have written into it
		default:
			return m.appendValue(b, v, at), true
		}
	}
	if p != nil && p.table == nil {
		i := m.slotOf(p, lua.LString(name))
		if i < 0 {
			return b, false
		}
		return m.appendSlot(b, p, i, at), true
	}
	v := m.index(from.object, lua.LString(name))
	return m.appendWritten(b, v, at), v != lua.LNil
}

// maxNesting is how deep the elements of a template can be.
const maxNesting = 32

// parseTemplate compiles a template. Ends of lines and the blanks around them,
// beside a tag, are for the reader.
func (m *machine) parseTemplate(text string) (template, error) {
	p := templateParser{machine: m, decoder: xml.NewDecoder(strings.NewReader(text))}
	for {
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.token(token)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(p.open) > 0 {
		return nil, errors.New("<" + p.open[len(p.open)-1] + "> has no end")
	}
	return p.out, nil
}

type templateParser struct {
	machine *machine
	decoder *xml.Decoder
	out     template
	open    []string
}

func (p *templateParser) token(token xml.Token) error {
	switch token := token.(type) {
	case xml.StartElement:
		name := nameOf(token.Name)
		if p.open = append(p.open, name); len(p.open) > maxNesting {
			return errors.New("<" + name + "> is deeper than can be")
		}
		p.text(fixed, "<"+name)
		for _, a := range token.Attr {
			if err := p.attribute(nameOf(a.Name), a.Value); err != nil {
				return err
			}
		}
		p.text(opened, ">")
	case xml.EndElement:
		name, n := nameOf(token.Name), len(p.open)-1
		if n < 0 || p.open[n] != name {
			return errors.New("</" + name + "> ends what is not open")
		}
		p.open = p.open[:n]
		p.text(shut, "</"+name+">")
	case xml.CharData:
		return p.places(trimLines(string(token)), member)
	case xml.ProcInst, xml.Directive:
		return errors.New("a template is made of elements and text: <? and <! can't be in it")
	}
	return nil
}

// trimLines cuts blanks with an end of line in them off both ends, and text that is all blank.
func trimLines(text string) string {
	inner := strings.TrimSpace(text)
	if inner == "" {
		return ""
	}
	at := strings.Index(text, inner)
	before, after := text[:at], text[at+len(inner):]
	if strings.Contains(before, "\n") {
		before = ""
	}
	if strings.Contains(after, "\n") {
		after = ""
	}
	return before + inner + after
}

func nameOf(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

func (p *templateParser) text(kind partKind, text string) {
	if n := len(p.out); kind == fixed && n > 0 && p.out[n-1].kind == fixed {
		p.out[n-1].text += text
		return
	}
	p.out = append(p.out, part{kind: kind, text: text})
}

func (p *templateParser) attribute(name, value string) error {
	if key, ok := strings.CutPrefix(value, "{"); ok {
		if key, ok = strings.CutSuffix(key, "}"); ok && key != "..." && key != "" && !strings.ContainsAny(key, "{}") {
			p.out = append(p.out, part{kind: optional, text: " " + name + `=\"`, key: key})
			return nil
		}
	}
	p.text(fixed, " "+name+`=\"`)
	err := p.places(value, quote)
	p.text(fixed, `\"`)
	return err
}

// places adds text with places in it. {{ and }} are braces.
func (p *templateParser) places(text string, kind partKind) error {
	for text != "" {
		at := strings.IndexAny(text, "{}")
		if at < 0 {
			at = len(text)
		}
		stands := content
		if kind == quote {
			stands = attribute
		}
		p.text(fixed, string(p.machine.appendText(nil, text[:at], stands)))
		if text = text[at:]; text == "" {
			break
		}
		if strings.HasPrefix(text, "{{") || strings.HasPrefix(text, "}}") {
			p.text(fixed, text[:1])
			text = text[2:]
			continue
		}
		name, after, ok := strings.Cut(text[1:], "}")
		switch {
		case text[0] == '}':
			return errors.New("a } without { before it: a brace that is meant is written }}")
		case !ok || name == "" || strings.Contains(name, "{"):
			return errors.New("{ begins the name of a member, as in {name}: a brace that is meant is written {{")
		case name == "..." && kind == quote:
			return errors.New("{...} is content, and can't be in an attribute")
		case name == "...":
			p.out = append(p.out, part{kind: rest})
		default:
			p.out = append(p.out, part{kind: kind, key: name})
		}
		text = after
	}
	return nil
}
