package file

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
)

// register finds each of list, which are oldest first by their names, in the history, and
// writes down those that are not in it. What comes back is in the order in which
// they were written, files that are no generations first. known is what the history was before the look that list is
// of: if somebody has written in it since, list may be older than that. The error is errMoved.
func (h *history) register(list []member, s since, known []record) ([]member, error) {
	registering.Lock()
	defer registering.Unlock()
	r := &register{records: h.load(), members: list, from: s.positions, starting: s.starting}
	if !slices.Equal(r.records, known) {
		return nil, errMoved
	}
	r.first = len(r.records) == 0
	last := r.last()
	r.own()
	r.others()
	if r.growing() {
		return nil, errMoved
	}
	replaced := r.replaced(last)
	r.add()
	r.prune()
	if replaced || r.again {
		h.unwatched(r.current().path)
	}
	h.tellTwins(r.twins)
	if r.changed {
		h.save(r.records)
	}
	return r.sorted(), nil
}

// register is one look at the files of a history.
type register struct {
	records  []record
	members  []member
	from     []component.Position // may name generations that are not known
	starting bool                 // nobody has a file open: the current one may have come from another disk
	first    bool                 // nothing was known
	changed  bool                 // there is something to store
	begun    bool                 // the current file is the one that it was, and had begun
	filled   bool                 // the current file was empty, and is not any more
	twins    [][2]string          // files, and others that are taken for copies of them
	again    bool                 // the current file was empty, and was truncated since
}

// current is the member at the path itself; nil if there is none.
func (r *register) current() *member {
	if n := len(r.members) - 1; n >= 0 && r.members[n].kind == current {
		return &r.members[n]
	}
	return nil
}

// last is where the newest record is; -1 if there is none.
func (r *register) last() int {
	for i := len(r.records) - 1; i >= 0; i-- {
		if !r.records[i].Foreign {
			return i
		}
	}
	return -1
}

// replaced says whether the file at the path, which was not empty, was truncated while nobody read it. last is
// where its record was.
func (r *register) replaced(last int) bool {
	now := r.current()
	if now == nil || last < 0 {
		return false
	}
	o := r.records[last]
	return r.starting && now.id != o.ID && o.is(now) && !o.Left
}

// growing says whether a file that is new beside the path is being written: it may be a copy, and be known when it is whole.
func (r *register) growing() bool {
	return slices.ContainsFunc(r.members, func(m member) bool {
		return m.id == 0 && m.kind != current && !m.archive && m.size != m.seen
	})
}

// making says whether m is made now: the archive of a file, or the copy of the current one. A file that is
// empty may be the beginning of a copy, where files are copied and truncated; where they are renamed, its writer may
// still come to it.
func (r *register) making(m *member) bool {
	if m.archive {
		return slices.ContainsFunc(r.members, func(plain member) bool {
			return !plain.archive && plain.name == m.name && bytes.HasPrefix(plain.head, m.head)
		})
	}
	now := r.current()
	if m.size == 0 {
		return r.begun || now != nil && slices.ContainsFunc(r.records, func(o record) bool { return o.is(now) })
	}
	return now != nil && m.copies(now)
}

// add writes down what is new.
func (r *register) add() {
	now := r.current()
	at := len(r.records) // where new ones come in
	if now != nil && now.id != 0 {
		i := indexOf(r.records, now.id)
		if o := r.records[i]; i < r.last() || o.Foreign { // it was here before, and has come back, or was made beside the path
			o.Foreign = false
			r.records = append(slices.Delete(r.records, i, i+1), o)
			i, r.changed = len(r.records)-1, true
		}
		at = i
	}
	var fresh []*member
	for i := range r.members {
		m := &r.members[i]
		if m.id == 0 && m.kind != current && !r.making(m) {
			fresh = append(fresh, m)
		}
	}
	ours := r.ours(fresh)
	for _, m := range fresh {
		if !slices.Contains(ours, m) {
			o := newRecord(r.records, m)
			m.id, o.Foreign = o.ID, true
			r.records, r.changed = slices.Insert(r.records, 0, o), true
			at++
		}
	}
	if r.starting && r.filled && len(ours) > 0 { // they are copies of what it held meanwhile
		r.again = true
	}
	if now != nil && now.id == 0 {
		ours = append(ours, now)
	}
	for _, m := range ours {
		o := newRecord(r.records, m)
		r.adopt(&o, m)
		m.id, m.itself = o.ID, true
		r.records, r.changed = slices.Insert(r.records, at, o), true
		at++
	}
}

