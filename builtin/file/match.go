package file

import (
	"bytes"
	"slices"
)

// own finds the records of members by their inodes. An inode may be another file's now, and the file another one.
func (r *register) own() {
	for i := range r.members {
		m := &r.members[i]
		for k := len(r.records) - 1; k >= 0 && m.id == 0; k-- {
			o := &r.records[k]
			if o.is(m) && !o.Left && o.begins(m.head) && !r.reused(k, m) {
				m.id, m.itself = o.ID, true
				r.begun = r.begun || m.kind == current && o.Name != "" && k == r.last()
				if m.kind == current && o.Length == 0 {
					r.filled, r.again = len(m.head) > 0, o.touch(m)
					r.changed = r.changed || r.again
				}
				o.grow(m.head) // stored with what comes next
				if o.Name == "" && m.complete {
					o.Name, r.changed = freeName(r.records, m.print), true
				}
			}
		}
	}
}

// reused says whether the inode of record k, whose file was empty, is m's now, though that is another file.
func (r *register) reused(k int, m *member) bool {
	switch o := r.records[k]; {
	case o.Length > 0:
		return false
	case m.kind == current:
		return k != r.last()
	case len(m.head) == 0:
		return false
	}
	return m.archive || r.held(m) || r.rotated() && r.followed(k)
}

// held says whether m begins as the current file did before it was truncated: it is the copy.
func (r *register) held(m *member) bool {
	now := r.current()
	return now != nil && slices.ContainsFunc(r.records, func(o record) bool {
		return o.Length > 0 && o.is(now) && (o.Left || !o.begins(now.head)) && o.begins(m.head)
	})
}

// rotated says whether the newest file that is known was put aside since the last look.
func (r *register) rotated() bool {
	now, last := r.current(), r.last()
	return now != nil && last >= 0 && !(r.records[last].is(now) && r.records[last].begins(now.head))
}

// followed says whether the writer of record k had gone on to another file when that was seen last.
func (r *register) followed(k int) bool {
	return slices.ContainsFunc(r.records[k+1:], func(o record) bool { return !o.Foreign && o.Length > 0 })
}

// others finds the records of members that have another inode by now: copies, archives, what came from another
// disk. The current file is looked at last, so that it is nothing that has been rotated.
func (r *register) others() {
	for i := range r.members {
		m := &r.members[i]
		for k := len(r.records) - 1; k >= 0 && m.id == 0; k-- {
			o := &r.records[k]
			it := r.memberOf(o.ID)
			switch {
			case m.kind == current && (it != nil || !r.starting):
			case it == nil || !it.itself:
				if o.Length > 0 && o.begins(m.head) && (m.kind != current || m.size >= o.Least) {
					m.id = o.ID
					r.begun = r.begun || m.kind == current && o.Name != "" && k == r.last()
				}
			case m.copies(it):
				m.id = o.ID
				if r.starting && m.twin(it) {
					r.twins = append(r.twins, [2]string{it.path, m.path})
				}
			}
			if m.id == 0 && r.cut(m, o) {
				m.id = o.ID
			}
		}
	}
}

// cut says whether m is a copy of what the current file held before it was truncated, made before all was written
// that is known of it.
func (r *register) cut(m *member, o *record) bool {
	now := r.current()
	return now != nil && now.id != o.ID && o.is(now) && m.kind != current && !m.archive &&
		len(m.head) < o.Length && m.complete && o.Name != "" && printOf(o.Name) == m.print
}

// memberOf is the file of a record: its very file, if it is there.
func (r *register) memberOf(id int64) (it *member) {
	for i := range r.members {
		if m := &r.members[i]; m.id == id && (it == nil || m.itself) {
			it = m
		}
	}
	return it
}

// copies says whether m is a copy of it, which may not be whole yet. What is empty is a copy of nothing.
func (m *member) copies(it *member) bool {
	switch {
	case m.archive && !it.archive:
		return m.name == it.name && bytes.HasPrefix(it.head, m.head) || len(m.head) > 0 && bytes.Equal(m.head, it.head)
	case it.archive != m.archive:
		return len(it.head) > 0 && bytes.HasPrefix(m.head, it.head)
	}
	return len(m.head) > 0 && bytes.HasPrefix(it.head, m.head)
}

// twin says whether m, put aside under a name that rotations give, is as long as it, of which it is taken for a copy.
func (m *member) twin(it *member) bool {
	return (m.kind == counted || m.kind == dated) && !m.archive && !it.archive && m.size == it.size && m.size > 0
}
