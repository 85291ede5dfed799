package template

import (
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
)

// text is a template whose value is text.
type text struct {
	parts   []part
	place   component.Place
	address bool
}

// part is text, or a hole.
type part struct {
	text    string
	program *expression.Program // of a hole
	start   int                 // of its expression in the template
}

// Constant is false: text that is the same for every event is a constant.
func (t *text) Constant() (string, bool) { return "", false }

// String is the template as it is written, but for blanks around expressions:
// who stores what it made of events can tell by it whether that still holds.
func (t *text) String() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.program == nil {
			b.WriteString(p.text)
		} else {
			b.WriteString("{{ " + p.program.String() + " }}")
		}
	}
	return b.String()
}

// Pattern is the text with hole in the place of each hole: see component.Pattern.
func (t *text) Pattern(hole string) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.program == nil {
			b.WriteString(p.text)
		} else {
			b.WriteString(hole)
		}
	}
	return b.String()
}

// Value is the text.
func (t *text) Value(e *event.Event) (document.Value, error) {
	b, err := t.AppendText(nil, e)
	if err != nil {
		return document.Value{}, err
	}
	return document.NewText(string(b)), nil
}

// AppendText appends the text, what fills the holes made safe for the place.
func (t *text) AppendText(dst []byte, e *event.Event) ([]byte, error) {
	start := len(dst)
	for i := range t.parts {
		p := &t.parts[i]
		if p.program == nil {
			dst = append(dst, p.text...)
			continue
		}
		v, err := t.fill(p, e)
		if err != nil {
			return dst[:start], err
		}
		from := len(dst)
		dst = escape(v.AppendText(dst), start, from, t.place)
	}
	first := &t.parts[0]
	rooted := first.program == nil && strings.HasPrefix(first.text, "/")
	if err := check(t.place, dst[start:], rooted); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// fill is what stands in a hole.
func (t *text) fill(p *part, e *event.Event) (document.Value, error) {
	v, err := p.program.Value(e)
	if err == nil && v.IsNil() && t.address {
		return v, p.missing()
	}
	return v, err
}

// missing is the error of a hole that is nil in an address.
func (p *part) missing() error {
	source := strings.TrimSpace(p.program.String())
	return event.Failf(event.CodeTemplate, "%s is nil, which is no address: write {{ %s ?? 'unknown' }}", source, source)
}

// Reads is every place of the template that looks at events.
func (t *text) Reads() []expression.Path {
	var all []expression.Path
	for _, p := range t.parts {
		if p.program == nil {
			continue
		}
		for _, r := range p.program.Reads() {
			r.Start += p.start
			r.End += p.start
			all = append(all, r)
		}
	}
	return all
}

// single is exactly one hole, whose value keeps its type.
type single struct{ *text }

func (s single) Value(e *event.Event) (document.Value, error) { return s.fill(&s.parts[0], e) }
