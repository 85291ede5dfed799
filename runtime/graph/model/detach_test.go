package model

// alone is sink A beyond its queue: it is detached, reads the file for itself
// from the first line that was not queued for it, and joins again where it is
// not behind the source any more; the source then skips for it up to there.
func (m *model) alone(s *state, then func(step, state)) {
	switch {
	case s.removed || !m.detach:
	case s.side == 0:
		if s.passing[A] != 0 && !m.room(s, A) {
			n := *s
			m.detaches(&n)
			then(step{what: detaches}, n)
		}
	default:
		m.readsAlone(s, then)
		m.joins(s, then)
	}
}

func (m *model) detaches(s *state) {
	from := s.passing[A].first()
	s.side = s.files.positionOf(from)
	switch m.fault {
	case detachedAtEmitted:
		s.side = s.reader.emitted
	case detachedAtLot:
		s.side = s.files.positionOf((s.passing[A] | s.passing[B]).first())
	}
	s.passing[A], s.feed[0][A], s.feed[1][A] = 0, 0, 0
	s.skip[A], s.reached[A] = 0, false
	// The account keeps what was queued.
	queued := upTo(from - 1)
	for i, o := range s.account[A] {
		lines := o.lines &^ open
		switch {
		case lines == 0 && o.end <= s.side:
		case lines&queued == 0:
			s.account[A][i] = owed{}
		case lines&^queued != 0:
			s.account[A][i] = owed{lines&queued | open, s.side, o.alone}
		}
	}
}

// positionOf is where line begins.
func (f *files) positionOf(line int) position {
	for g := f.last; ; g-- {
		if base := int(f.list[g].base); base < line {
			return at(g, uint8(line-1-base))
		}
	}
}

func (m *model) readsAlone(s *state, then func(step, state)) {
	n := *s
	g := s.side.generation()
	line := s.files.line(s.side)
	switch {
	case line != 0 && m.room(s, A):
		n.side++
		o := owed{open, n.side, true}
		if line != m.bad { // which the source has sent to its errors
			n.queue[A] = s.queue[A].push(line)
			o.lines |= one(line)
		}
		n.owe(A, o)
		then(step{readsAlone, uint8(line)}, n)
	case line == 0 && s.files.more(g):
		n.side = at(g+1, 0)
		then(step{followsAlone, g + 1}, n)
	}
}

func (m *model) joins(s *state, then func(step, state)) {
	emitted := s.reader.emitted
	if m.fault == joinByOffset {
		if s.side.offset() < emitted.offset() {
			return
		}
	} else if s.side < emitted {
		return
	}
	n := *s
	n.side = 0
	if s.side > emitted && m.fault != joinWithoutSkip || m.fault == joinUnreached {
		n.skip[A] = s.side
		n.reached[A] = s.side.generation() == emitted.generation() && m.fault != joinUnreached
	}
	then(step{what: joins}, n)
}
