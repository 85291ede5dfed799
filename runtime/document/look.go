package document

import (
	"iter"
)

// Get is the member called name (the last one of that name), or Missing.
func (v Value) Get(name string) Value {
	if v.kind != Object {
		return Value{}
	}
	if v.form != indexed {
		members := v.members()
		if i := find(members, name); i >= 0 {
			return members[i].Value
		}
		return Value{}
	}
	f := NewFinder(v)
	return f.Get(name)
}

// Finder looks up members of one object, one after the other. It finds a member
// at once that stands behind the one found before.
type Finder struct {
	object Value
	at     uint32 // where to begin
}

// NewFinder looks up members of v.
func NewFinder(v Value) Finder { return Finder{object: v, at: uint32(v.bits) + 1} }

// Get is what v.Get(name) is.
func (f *Finder) Get(name string) Value {
	if f.object.kind != Object || f.object.form != indexed {
		return f.object.Get(name)
	}
	d, n := f.object.node()
	if v, ok := f.between(d, f.at, n.next, name); ok {
		return v
	}
	v, _ := f.between(d, uint32(f.object.bits)+1, f.at, name)
	return v
}

// between looks for a member from node i on, up to node end.
func (f *Finder) between(d *Document, i, end uint32, name string) (Value, bool) {
	for i < end {
		m := &d.nodes[i]
		if (m.nameLen == uint32(len(name)) || m.flags&(nameEscaped|nameRepair) != 0) && m.flags&hidden == 0 && d.isNamed(m, name) {
			f.at = m.next
			return d.value(i), true
		}
		i = m.next
	}
	return Value{}, false
}

// At follows a path of member names; the value itself for none.
func (v Value) At(path ...string) Value {
	for _, name := range path {
		if v.kind != Object {
			return Value{}
		}
		v = v.Get(name)
	}
	return v
}

// Index is the element i of an array, counted from 0, or Missing.
func (v Value) Index(i int) Value {
	if v.kind != Array || i < 0 || i >= v.Len() {
		return Value{}
	}
	if v.form != indexed {
		return v.items()[i]
	}
	d, n := v.node()
	at := uint32(v.bits) + 1
	if n.next-at == n.count { // no element has children
		return d.value(at + uint32(i))
	}
	for ; i > 0; i-- {
		at = d.nodes[at].next
	}
	return d.value(at)
}

// Members yields the members of an object in the order written, without hidden
// duplicates; nothing for every other kind.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) { v.eachMember(yield) }
}

func (v Value) eachMember(yield func(string, Value) bool) {
	if v.kind != Object {
		return
	}
	if v.form != indexed {
		for _, m := range v.members() {
			if !yield(m.Name, m.Value) {
				return
			}
		}
		return
	}
	d, n := v.node()
	for i, end := uint32(v.bits)+1, n.next; i < end; {
		m := &d.nodes[i]
		if m.flags&hidden == 0 && !yield(d.nameOf(m), d.value(i)) {
			return
		}
		i = m.next
	}
}

// Elements yields the elements of an array; nothing for every other kind.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) { v.eachElement(yield) }
}

func (v Value) eachElement(yield func(Value) bool) {
	if v.kind != Array {
		return
	}
	if v.form != indexed {
		for _, item := range v.items() {
			if !yield(item) {
				return
			}
		}
		return
	}
	d, n := v.node()
	for i, end := uint32(v.bits)+1, n.next; i < end; i = d.nodes[i].next {
		if !yield(d.value(i)) {
			return
		}
	}
}

// find is the index of the member called name, or -1.
func find(members []Member, name string) int {
	for i := range members {
		if members[i].Name == name {
			return i
		}
	}
	return -1
}
