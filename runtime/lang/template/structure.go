package template

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
)

// Constant is the template that always gives v.
func Constant(v document.Value) component.Template {
	return constant{value: v, text: string(v.AppendText(nil))}
}

type constant struct {
	value document.Value
	text  string
}

func (c constant) Value(*event.Event) (document.Value, error) { return c.value, nil }

func (c constant) AppendText(dst []byte, _ *event.Event) ([]byte, error) {
	return append(dst, c.text...), nil
}

func (c constant) Constant() (string, bool) { return c.text, true }

// Object is the template of a JSON object whose members are given in order,
// called by their Name. Two of the same name are a mistake of the caller.
func Object(members []component.NamedTemplate) component.Template { return object(members) }

type object []component.NamedTemplate

func (o object) Value(e *event.Event) (document.Value, error) {
	members := make([]document.Member, len(o))
	for i, m := range o {
		v, err := m.Template.Value(e)
		if err != nil {
			return document.Value{}, err
		}
		members[i] = document.Member{Name: m.Name, Value: v}
	}
	return document.NewObject(members), nil
}

func (o object) AppendText(dst []byte, e *event.Event) ([]byte, error) { return appendJSON(dst, o, e) }

func (o object) Constant() (string, bool) { return "", false }

// List is the template of a JSON array.
func List(items []component.Template) component.Template { return list(items) }

type list []component.Template

func (l list) Value(e *event.Event) (document.Value, error) {
	items := make([]document.Value, len(l))
	for i, t := range l {
		v, err := t.Value(e)
		if err != nil {
			return document.Value{}, err
		}
		items[i] = v
	}
	return document.NewArray(items), nil
}

func (l list) AppendText(dst []byte, e *event.Event) ([]byte, error) { return appendJSON(dst, l, e) }

func (l list) Constant() (string, bool) { return "", false }

func appendJSON(dst []byte, t component.Template, e *event.Event) ([]byte, error) {
	v, err := t.Value(e)
	if err != nil {
		return dst, err
	}
	return v.AppendJSON(dst), nil
}

// Reads is every place of an object's members that looks at events; its
// offsets are of each member's own source.
func (o object) Reads() (all []expression.Path) {
	for _, m := range o {
		all = append(all, Reads(m.Template)...)
	}
	return all
}

// Reads is the same for a list.
func (l list) Reads() (all []expression.Path) {
	for _, t := range l {
		all = append(all, Reads(t)...)
	}
	return all
}

// Reads is every place of t that looks at events: t depends on an event by the
// values at these paths only. The offsets are of the template's source.
func Reads(t component.Template) []expression.Path {
	if r, ok := t.(interface{ Reads() []expression.Path }); ok {
		return r.Reads()
	}
	return nil
}
