package file

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"github.com/wazuh-etl/etl/runtime/component"
)

// register finds each of list, which are oldest first by their names, in the history, and
// writes down those that are not in it. What comes back is in the order in which
// they were written, files that are no generations first. The error is errMoved.
func (h *history) register(list []member, s since) ([]member, error) {
	registering.Lock()
	defer registering.Unlock()
	r := &register{records: h.load(), members: list, from: s.positions, starting: s.starting}
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

// ours are those of fresh that were the current file since the last look, oldest first. As long
// as the current file is the one that it was, none was.
func (r *register) ours(fresh []*member) []*member {
	if r.begun {
		return nil
	}
	shapes := map[string]bool{} // how files are called that are generations, though their names do not say so
	for _, m := range r.members {
		i := indexOf(r.records, m.id)
		generation := i >= 0 && !r.records[i].Foreign || slices.ContainsFunc(r.from, func(p component.Position) bool {
			return m.complete && printOf(p.Generation) == m.print
		})
		if generation && m.kind == other {
			shapes[m.shape] = true
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
	}
	return r.inOrder(ours)
}

// inOrder sorts files as they were written: those of a kind by their names, kinds by the times of their files.
func (r *register) inOrder(list []*member) (sorted []*member) {
	up := r.upwards(list)
	var kinds [3][]*member // other, counted, dated
	for _, m := range list {
		kinds[m.kind] = append(kinds[m.kind], m)
	}
	slices.SortStableFunc(kinds[other], func(a, b *member) int {
		return cmp.Or(a.modified.Compare(b.modified), cmp.Compare(a.path, b.path))
	})
	for _, k := range []kind{counted, dated} {
		slices.SortStableFunc(kinds[k], func(a, b *member) int {
			if k == counted && up && a.order != b.order {
				return cmp.Compare(b.order, a.order)
			}
			return a.compare(*b)
		})
	}
	for range list {
		next := -1
		for k := range kinds {
			if len(kinds[k]) > 0 && (next < 0 || kinds[k][0].modified.Before(kinds[next][0].modified)) {
				next = k
			}
		}
		sorted = append(sorted, kinds[next][0])
		kinds[next] = kinds[next][1:]
	}
	return sorted
}

// number is the N of alerts.json.N; 0 if m is called otherwise.
func (m *member) number() int {
	if m.kind != counted {
		return 0
	}
	n, _ := strconv.Atoi(m.order)
	return countedFrom - n
}

// upwards says whether the rotation counts on, so that the highest number is the newest. The order of what is known
// already tells, or that it is older than what is new. If nothing is known, the times of the files do, but archives
// have them of when they were made. Files that are empty say nothing: the history forgets them; nor do copies beside
// the file itself, which may be others that have begun alike.
func (r *register) upwards(list []*member) bool {
	var oldest, newest, above, below int // numbers; first and last place
	first, last := len(r.records), -1
	for i := range r.members {
		m := &r.members[i]
		n, at := m.number(), indexOf(r.records, m.id)
		if n == 0 || len(m.head) == 0 || at < 0 || r.records[at].Foreign || !m.itself && r.memberOf(m.id).itself {
			continue
		}
		if at < first {
			first, oldest = at, n
		}
		if at > last {
			last, newest = at, n
		}
	}
	if oldest != newest {
		return newest > oldest
	}
	var plain []*member
	for _, m := range list {
		n := m.number()
		if n == 0 || len(m.head) == 0 {
			continue
		}
		if n > newest {
			above++
		} else {
			below++
		}
		if !m.archive {
			plain = append(plain, m)
		}
	}
	if newest > 0 && (above == 0) != (below == 0) {
		return above > 0
	}
	slices.SortFunc(plain, func(a, b *member) int { return a.number() - b.number() })
	for i := 1; i < len(plain); i++ {
		if !plain[i-1].modified.Before(plain[i].modified) {
			return false
		}
	}
	return len(plain) > 1
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
