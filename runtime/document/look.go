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
	d, n := v.node()
	for i, end := uint32(v.bits)+1, n.next; i < end; {
		m := &d.nodes[i]
		if (m.nameLen == uint32(len(name)) || m.flags&(nameEscaped|nameRepair) != 0) && m.flags&hidden == 0 && d.isNamed(m, name) {
			return d.value(i)
		}
		i = m.next
	}
	return Value{}
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
