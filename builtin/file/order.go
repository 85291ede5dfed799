package file

import (
	"cmp"
	"slices"
	"strconv"
)

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
