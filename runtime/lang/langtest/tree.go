package langtest

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Tree is a JSON value as encoding/json reads it, all of it at once: what a document means,
// told by somebody else's parser. nil is what is not there. It does not change.
type Tree struct {
	Kind    Kind
	Text    string // of a text, decoded; of a number, as it is written
	True    bool
	Members []Member // of the last of those of a name, in order
	Items   []*Tree
}

// Kind is what a Tree is.
type Kind byte

// The kinds of JSON values.
const (
	Null Kind = iota
	Bool
	Number
	Text
	List
	Object
)

// Member is one of an object's.
type Member struct {
	Name  string
	Value *Tree
}

// Read reads a document; ok is false if it is no JSON.
func Read(doc []byte) (t *Tree, ok bool) {
	t, ok, _ = readAll(doc)
	return t, ok
}

// ReadWritten is Read of what was written here: no member may come twice.
func ReadWritten(text []byte) (t *Tree, ok bool) {
	t, ok, twice := readAll(text)
	return t, ok && !twice
}

func readAll(doc []byte) (t *Tree, ok, twice bool) {
	if !json.Valid(doc) {
		return nil, false, false
	}
	r := reader{Decoder: json.NewDecoder(bytes.NewReader(doc))}
	r.UseNumber()
	return r.value(), true, r.twice
}

// reader reads JSON, in which there are no errors.
type reader struct {
	*json.Decoder
	twice bool // a member came twice
}

func (d *reader) value() *Tree {
	token, _ := d.Token()
	switch token := token.(type) {
	case bool:
		return &Tree{Kind: Bool, True: token}
	case json.Number:
		return &Tree{Kind: Number, Text: token.String()}
	case string:
		return NewText(token)
	case json.Delim:
		t := &Tree{Kind: List}
		if token == '{' {
			t.Kind = Object
		}
		for d.More() {
			if token == '[' {
				t.Items = append(t.Items, d.value())
				continue
			}
			name, _ := d.Token()
			value := d.value()
			d.twice = d.twice || t.find(name.(string)) >= 0
			t.Members = append(t.without(name.(string)), Member{name.(string), value})
		}
		_, _ = d.Token()
		return t
	}
	return &Tree{}
}

// NewText is a text.
func NewText(s string) *Tree { return &Tree{Kind: Text, Text: s} }

// IsNil says whether t is null, or not there.
func (t *Tree) IsNil() bool { return t == nil || t.Kind == Null }

// At follows a path of names.
func (t *Tree) At(path ...string) *Tree {
	for _, name := range path {
		if t == nil {
			return nil
		}
		i := t.find(name)
		if i < 0 {
			return nil
		}
		t = t.Members[i].Value
	}
	return t
}

func (t *Tree) find(name string) int {
	return slices.IndexFunc(t.Members, func(m Member) bool { return m.Name == name })
}

// without is a copy of the members but that of a name.
func (t *Tree) without(name string) []Member {
	return slices.DeleteFunc(slices.Clone(t.Members), func(m Member) bool { return m.Name == name })
}

// With is t with a member replaced, or added at the end. What is no object on the way becomes one.
func (t *Tree) With(path []string, to *Tree) *Tree {
	if len(path) == 0 {
		return to
	}
	o := &Tree{Kind: Object}
	if t != nil {
		o.Members = slices.Clone(t.Members)
	}
	if i := o.find(path[0]); i >= 0 {
		o.Members[i].Value = o.Members[i].Value.With(path[1:], to)
	} else {
		o.Members = append(o.Members, Member{path[0], (*Tree)(nil).With(path[1:], to)})
	}
	return o
}

// Without is t without a member.
func (t *Tree) Without(path []string) *Tree {
	if t.At(path...) == nil {
		return t
	}
	if len(path) == 1 {
		return &Tree{Kind: Object, Members: t.without(path[0])}
	}
	return t.With(path[:1], t.At(path[0]).Without(path[1:]))
}

// Equal says whether t and o are the same, the order of members included, and the spelling of numbers.
func (t *Tree) Equal(o *Tree) bool {
	if t.IsNil() || o.IsNil() {
		return t.IsNil() && o.IsNil()
	}
	return t.Kind == o.Kind && t.Text == o.Text && t.True == o.True &&
		slices.EqualFunc(t.Items, o.Items, (*Tree).Equal) &&
		slices.EqualFunc(t.Members, o.Members, func(a, b Member) bool { return a.Name == b.Name && a.Value.Equal(b.Value) })
}
