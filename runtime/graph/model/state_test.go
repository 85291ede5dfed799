package model

import "fmt"

// The slots, which are the first sinks: each has a position of its own. B2
// stands behind A's `.delivered` and counts for A.
const (
	A = iota
	B
	C // comes with a reload
	D // the dead letters
	slots
	B2      = slots
	targets = slots + 1
)

var names = [targets]string{"A", "B", "C", "dead letters", "B2"}

// position is generation (from 1) and offset in lines; 0 is none. Their order
// is that of reading.
type position uint8

func at(generation, offset uint8) position { return position(generation<<4 | offset) }

func (p position) generation() uint8 { return uint8(p >> 4) }
func (p position) offset() uint8     { return uint8(p & 15) }

func (p position) String() string {
	if p == 0 {
		return "none"
	}
	return fmt.Sprintf("G%d@%d", p.generation(), p.offset())
}

// lot is one lot in the queue behind the source: the lines of it that go to each
// sink, as the program and the skips of its reading made them.
type lot [slots]bitset

// owed is one lot in the account of a slot.
type owed struct {
	lines bitset
	end   position // 0: the slot is further already and stays there
	alone bool     // A's own reader gave it
}

// flight is a message that target A has: its line, and what became of it.
type flight uint8

const (
	taken    flight = 1 << (3 + iota) // the target has it
	answered                          // and said so
	refused
	lineBits flight = 7
)

func (f flight) line() int  { return int(f & lineBits) }
func (f flight) open() bool { return f&(answered|refused) == 0 }

const (
	maxOwed   = 7
	maxWindow = 3
)

// state is one state of the world. Equal values are the same state.
type state struct {
	// Durable.
	files      files
	checkpoint [slots]position
	began      position // where the first run began, until there is a checkpoint
	removed    bool     // the plan has no A any more
	added      bool     // the plan has C
	has        [targets]bitset

	// The oracle's.
	stored  [slots]position // the last checkpoint that was stored
	again   [targets]bitset // may come once more: delivered behind the checkpoint, or of unknown outcome
	first   position        // where the very first run began: what is before is not owed
	fromC   position        // the same for C
	buried  bitset          // A was removed while it owed these
	reloads uint8

	// Volatile.
	up        bool
	reader    reader
	skip      [slots]position // has everything before
	reached   [slots]bool     // the generation of skip was seen
	positions [slots]position
	account   [slots][maxOwed]owed
	feed      [2]lot
	waiting   uint8
	passing   lot // what the dispatcher still has to queue
	queue     [targets]fifo
	window    [maxWindow]flight // of A
	inFlight  uint8             // of B: the line its target has, unanswered
	snapshot  [slots]position   // being stored
	phase     uint8             // of storing: 0, none; else slots read, or writing
	side      position          // where the reader of A alone stands; 0: A is not detached
}

// reader is the run of the source.
type reader struct {
	at      position // what is read next
	emitted position // behind the last lot; 0: none yet
	from    position // where the run was told to begin
	known   uint8    // rotated generations found by name at the start
	final   bool     // the writer of this generation has gone on
	live    bool     // the generation was opened while it was the current one
}

// model is a world and the faults in its protocol.
type model struct {
	bounds
	fault
	broken string // by the step that was just taken
}

// step is something that happens, with what it happens to.
type step struct {
	what kind
	arg  uint8
}

func (m *model) breaks(format string, args ...any) {
	if m.broken == "" {
		m.broken = fmt.Sprintf(format, args...)
	}
}

// listens says whether the plan has the slot.
func (m *model) listens(s *state, slot int) bool {
	switch slot {
	case A:
		return !s.removed
	case C:
		return s.added
	case D:
		return !m.plain
	}
	return true
}

