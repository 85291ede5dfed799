package document

import (
	"slices"
)

// With is v with the member at path replaced (at its place) or added (at the
// end); missing objects on the way are made, anything else on the way is
// replaced by an object. An empty path is v itself, so the result is to.
func (v Value) With(path []string, to Value) Value {
	if len(path) == 0 {
		return to
	}
	name := valid(path[0])
	members := v.copyMembers(1)
	if i := find(members, name); i >= 0 {
		members[i].Value = members[i].Value.With(path[1:], to)
	} else {
		members = append(members, Member{Name: name, Value: Value{}.With(path[1:], to)})
	}
	return ofMembers(members)
}

// Without is v without the member at path; v itself if there is none.
func (v Value) Without(path []string) Value {
	if len(path) == 0 || v.At(path...).kind == Missing {
		return v
	}
	members := v.copyMembers(0)
	i := find(members, valid(path[0]))
	if len(path) == 1 {
		return ofMembers(slices.Delete(members, i, i+1))
	}
	members[i].Value = members[i].Value.Without(path[1:])
	return ofMembers(members)
}

// copyMembers are v's members, none if it is not an object, with room for more.
func (v Value) copyMembers(more int) []Member {
	members := make([]Member, 0, v.Len()+more)
	for name, member := range v.Members() {
		members = append(members, Member{Name: name, Value: member})
	}
	return members
}
