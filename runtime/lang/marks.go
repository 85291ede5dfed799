package lang

import "github.com/zclconf/go-cty/cty"

// mark is what a load-time value carries through functions and operators.
type mark struct {
	kind markKind
	name string // lacking: the variable without value
}

type markKind uint8

const (
	sensitive markKind = iota // not to be shown
	lacking                   // unknown, since a variable has no value
	wrong                     // already complained of: whoever uses it is not to blame
)

// marked says whether v, or something in it, has a mark of the kind, and the
// name of the first.
func marked(v cty.Value, kind markKind) (name string, ok bool) {
	_, paths := v.UnmarkDeepWithPaths()
	for _, p := range paths {
		for m := range p.Marks {
			if m, is := m.(mark); is && m.kind == kind && (!ok || m.name < name) {
				name, ok = m.name, true
			}
		}
	}
	return name, ok
}

// wrongValue stands for what could not be computed.
var wrongValue = cty.DynamicVal.Mark(mark{kind: wrong})

// lackingValue stands for the value that a variable does not have.
func lackingValue(t cty.Type, name string) cty.Value {
	return cty.UnknownVal(t).Mark(mark{kind: lacking, name: name})
}
