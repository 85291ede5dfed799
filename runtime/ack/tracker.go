package ack

import (
	"math"
	"sync"
)

// Tracker orders the lots of one source and knows, for each slot, the position
// behind which nothing is owed any more.
type Tracker struct {
	mu        sync.Mutex
	first     uint64 // sequence number of lots[0]
	lots      []*Lot
	next      []uint64 // per slot: the first lot it is not through with
	positions []any    // per slot: the position reached
	bytes     int64    // of all lots not yet settled in every slot
	events    int
	onSettle  func(bytes int64, events int)
	frozen    map[int]span // slots that do not move over some lots
}

// span is lots from one sequence number up to, not including, another.
type span struct{ from, to uint64 }

// NewTracker makes a tracker with one slot for each of positions, which are
// where the slots stand now. onSettle may be nil; it is called without locks
// held, once for each lot that is done in every slot.
func NewTracker(positions []any, onSettle func(bytes int64, events int)) *Tracker {
	return &Tracker{
		next:      make([]uint64, len(positions)),
		positions: append([]any(nil), positions...),
		onSettle:  onSettle,
	}
}

// AddSlot makes a slot that stands at position and owes nothing to lots that
// are open already; it returns the slot's number.
func (t *Tracker) AddSlot(position any) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = append(t.next, t.first+uint64(len(t.lots)))
	t.positions = append(t.positions, position)
	return len(t.next) - 1
}

// Slots is how many slots there are.
func (t *Tracker) Slots() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.next)
}

// Begin gives the slots that have no position yet this one.
func (t *Tracker) Begin(position any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, p := range t.positions {
		if p == nil {
			t.positions[i] = position
		}
	}
}

// Forget makes slot have no position, before the first lot is opened.
func (t *Tracker) Forget(slot int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.positions[slot] = nil
}

// Open starts the account of the next lot. position is where a slot stands
// once it is through with it; held slots (by slot, may be short or nil) stay
// where they are. A source that wants the outcome of each event gives settled,
// called once when the lot is done in every slot.
func (t *Tracker) Open(position any, events int, bytes int64, held []bool, settled func([]Outcome)) *Lot {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := &Lot{tracker: t, seq: t.first + uint64(len(t.lots)), position: position, held: held, events: events, bytes: bytes, settled: settled}
	if settled != nil {
		l.each = make([]account, events)
	}
	l.setSlots(len(t.next))
	t.lots = append(t.lots, l)
	t.bytes += bytes
	t.events += events
	return l
}

// Freeze makes slot stay where it is from lot l on, until Thaw: somebody else
// keeps its account meanwhile.
func (t *Tracker) Freeze(slot int, l *Lot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.frozen == nil {
		t.frozen = map[int]span{}
	}
	t.frozen[slot] = span{l.seq, math.MaxUint64}
}

// Reached says whether slot is through with all lots from before a Freeze.
func (t *Tracker) Reached(slot int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next[slot] >= t.frozen[slot].from
}

// Thaw makes slot stand at position, and move again with lots opened from now
// on. The slot must have Reached the lot it was frozen at.
func (t *Tracker) Thaw(slot int, position any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frozen[slot] = span{t.frozen[slot].from, t.first + uint64(len(t.lots))}
	t.positions[slot] = position
}

// InFlight is what the lots that are not done in every slot hold.
func (t *Tracker) InFlight() (events int, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.events, t.bytes
}

// Position is where slot stands.
func (t *Tracker) Position(slot int) any {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.positions[slot]
}

// Idle says whether every lot is done in every slot.
func (t *Tracker) Idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lots) == 0
}

// advance moves slot over all lots it is through with.
func (t *Tracker) advance(slot int) {
	t.mu.Lock()
	for int(t.next[slot]-t.first) < len(t.lots) {
		l := t.lots[t.next[slot]-t.first]
		if slot < len(l.slots) && l.slots[slot].Load() > 0 {
			break
		}
		t.next[slot]++
		held := slot < len(l.held) && l.held[slot]
		if f, ok := t.frozen[slot]; !held && !(ok && l.seq >= f.from && l.seq < f.to) {
			t.positions[slot] = l.position
		}
	}
	t.trim()
	t.mu.Unlock()
}

// settle takes a lot that is done in every slot out of what is in flight.
func (t *Tracker) settle(l *Lot) {
	t.mu.Lock()
	t.bytes -= l.bytes
	t.events -= l.events
	t.trim()
	t.mu.Unlock()
	if t.onSettle != nil {
		t.onSettle(l.bytes, l.events)
	}
	if l.settled != nil {
		l.settled(l.outcomes())
	}
}

// trim forgets the lots that every slot has passed.
func (t *Tracker) trim() {
	n := uint64(len(t.lots))
	for _, next := range t.next {
		n = min(n, next-t.first)
	}
	if len(t.next) == 0 {
		for n = 0; int(n) < len(t.lots) && t.lots[n].open.Load() == 0; n++ {
		}
	}
	clear(t.lots[:n])
	t.lots = t.lots[n:]
	t.first += n
}
