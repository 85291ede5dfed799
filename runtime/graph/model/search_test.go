package model

import (
	"hash/maphash"
)

// steps gives every step that is possible in s, with the state behind it.
func (m *model) steps(s *state, then func(step, state)) {
	m.world(s, then)
	if !s.up {
		m.start(s, then)
		return
	}
	busy := false
	own := func(what step, n state) {
		busy = true
		then(what, n)
	}
	m.source(s, own)
	if m.lazy {
		if n := *s; m.dispatch(&n) {
			own(step{what: queues}, n)
		}
	}
	m.sinks(s, own)
	m.alone(s, own)
	if !busy {
		m.broken = ""
		m.quiet(s)
		if m.broken != "" {
			then(step{what: rests}, *s)
		}
	}
	m.store(s, then)
	m.reload(s, then)
	m.crash(s, then)
}

// follow completes a step: what happens by itself is done.
func (m *model) follow(s *state) {
	if !s.up {
		return
	}
	for !m.lazy && m.dispatch(s) {
	}
	m.advance(s)
}

// found is what a search has found.
type found struct {
	states, steps, depth int
	seen                 [rests]bool // what happened
	broken               string      // the invariant; empty: they all hold
	trace                []step      // the shortest way there
}

// search visits every state, breadth first, up to the first in which an
// invariant does not hold. Of a state it has visited only the hash is kept.
func (m *model) search() found {
	type node struct {
		parent uint32
		step   step
	}
	type visit struct {
		state
		node uint32
	}
	seed := maphash.MakeSeed()
	nodes := []node{{}}
	level := []visit{{state: m.initial()}}
	seen := visited{slots: make([]uint64, 1<<16)}
	seen.add(maphash.Comparable(seed, level[0].state))
	var result found
	var next []visit
	for ; len(level) > 0; level, next = next, level[:0] {
		for i := range level {
			from := &level[i]
			m.steps(&from.state, func(what step, s state) {
				if result.broken != "" {
					return
				}
				result.steps++
				if what.what != rests {
					result.seen[what.what] = true
					m.follow(&s)
					if m.broken == "" {
						if !seen.add(maphash.Comparable(seed, s)) {
							return
						}
						m.check(&s)
					}
				}
				nodes = append(nodes, node{from.node, what})
				next = append(next, visit{s, uint32(len(nodes) - 1)})
				result.broken = m.broken
			})
			if result.broken != "" {
				for at := uint32(len(nodes) - 1); at != 0; at = nodes[at].parent {
					result.trace = append([]step{nodes[at].step}, result.trace...)
				}
				result.states = seen.n
				return result
			}
		}
		if len(next) > 0 {
			result.depth++
		}
	}
	result.states = seen.n
	return result
}

// visited is a set of hashes that are not zero.
type visited struct {
	slots []uint64
	n     int
}

// add says whether hash is new.
func (v *visited) add(hash uint64) bool {
	hash |= 1
	if v.n*2 >= len(v.slots) {
		old := v.slots
		v.slots, v.n = make([]uint64, 2*len(old)), 0
		for _, h := range old {
			if h != 0 {
				v.add(h)
			}
		}
	}
	mask := uint64(len(v.slots) - 1)
	for i := hash >> 8 & mask; ; i = (i + 1) & mask {
		switch v.slots[i] {
		case hash:
			return false
		case 0:
			v.slots[i] = hash
			v.n++
			return true
		}
	}
}

// initial is the world before the first start.
func (m *model) initial() state {
	if m.startAtEnd {
		return state{files: newFiles(1)}
	}
	return state{files: newFiles(0)}
}
