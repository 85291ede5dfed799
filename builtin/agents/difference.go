package agents

import "time"

// difference is one between the fleet as it was known and as it was read.
type difference struct {
	before *agent   // nil: it was not there
	after  *reading // nil: it is gone
}

// id is the agent's.
func (d difference) id() int64 {
	if d.before != nil {
		return d.before.ID
	}
	return d.after.ID
}

// back says whether the manager has gone back to what was before, as when a backup of its database is restored: keepalives
// do not get older, and an agent connects by a new one.
func (d difference) back() bool {
	return d.before != nil && d.after != nil &&
		(d.after.Keepalive < d.before.Keepalive || d.after.Status == active && d.after.Keepalive == d.before.Keepalive)
}

// differences appends to dst how now differs from known. Both are in the order
// of ids. An id that belongs to another agent than before is two differences.
func differences(dst []difference, known []*agent, now []reading) []difference {
	i := 0
	for j := range now {
		r := &now[j]
		for ; i < len(known) && known[i].ID < r.ID; i++ {
			dst = append(dst, difference{before: known[i]})
		}
		if i == len(known) || known[i].ID > r.ID {
			dst = append(dst, difference{after: r})
			continue
		}
		switch a := known[i]; {
		case a.Added != r.Added:
			dst = append(dst, difference{before: a}, difference{after: r})
		case a.Status != r.Status:
			dst = append(dst, difference{before: a, after: r})
		}
		i++
	}
	for ; i < len(known); i++ {
		dst = append(dst, difference{before: known[i]})
	}
	return dst
}

// refresh takes over what is no difference but worth knowing.
func refresh(known []*agent, now []reading) {
	i := 0
	for j := range now {
		r := &now[j]
		for i < len(known) && known[i].ID < r.ID {
			i++
		}
		if i < len(known) && known[i].ID == r.ID {
			a := known[i]
			a.missing = time.Time{}
			if a.Added == r.Added && a.Status == r.Status {
				a.reading = *r
			}
		}
	}
}

// believed takes the agents out of found that are missing in a way that is
// doubted: the file was replaced, or at once more than half of the fleet is gone, as
// while a database is restored or made anew. They count as gone when a read
// that begins at least confirm after the first one misses them still. again is when to
// look; zero if nothing is doubted. An id that another agent has now is gone for sure.
func believed(found []difference, fleet int, replaced bool, now time.Time, confirm time.Duration) (kept []difference, again time.Time) {
	gone := 0
	for i, d := range found {
		if d.after == nil && !reused(found, i) {
			gone++
		}
	}
	doubt := replaced || gone > 1 && gone > fleet/2
	kept = found[:0:0]
	for i, d := range found {
		if d.after == nil && !reused(found, i) {
			a := d.before
			if doubt && a.missing.IsZero() {
				a.missing = now
			}
			if !a.missing.IsZero() && now.Sub(a.missing) < confirm {
				if at := a.missing.Add(confirm); again.IsZero() || at.Before(again) {
					again = at
				}
				continue
			}
		}
		kept = append(kept, d)
	}
	return kept, again
}

// reused says whether the agent that is gone in found[i] has left its id to another one.
func reused(found []difference, i int) bool {
	return i+1 < len(found) && found[i+1].before == nil && found[i+1].after.ID == found[i].before.ID
}

// handedOn counts the ids that belong to another agent than before.
func handedOn(found []difference) (n int) {
	for i := range found {
		if found[i].after == nil && reused(found, i) {
			n++
		}
	}
	return n
}
