package model

// room says whether a queue takes one more.
func (m *model) room(s *state, target int) bool { return s.queue[target].len() < m.queue }

// dispatch is one step of the dispatcher: the next lot, or the next event into its queue. A sink
// whose queue is full holds up those behind it.
func (m *model) dispatch(s *state) bool {
	if s.passing == (lot{}) {
		if s.waiting == 0 {
			return false
		}
		s.passing = s.feed[0]
		s.waiting--
		s.feed[0], s.feed[1] = s.feed[1], lot{}
		return true
	}
	for slot := range slots {
		line := s.passing[slot].first()
		if line == 0 {
			continue
		}
		if !m.room(s, slot) {
			return false
		}
		s.passing[slot] &^= one(line)
		s.queue[slot] = s.queue[slot].push(line)
		return true
	}
	return false
}

// sinks is what sinks and targets do.
func (m *model) sinks(s *state, then func(step, state)) {
	m.targetA(s, then)
	m.targetB(s, then)
	for _, target := range [...]int{C, D, B2} {
		if s.queue[target] == 0 {
			continue
		}
		n := *s
		entry := s.queue[target].front()
		n.queue[target] = s.queue[target].pop()
		m.takes(&n, target, entry&7)
		then(step{takes, uint8(target<<4 | entry&7)}, n)
	}
}

// targetA has several messages at a time, takes them in order, and answers in any order.
func (m *model) targetA(s *state, then func(step, state)) {
	unanswered, n := 0, 0
	for ; n < maxWindow && s.window[n] != 0; n++ {
		if s.window[n].open() {
			unanswered++
		}
	}
	if s.queue[A] != 0 && n < maxWindow && unanswered < m.window && !s.removed {
		next := *s
		line := s.queue[A].front()
		next.queue[A] = s.queue[A].pop()
		next.window[n] = flight(line)
		then(step{sends, uint8(line)}, next)
	}
	inOrder, cut := true, false
	for i, f := range s.window[:n] {
		if !f.open() {
			continue
		}
		next := *s
		switch {
		case f&taken != 0:
			cut = true
			next.window[i] |= answered
			then(step{answers, uint8(A<<4 | f.line())}, next)
		case !inOrder:
		case f.line() == m.poison:
			next.window[i] |= refused
			then(step{refuses, uint8(f.line())}, next)
			inOrder = false
		default:
			next.window[i] |= taken
			m.takes(&next, A, f.line())
			then(step{takes, uint8(A<<4 | f.line())}, next)
			inOrder = false
		}
	}
	if cut && m.cut {
		next := *s
		next.recall()
		if m.fault == answeredOvertake {
			next.overtake()
		}
		then(step{cuts, A}, next)
	}
	m.settle(s, then)
	if s.removed && s.queue[A] != 0 && m.room(s, D) {
		next := *s
		next.queue[A] = s.queue[A].pop()
		next.queue[D] = s.queue[D].push(s.queue[A].front() | 8)
		then(step{buries, uint8(s.queue[A].front())}, next)
	}
}

// settle walks A's outputs for the message at the front: what it becomes is queued before it is
// released.
func (m *model) settle(s *state, then func(step, state)) {
	f := s.window[0]
	if f == 0 || f.open() {
		return
	}
	n := *s
	copy(n.window[:], s.window[1:])
	n.window[maxWindow-1] = 0
	switch {
	case f&refused != 0 && m.room(s, D):
		n.queue[D] = s.queue[D].push(f.line() | 8)
	case f&answered != 0 && m.plain:
	case f&answered != 0 && m.room(s, B2):
		n.queue[B2] = s.queue[B2].push(f.line())
	default:
		return
	}
	then(step{settles, uint8(f.line())}, n)
}

// recall makes messages without an answer be sent again, in their places.
func (s *state) recall() {
	for i, f := range s.window {
		if f.open() && f&taken != 0 {
			s.window[i] &^= taken
			s.again[A] |= one(f.line())
		}
	}
}

// overtake is the fault that what has its answer goes before what is sent again.
func (s *state) overtake() {
	var done, again []flight
	for _, f := range s.window {
		switch {
		case f == 0:
		case f.open():
			again = append(again, f)
		default:
			done = append(done, f)
		}
	}
	s.window = [maxWindow]flight{}
	copy(s.window[:], append(done, again...))
}

// targetB has one message at a time.
func (m *model) targetB(s *state, then func(step, state)) {
	n := *s
	switch {
	case s.inFlight != 0:
		n.inFlight = 0
		then(step{answers, B<<4 | s.inFlight}, n)
		if m.cut {
			n = *s
			n.inFlight = 0
			n.queue[B] = s.queue[B].pushFront(int(s.inFlight))
			n.again[B] |= one(int(s.inFlight))
			then(step{cuts, B}, n)
		}
	case s.queue[B] != 0:
		line := s.queue[B].front()
		n.queue[B] = s.queue[B].pop()
		n.inFlight = uint8(line)
		m.takes(&n, B, line)
		then(step{takes, uint8(B<<4 | line)}, n)
	}
}
