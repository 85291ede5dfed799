package model

// takes notes that target takes line.
func (m *model) takes(s *state, target, line int) {
	if line > int(s.files.written) {
		m.breaks("%s takes line %d, which is not whole yet", names[target], line)
	}
	has := s.has[target]
	switch {
	case has.has(line) && !s.again[target].has(line):
		m.breaks("%s takes line %d twice: it was delivered before the checkpoint, or is not in question", names[target], line)
	case has.has(line):
		s.again[target] &^= one(line)
	case target != D && (has&m.owed(s, target))&^upTo(line) != 0 && m.owed(s, target).has(line):
		m.breaks("%s takes line %d after line %d", names[target], line, (has & m.owed(s, target) &^ upTo(line)).first())
	}
	s.has[target] |= one(line)
}

// owed is what target must have in the end.
func (m *model) owed(s *state, target int) bitset {
	if s.first == 0 {
		return 0
	}
	whole := upTo(int(s.files.written)) &^ s.files.gone &^ s.files.before(s.first)
	switch target {
	case A, B2:
		if s.removed || target == B2 && m.plain {
			return 0
		}
		return whole &^ one(m.bad) &^ one(m.poison)
	case B:
		return whole &^ one(m.bad)
	case C:
		if !s.added {
			return 0
		}
		return whole &^ one(m.bad) &^ s.files.before(s.fromC)
	default:
		lines := one(m.bad)
		if !s.removed {
			lines |= one(m.poison)
		}
		return whole & lines
	}
}

// missing is what target must have and has not yet, by the slot that owes it.
func (m *model) missing(s *state, target int) (missing [slots]bitset) {
	lines := m.owed(s, target) &^ s.has[target]
	switch target {
	case D:
		missing[D] = lines & one(m.bad)
		missing[A] = lines &^ one(m.bad)
	case B2:
		missing[A] = lines
	default:
		missing[target] = lines
	}
	return missing
}

// check says which invariant does not hold in s.
func (m *model) check(s *state) {
	b := m.begins(s)
	for target := range targets {
		for slot, missing := range m.missing(s, target) {
			if missing == 0 {
				continue
			}
			// A process that starts now would deliver it.
			from := b.at
			if b.reachable[slot] && m.fault != noSkip {
				from = s.checkpoint[slot]
			}
			if lost := missing & s.files.before(from); lost != 0 {
				m.breaks("line %d is not at %s, and a start now would begin behind it, at %v", lost.first(), names[target], from)
			}
			if !s.up {
				continue
			}
			// The position is not behind it.
			if passed := missing & s.files.before(s.positions[slot]); passed != 0 {
				m.breaks("line %d is not at %s, and the position of %s is behind it, at %v", passed.first(), names[target], names[slot], s.positions[slot])
			}
			// The process that runs has it, or will read it.
			read := s.reader.at
			if slot == A && s.side != 0 {
				read = s.side
			}
			if lost := missing & s.files.before(read) &^ s.outstanding(slot); lost != 0 {
				m.breaks("line %d is not at %s, and nobody has it: reading goes on at %v", lost.first(), names[target], read)
			}
		}
	}
	if lost := s.buried &^ s.has[A] &^ s.has[D] &^ s.outstanding(A); s.up && lost != 0 {
		m.breaks("line %d was for sink A when it was removed, and is neither there nor in the dead letters", lost.first())
	}
}

// quiet is a state in which nobody but the world can do anything: all must be delivered.
func (m *model) quiet(s *state) {
	for target := range targets {
		for _, missing := range m.missing(s, target) {
			if missing != 0 {
				m.breaks("nothing is left to do, and %s does not have line %d", names[target], missing.first())
			}
		}
	}
}