// adopt gives a record the name that a position has for its file.
func (r *register) adopt(o *record, m *member) {
	for _, p := range r.from {
		known := slices.ContainsFunc(r.records, func(o record) bool { return o.Name == p.Generation })
		if known || !m.complete || printOf(p.Generation) != m.print {
			continue
		}
		elsewhere := slices.ContainsFunc(r.members, func(n member) bool {
			return n.device == p.Device && n.inode == p.Inode && n.print == m.print
		})
		if !elsewhere || m.device == p.Device && m.inode == p.Inode {
			o.Name = p.Generation
			return
		}
	}
}

// newer says whether m was written later than the current file: what is put aside was written before. It may be the
// next one, made beside the path to be put in its place.
func (r *register) newer(m *member) bool {
	now := r.current()
	return now != nil && m.modified.After(now.modified)
}

// ours are those of fresh that were the current file since the last look, oldest first. As long
// as the current file is the one that it was, none was.
func (r *register) ours(fresh []*member) []*member {
	if r.begun {
		return nil
	}
	shapes := map[string]bool{} // how files are called that are generations, though their names do not say so
	named := false              // there are some whose names do
	for _, m := range r.members {
		i := indexOf(r.records, m.id)
		generation := i >= 0 && !r.records[i].Foreign || slices.ContainsFunc(r.from, func(p component.Position) bool {
			return m.complete && printOf(p.Generation) == m.print
		})
		switch {
		case generation && m.kind == other:
			shapes[m.shape] = true
		case generation && m.kind != current:
			named = true
		}
	}
	var ours, rest []*member
	for _, m := range fresh {
		if m.kind != other || shapes[m.shape] {
			ours = append(ours, m)
		} else {
			rest = append(rest, m)
		}
	}
	if len(ours) == 0 && len(shapes) == 0 && !r.first { // something was rotated, and nothing else is there
		ours = rest
		if named {
			ours = slices.DeleteFunc(rest, r.newer)
		}
	}
	return r.inOrder(ours)
}

// prune forgets files that are gone: those that can't have a position, and those that are long gone.
func (r *register) prune() {
	last := r.last()
	keep := r.records[:0:0]
	for i, o := range r.records {
		old := o.Foreign || o.Name == "" && i != last || i < len(r.records)-historyLength
		if !old || r.memberOf(o.ID) != nil {
			keep = append(keep, o)
		}
	}
	r.changed = r.changed || len(keep) < len(r.records)
	r.records = keep
}

// sorted are the members in the order of the history.
func (r *register) sorted() []member {
	index := make(map[int64]int, len(r.records))
	for i, o := range r.records {
		index[o.ID] = i
	}
	for i := range r.members {
		m := &r.members[i]
		k, ok := index[m.id]
		switch {
		case !ok || r.records[k].Foreign:
			m.at = -1
			if m.kind != current {
				m.kind = other
			}
		default:
			m.at, m.generation = k, r.records[k].Name
			for k--; k >= 0 && m.before == 0; k-- { // one that is not forgotten soon
				if o := r.records[k]; o.Name != "" && !o.Foreign {
					m.before = o.ID
				}
			}
			if m.kind == other {
				m.kind = counted
			}
		}
	}
	slices.SortStableFunc(r.members, func(a, b member) int {
		if a.kind == current || b.kind == current {
			return cmp.Compare(a.kind, b.kind)
		}
		return cmp.Or(cmp.Compare(a.at, b.at), a.likeness()-b.likeness(), cmp.Compare(b.size, a.size)) // a copy may not be whole
	})
	return r.members
}

// likeness sorts the files of one generation: the very file, then a copy, then an archive.
func (m *member) likeness() int {
	switch {
	case m.itself:
		return 0
	case m.archive:
		return 2
	}
	return 1
}
