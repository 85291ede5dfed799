package model

// store is the checkpoint: the positions of all slots, read at once and written beside the one before.
func (m *model) store(s *state, then func(step, state)) {
	const writing = slots + 1
	n := *s
	switch {
	case s.phase == writing:
		n.checkpoint, n.stored, n.snapshot, n.phase = s.snapshot, s.snapshot, [slots]position{}, 0
		then(step{what: hasStored}, n)
	case s.phase > 0 || m.fault == readOneByOne:
		for n.phase < slots && !m.listens(s, int(n.phase)) {
			n.phase++
		}
		if n.phase == slots {
			n.phase = writing
			if n.snapshot == s.checkpoint {
				n.snapshot, n.phase = [slots]position{}, 0
			}
			then(step{what: stores}, n)
			return
		}
		if n.phase == 0 {
			n.snapshot = s.checkpoint
		}
		if p := s.positions[n.phase]; p != 0 {
			n.snapshot[n.phase] = p
		}
		n.phase++
		then(step{looksAt, n.phase - 1}, n)
	default:
		next := s.checkpoint
		for slot := range slots {
			if p := s.positions[slot]; p != 0 && m.listens(s, slot) {
				next[slot] = p
			}
		}
		if next == s.checkpoint {
			return
		}
		if !m.torn {
			n.checkpoint, n.stored = next, next
			then(step{what: hasStored}, n)
			return
		}
		n.snapshot, n.phase = next, writing
		if m.fault == writtenInPlace {
			n.checkpoint = [slots]position{}
		}
		then(step{what: stores}, n)
	}
}

// crash leaves what is durable.
func (m *model) crash(s *state, then func(step, state)) {
	then(step{what: crashes}, state{
		files: s.files, checkpoint: s.checkpoint, stored: s.stored, began: s.began, removed: s.removed, added: s.added, has: s.has,
		first: s.first, fromC: s.fromC, reloads: s.reloads,
	})
}

// reload is the operator.
func (m *model) reload(s *state, then func(step, state)) {
	if s.reloads == m.reloads {
		return
	}
	base := *s
	base.reloads++
	if m.replace && !s.removed {
		n := base
		m.handOver(&n)
		then(step{what: replaces}, n)
	}
	if m.remove && !s.removed {
		n := base
		n.removed = true
		n.putBack()
		n.side = 0
		n.buried = n.passing[A] | n.feed[0][A] | n.feed[1][A] | n.queue[A].lines()
		then(step{what: removes}, n)
	}
	if m.add && !s.added {
		n := base
		n.added = true
		n.positions[C] = s.reader.emitted
		if m.fault == newSinkWithoutPosition {
			n.positions[C] = 0
		}
		n.fromC = s.reader.at
		n.again[C] = upTo(maxLines)
		then(step{what: adds}, n)
	}
	if m.move {
		n := base
		m.moveTo(&n)
		then(step{what: movesSource}, n)
	}
	if m.bounds.source {
		n := base
		p := s.reader.emitted
		switch {
		case p != 0:
		case m.fault == resumeForgotten:
			p = m.fresh(s)
		default:
			p = s.reader.from
		}
		n.reader.emitted = 0 // it tells again where it begins
		n.open(p)
		if s.reader.emitted != 0 {
			n.reader.emitted = p
		}
		then(step{what: replacesSource}, n)
	}
}

// moveTo makes the source read another file, into which the writer goes on. What was
// not read of the old one is owed no more, and no position in it is ever come to.
func (m *model) moveTo(s *state) {
	f := &s.files
	for g := range f.last {
		s.files.gone |= f.of(g + 1)
		f.list[g+1].form = deleted
	}
	f.last++
	f.writing = f.last
	f.list[f.last] = generation{live, f.written, 0}
	s.open(at(f.last, 0))
	s.reader.from, s.reader.emitted = s.reader.at, 0
	if m.fault != skipsKept {
		s.skip, s.reached = [slots]position{}, [slots]bool{}
	}
}

// handOver gives what sink A has sent and knows no answer for to its successor.
func (m *model) handOver(s *state) {
	switch m.fault {
	case reloadDrops:
		for i, f := range s.window {
			if f.open() {
				s.window[i] = 0
			}
		}
		s.overtake()
	case reloadPutsBehind:
		back := s.putBack()
		for range back {
			line := s.queue[A].front()
			s.queue[A] = s.queue[A].pop()
			s.queue[A] = s.queue[A].push(line)
		}
	case answeredOvertake:
		s.putBack()
	default:
		s.recall()
	}
}

// putBack moves messages without an answer to the front of the queue, and says how many.
func (s *state) putBack() (n int) {
	s.recall()
	for i := maxWindow - 1; i >= 0; i-- {
		if f := s.window[i]; f != 0 && f.open() {
			s.queue[A] = s.queue[A].pushFront(f.line())
			s.window[i] = 0
			n++
		}
	}
	s.overtake() // closes the gaps
	return n
}
