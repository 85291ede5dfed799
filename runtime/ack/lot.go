// Package ack keeps account of what became of the events of a source: which
// sinks still owe an answer, and up to which position everything is done.
//
// A source reads events in lots. Nothing is counted for an event that a filter
// drops; each copy of an event that is on its way to a sink holds its lot open
// in that sink's slot. When nothing holds a slot of a lot any more, the sink
// is through with it; when this is true of all earlier lots too, the sink's
// position moves behind it. A slot stands for one (source, sink) pair: the
// first sink on an event's way, so that sinks behind `.delivered` count for it.
package ack

import "sync/atomic"

// Outcome is what a source learns of one event, worst last.
type Outcome uint32

// The outcomes.
const (
	Accepted  Outcome = iota // taken for good, or dropped by a filter
	Rejected                 // the event's own error; it was stored as such
	Abandoned                // given up before an answer; not covered by a position
)

// Lot is the account of the events that a source handed over together.
type Lot struct {
	tracker  *Tracker
	seq      uint64
	position any
	held     []bool // slots whose position this lot does not move
	bytes    int64
	events   int
	slots    []atomic.Int64 // copies on their way to each slot; processing holds one of each
	open     atomic.Int64   // slots that are not zero yet
	each     []account      // nil unless the source wants each event's outcome
	settled  func([]Outcome)
}

// account is one event's: how many copies hold it, and the worst outcome so far.
type account struct {
	holds   atomic.Int64
	outcome atomic.Uint32
}

// Token is an event's share in a lot.
type Token struct {
	Lot   *Lot
	Event int32 // index in the lot
}

// Hold keeps the lot open in slot until a Release of the same slot. The caller
// must itself be covered by a hold that is not yet released.
func (t Token) Hold(slot int) {
	if t.Lot == nil || slot >= len(t.Lot.slots) { // a sink that came by reload owes nothing to older lots
		return
	}
	t.Lot.slots[slot].Add(1)
	if t.Lot.each != nil {
		t.Lot.each[t.Event].holds.Add(1)
	}
}

// Release ends one Hold of slot and says how it went.
func (t Token) Release(slot int, o Outcome) {
	if t.Lot == nil || slot >= len(t.Lot.slots) {
		return
	}
	if t.Lot.each != nil {
		a := &t.Lot.each[t.Event]
		for {
			old := a.outcome.Load()
			if uint32(o) <= old || a.outcome.CompareAndSwap(old, uint32(o)) {
				break
			}
		}
		a.holds.Add(-1)
	}
	t.Lot.release(slot)
}

// HoldAll keeps the lot open in every slot: for who keeps an event without
// knowing yet where it will go.
func (t Token) HoldAll() {
	if t.Lot == nil {
		return
	}
	for slot := range t.Lot.slots {
		t.Hold(slot)
	}
}

// ReleaseAll ends one HoldAll.
func (t Token) ReleaseAll(o Outcome) {
	if t.Lot == nil {
		return
	}
	for slot := range t.Lot.slots {
		t.Release(slot, o)
	}
}

// Settled says whether the lot is through with slot, or with every slot if
// slot is negative. A slot at zero stays at zero.
func (t Token) Settled(slot int) bool {
	switch {
	case t.Lot == nil || slot >= len(t.Lot.slots):
		return true
	case slot < 0:
		return t.Lot.open.Load() == 0
	}
	return t.Lot.slots[slot].Load() == 0
}

// Processed ends the hold that a new lot is born with: every event has been
// dropped, failed, or given to the queues of its sinks.
func (l *Lot) Processed() {
	for slot := range l.slots {
		l.release(slot)
	}
	if len(l.slots) == 0 {
		l.tracker.settle(l)
	}
}

func (l *Lot) release(slot int) {
	switch n := l.slots[slot].Add(-1); {
	case n < 0:
		panic("ack: a lot was released more often than held")
	case n == 0:
		last := l.open.Add(-1) == 0
		l.tracker.advance(slot)
		if last {
			l.tracker.settle(l)
		}
	}
}

// setSlots gives the lot n slots, each held by processing.
func (l *Lot) setSlots(n int) {
	l.slots = make([]atomic.Int64, n)
	l.open.Store(int64(n))
	for i := range l.slots {
		l.slots[i].Store(1)
	}
}

// outcomes is the outcome of each event; nil if the source did not ask.
func (l *Lot) outcomes() []Outcome {
	if l.each == nil {
		return nil
	}
	out := make([]Outcome, len(l.each))
	for i := range l.each {
		out[i] = Outcome(l.each[i].outcome.Load())
	}
	return out
}