// outstanding is the lines that are on their way to slot or behind it.
func (s *state) outstanding(slot int) bitset {
	lines := s.passing[slot]
	for _, l := range s.feed[:s.waiting] {
		lines |= l[slot]
	}
	if slot == D {
		return lines | s.deadLetters(false)
	}
	lines |= s.queue[slot].lines()
	switch slot {
	case A:
		lines |= s.sent() | s.queue[B2].lines() | s.deadLetters(true)
	case B:
		lines |= one(int(s.inFlight))
	}
	return lines
}

// counted is what of it holds lots open.
func (m *model) counted(s *state, slot int) bitset {
	switch {
	case m.fault == acknowledgedAtEnqueue:
		lines := s.passing[slot]
		for _, l := range s.feed[:s.waiting] {
			lines |= l[slot]
		}
		return lines
	case slot == A && m.fault == checkpointBeforeAnswer:
		return s.outstanding(A) &^ s.sent()
	case slot == A && m.fault == deliveredNotCounted:
		return s.outstanding(A) &^ s.queue[B2].lines()
	case slot == A && m.fault == deadLettersNotCounted:
		return s.outstanding(A) &^ s.deadLetters(true)
	}
	return s.outstanding(slot)
}

// sent is what target A has, or had when it answered.
func (s *state) sent() (lines bitset) {
	for _, f := range s.window {
		lines |= one(f.line())
	}
	return lines
}

// deadLetters is what waits for them, for A's slot or for their own.
func (s *state) deadLetters(forA bool) (lines bitset) {
	for q := s.queue[D]; q != 0; q = q.pop() {
		if (q.front()&8 != 0) == forA {
			lines |= one(q.front() & 7)
		}
	}
	return lines
}

// owe opens a lot in the account of slot.
func (s *state) owe(slot int, o owed) {
	for i := range s.account[slot] {
		if s.account[slot][i] == (owed{}) {
			s.account[slot][i] = o
			return
		}
	}
	panic("model: the account is too small for these bounds")
}

// open is the bit that marks an account's entry as used, though it owes nothing.
const open bitset = 1 << 7

// advance moves the positions over the lots that are done.
func (m *model) advance(s *state) {
	for slot := range slots {
		account := &s.account[slot]
		if account[0].lines == 0 {
			continue
		}
		waits := m.counted(s, slot)
		if m.fault == answersMoveAlone || m.fault == sideMovesAlone && slot == A && s.side != 0 {
			m.advanceAlone(s, slot, waits)
			continue
		}
		for account[0].lines != 0 && account[0].lines&^open&waits == 0 {
			s.move(m, slot, account[0].end)
			copy(account[:], account[1:])
			account[maxOwed-1] = owed{}
		}
		if m.fault == joinForgotten && slot == A && s.side != 0 {
			s.forgetJoin(m)
		}
	}
}

// forgetJoin is the fault that a sink which is detached again, while the source's own lots since
// it joined are not through, stands where it joined: what its own reader gave before is forgotten.
func (s *state) forgetJoin(m *model) {
	account := &s.account[A]
	for i := 1; i < maxOwed && account[i].lines != 0; i++ {
		if account[i-1].alone && !account[i].alone {
			s.move(m, A, max(account[i-1].end, s.positions[A]))
		}
	}
}

// advanceAlone is the fault that a lot which is done moves the position, whatever is owed before.
func (m *model) advanceAlone(s *state, slot int, waits bitset) {
	account := &s.account[slot]
	kept := [maxOwed]owed{}
	n := 0
	for _, o := range account {
		if o.lines == 0 {
			continue
		}
		if o.lines&^open&waits == 0 {
			if o.end > s.positions[slot] {
				s.positions[slot] = o.end
			}
			continue
		}
		kept[n] = o
		n++
	}
	*account = kept
}

func (s *state) move(m *model, slot int, to position) {
	if to == 0 {
		return
	}
	if to < s.positions[slot] {
		m.breaks("the position of %s goes back from %v to %v", names[slot], s.positions[slot], to)
	}
	s.positions[slot] = to
}
