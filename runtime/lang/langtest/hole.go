package langtest

import (
	"slices"
	"strings"
)

// Hole is a made-up expression that gives a value, as one in a template does.
type Hole struct {
	Text   string
	Wishes []Wish // what a document may hold to make it give something
	// Of is what it gives for a document; known is false where nobody has said it.
	Of func(root *Tree) (value *Tree, known bool)
}

// holeRule makes one kind of hole of a path: an expression, a wish, and what becomes of
// what is at the path.
type holeRule struct {
	name string
	make func(m *Maker, p string) (expression, wish string, of func(v *Tree) (*Tree, bool))
}

func same(v *Tree) (*Tree, bool) { return v, true }

func known(of func(v *Tree) *Tree) func(*Tree) (*Tree, bool) {
	return func(v *Tree) (*Tree, bool) { return of(v), true }
}

// holeRules are all kinds of holes.
var holeRules = []holeRule{
	{"path", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) { return p, m.value(), same }},
	{"path of a text", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return p, quote(pick(m, texts)), same
	}},
	{"path of a number", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) { return p, pick(m, numbers), same }},
	{"path of an object", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return p, `{"id":` + m.value() + `,"id":` + m.value() + `,"x":` + quote(pick(m, texts)) + `}`, same
	}},
	{"element", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return p + "[1]", "[1," + m.value() + "]", func(v *Tree) (*Tree, bool) {
			if v == nil || len(v.Items) < 2 {
				return nil, v == nil || v.Kind != Text
			}
			return v.Items[1], true
		}
	}},
	{"computed member", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return p + `["i" + "d"]`, `{"id":` + m.value() + `}`, func(v *Tree) (*Tree, bool) { return v.At("id"), v == nil || v.Kind == Object }
	}},
	{"let", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return "let v = " + p + "; v.id", `{"id":` + m.value() + `}`, known(func(v *Tree) *Tree { return v.At("id") })
	}},
	{"??", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return p + ` ?? "none"`, m.value(), known(func(v *Tree) *Tree {
			if v.IsNil() {
				return NewText("none")
			}
			return v
		})
	}},
	{"? :", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return p + ` == nil ? "none" : [` + p + `]`, m.value(), known(func(v *Tree) *Tree {
			if v.IsNil() {
				return NewText("none")
			}
			return &Tree{Kind: List, Items: []*Tree{v}}
		})
	}},
	{"object", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return `{"a": ` + p + `, "b": {"c": 7}}`, m.value(), known(func(v *Tree) *Tree {
			seven := &Tree{Kind: Number, Text: "7"}
			return (&Tree{}).With([]string{"a"}, v).With([]string{"b", "c"}, seven)
		})
	}},
	{"list", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return "[" + p + `, "x", ` + p + "]", m.value(), known(func(v *Tree) *Tree { return &Tree{Kind: List, Items: []*Tree{v, NewText("x"), v}} })
	}},
	{"filter", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return "filter(" + p + ", # != nil)", "[null," + m.value() + "]", known(func(v *Tree) *Tree {
			list := &Tree{Kind: List}
			if v != nil {
				list.Items = slices.DeleteFunc(slices.Clone(v.Items), (*Tree).IsNil)
			}
			return list
		})
	}},
	{"map", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return "map(" + p + ", .id)", `[{"id":` + m.value() + `},{"x":1}]`, known(func(v *Tree) *Tree {
			list := &Tree{Kind: List}
			if v != nil {
				for _, item := range v.Items {
					list.Items = append(list.Items, item.At("id"))
				}
			}
			return list
		})
	}},
	{"upper", func(m *Maker, p string) (string, string, func(*Tree) (*Tree, bool)) {
		return "upper(" + p + ")", quote(pick(m, texts)), func(v *Tree) (*Tree, bool) {
			if v == nil || v.Kind != Text {
				return nil, v.IsNil()
			}
			return NewText(strings.ToUpper(v.Text)), true
		}
	}},
}

// HoleRules are the names of all kinds of holes.
func HoleRules() (names []string) {
	for _, r := range holeRules {
		names = append(names, r.name)
	}
	return names
}

// Hole makes up a hole of one kind.
func (m *Maker) Hole(rule string) Hole {
	r := holeRules[slices.IndexFunc(holeRules, func(r holeRule) bool { return r.name == rule })]
	names := m.Path()
	text, wish, of := r.make(m, path(names))
	return Hole{Text: text, Wishes: []Wish{{names, wish}}, Of: func(root *Tree) (*Tree, bool) { return of(root.At(names...)) }}
}

// Path is one of the paths that made-up documents have members at.
func (m *Maker) Path() []string { return pick(m, paths) }

// Wish is a wish for any value at path.
func (m *Maker) Wish(path []string) Wish { return Wish{path, m.value()} }
