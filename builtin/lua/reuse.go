package lua

// What a script makes for an event is garbage once the next one comes, unless it has put something away: into a
// variable outside of process, or into a table, which may be one from outside. Most calls put nothing
// away. The budget, which sees each instruction that could, knows (budget.stored); Go functions that
// do it say so. After a call that has not, nobody holds what was made in it, and it is used again.

// pool are values of one kind, made for one event after the other.
type pool[T any] struct {
	all   []*T
	used  int // by the current event: the first of all
	extra int // how many are made beside the one that is needed
}

// take is a value for the current event: new, or as forget has left it.
func (p *pool[T]) take() *T {
	if p.used == len(p.all) {
		more := make([]T, 1+p.extra)
		for i := range more {
			p.all = append(p.all, &more[i])
		}
	}
	p.used++
	return p.all[p.used-1]
}

// taken are those of the current event.
func (p *pool[T]) taken() []*T { return p.all[:p.used] }

// next ends the event: what it has taken is given out again, unless that may have been put away.
func (p *pool[T]) next(stored bool) {
	if stored {
		n := copy(p.all, p.all[p.used:])
		clear(p.all[n:])
		p.all = p.all[:n]
	}
	if p.used > mostKept {
		p.all = nil
	}
	p.used = 0
}

// mostKept bounds what a large event leaves behind for the next ones.
const mostKept = 4 << 10

// forget ends an event. It takes the document away from its proxies: a script that keeps one
// must not keep the memory that the event's bytes lie in.
func (m *machine) forget() {
	stored := m.budget.stored
	for _, p := range m.proxies.taken() {
		p.empty()
	}
	for _, x := range m.markups.taken() {
		if stored {
			x.own()
		} else {
			x.quoted, x.text = "", nil
		}
	}
	if !stored {
		for _, p := range m.mades.taken() {
			p.unmake()
		}
	}
	m.proxies.next(stored)
	m.markups.next(stored)
	m.mades.next(stored)
	m.budget.stored = false
	clear(m.arena)
	m.arena = m.arena[:0]
	if cap(m.arena) > mostKept {
		m.arena = nil
	}
	m.buffer = m.buffer[:0]
	if cap(m.buffer) > 1<<20 { // a large event is rare: don't keep room for it
		m.buffer = nil
	}
}

// unmake is empty for a proxy that the script has made: it has the room for its slots to itself.
func (p *proxy) unmake() {
	slots := p.slots
	p.empty()
	if clear(slots); cap(slots) <= manySlots {
		p.slots = slots[:0]
	}
}
