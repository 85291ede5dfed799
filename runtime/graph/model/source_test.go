package model

// begin is what source and engine make of the checkpoints at a start.
type begin struct {
	at        position
	reachable [slots]bool
	resumed   bool // there were checkpoints
}

// begins finds where a start begins to read: source "file", start.go.
func (m *model) begins(s *state) (b begin) {
	f := &s.files
	var found [slots]bool
	lost := uint8(0)
	for slot := range slots {
		p := s.checkpoint[slot]
		if !m.listens(s, slot) || p == 0 {
			continue
		}
		b.resumed = true
		g := f.list[p.generation()]
		if g.form == deleted || p.offset() > g.length || m.fault == compressedNotFound && g.form == compressed {
			if g := p.generation(); lost == 0 || (g > lost) == (m.fault == lostBehindLatest) {
				lost = g
			}
			continue
		}
		found[slot] = true
		if b.at == 0 || p < b.at {
			b.at = p
		}
	}
	if !b.resumed {
		b.at = m.fresh(s)
		return b
	}
	switch {
	case lost == 0:
	case m.fault == lostBeginsLate:
		if b.at == 0 || b.at.generation() == f.last {
			b.at = at(f.last, 0)
		}
	default:
		if p := at(m.oldest(s, lost), 0); b.at == 0 || p < b.at {
			b.at = p
		}
	}
	if m.fault == halfArchiveTrusted && f.list[b.at.generation()].form == compressing {
		b.at = at(b.at.generation()+1, 0)
	}
	for slot := range slots {
		b.reachable[slot] = found[slot] && s.checkpoint[slot] >= b.at
	}
	return b
}

// oldest is the oldest generation behind lost that is left.
func (m *model) oldest(s *state, lost uint8) uint8 {
	for g := lost + 1; g < s.files.last; g++ {
		if f := s.files.list[g].form; f != deleted && (f != compressed || m.fault != compressedNotFound) {
			return g
		}
	}
	return s.files.last
}

// fresh is where a start without checkpoints begins.
func (m *model) fresh(s *state) position {
	if s.began != 0 {
		if s.files.list[s.began.generation()].form != deleted {
			return s.began
		}
		if m.fault != lostBeginsLate {
			return at(m.oldest(s, s.began.generation()), 0)
		}
	}
	if m.startAtEnd {
		return at(s.files.last, s.files.list[s.files.last].length)
	}
	return at(s.files.last, 0)
}

// start is a process that starts.
func (m *model) start(s *state, then func(step, state)) {
	n := *s
	b := m.begins(s)
	n.up = true
	n.open(b.at)
	n.reader.from = b.at
	n.positions = [slots]position{}
	for slot := range slots {
		n.again[slot] = upTo(maxLines)
		if b.reachable[slot] || s.checkpoint[slot] == 0 {
			n.again[slot] &^= s.files.before(s.stored[slot])
		}
		if b.reachable[slot] {
			n.positions[slot] = s.checkpoint[slot]
			if m.fault != noSkip {
				n.skip[slot] = s.checkpoint[slot]
			}
		}
	}
	n.again[D] = n.again[D]&one(m.bad) | n.again[A]&^one(m.bad)
	n.again[B2] = n.again[A]
	switch {
	case b.resumed:
		n.began = 0
	case n.began == 0 && m.fault != beginningForgotten:
		n.began = b.at
	}
	if n.first == 0 {
		n.first = b.at
	}
	then(step{what: starts}, n)
}

// open begins to read at p.
func (s *state) open(p position) {
	s.reader.at, s.reader.final = p, false
	s.reader.live = s.files.list[p.generation()].form == live
	s.reader.known = s.files.last - 1
}

// source is what the source does.
func (m *model) source(s *state, then func(step, state)) {
	f, r := &s.files, s.reader
	if int(s.waiting) < m.feed {
		// A run tells first where it begins, if the generation has a name already.
		if r.emitted == 0 && f.list[r.at.generation()].length > 0 && m.fault != beginNotTold {
			n := *s
			m.emit(&n, r.at, nil)
			then(step{what: tellsBegin}, n)
		} else {
			for count := 1; count <= m.lot; count++ {
				m.read(s, count, then)
			}
		}
		if m.fault == halfLineTaken && f.half && r.at == at(f.writing, f.list[f.writing].length) {
			n := *s
			m.emit(&n, r.at, []int{int(f.written) + 1})
			then(step{reads, f.written + 1}, n)
		}
	}
	if r.emitted == 0 && m.fault != beginNotTold {
		return
	}
	g := r.at.generation()
	behind := r.at.offset() >= f.list[g].length
	switch {
	case m.fault == notDrained && g < f.last, m.fault == notReadAgain && r.final && f.more(g), m.fault != notReadAgain && r.final && behind:
		n := *s
		n.open(m.following(s))
		n.reader.known = r.known
		if m.fault == offsetKept {
			n.reader.at = at(n.reader.at.generation(), r.at.offset())
		}
		then(step{follows, n.reader.at.generation()}, n)
	case behind && !r.final && (m.fault == notReadAgain || f.more(g)):
		n := *s
		n.reader.final = true
		then(step{seesEnd, g}, n)
	}
}

// following is where the reader goes on behind its generation.
func (m *model) following(s *state) position {
	f, r := &s.files, s.reader
	g := r.at.generation() + 1
	truncated := f.list[g-1].form == copied && r.live // under the reader, which looks for all copies
	if m.fault == waitingCopyMissed && !truncated && g > r.known {
		for f.list[g].form == copied {
			g++
		}
	}
	return at(g, 0)
}

// read is a lot of count lines.
func (m *model) read(s *state, count int, then func(step, state)) {
	p, f := s.reader.at, &s.files
	var lines []int
	for range count {
		line := f.line(p)
		if line == 0 {
			return
		}
		lines = append(lines, line)
		p++
	}
	n := *s
	m.emit(&n, p, lines)
	n.reader.at = p
	then(step{reads, uint8(lines[0]<<4 | lines[count-1])}, n)
}

// emit is feed.Emit: the account of a lot is opened, and it waits in the queue. end is behind it.
func (m *model) emit(s *state, end position, lines []int) {
	begin := end - position(len(lines))
	if s.reader.emitted == 0 && len(lines) > 0 {
		for slot := range slots {
			if s.positions[slot] == 0 && m.listens(s, slot) {
				s.positions[slot] = begin
			}
		}
	}
	s.reader.emitted = end
	var made lot
	for slot := range slots {
		offset := s.skipped(slot, begin, len(lines))
		for i, line := range lines {
			if (line == m.bad) != (slot == D) || int(begin.offset())+i < offset {
				continue
			}
			made[slot] |= one(line)
		}
		if !m.listens(s, slot) || slot == A && s.side != 0 {
			made[slot] = 0
			continue
		}
		o := owed{lines: made[slot] | open, end: end}
		if offset > int(end.offset()) && m.fault != skippedMoves {
			o.end = 0
		}
		s.owe(slot, o)
	}
	if len(lines) > 0 {
		s.feed[s.waiting] = made
		s.waiting++
	}
}

// skipped is the offset before which slot has everything in the generation of p: skip.go.
func (s *state) skipped(slot int, p position, lines int) int {
	const all = 100
	skip := s.skip[slot]
	offset := all
	switch {
	case skip == 0:
		return 0
	case skip.generation() == p.generation():
		s.reached[slot] = true
		offset = int(skip.offset())
	case s.reached[slot]:
		offset = 0
	}
	if offset == 0 || lines > 0 && int(p.offset()) >= offset {
		s.skip[slot], s.reached[slot] = 0, false
		return 0
	}
	return offset
}
