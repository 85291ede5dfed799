package event

import "github.com/wazuh-etl/etl/runtime/ack"

// Slot is the acknowledgement slot the event is on its way to; -1 before it
// has reached a first sink.
func (e *Event) Slot() int { return e.slot }

// ForSlot is e on its way to the first sink behind slot. An event that is
// already behind a first sink stays in that one's slot.
func (e *Event) ForSlot(slot int) *Event {
	if e.slot >= 0 {
		return e
	}
	k := *e
	k.slot = slot
	return &k
}

// slotOf is the slot that token i counts in. What was behind a first sink when
// it was merged stays in that one's slot, wherever the others go: its own is the only
// one that is held for it.
func (e *Event) slotOf(i int) int {
	if e.slots != nil && e.slots[i] >= 0 {
		return e.slots[i]
	}
	return e.slot
}

// Hold keeps the source's events open for this copy until Release.
func (e *Event) Hold() {
	for i, t := range e.tokens {
		t.Hold(e.slotOf(i))
	}
}

// Release ends one Hold and says how it went.
func (e *Event) Release(o ack.Outcome) {
	for i, t := range e.tokens {
		t.Release(e.slotOf(i), o)
	}
}

// HoldAll keeps the source's events open in every slot: for a component that
// keeps an event without knowing where it will go.
func (e *Event) HoldAll() {
	for i, t := range e.tokens {
		if slot := e.slotOf(i); slot >= 0 {
			t.Hold(slot)
		} else {
			t.HoldAll()
		}
	}
}

// ReleaseAll ends one HoldAll.
func (e *Event) ReleaseAll(o ack.Outcome) {
	for i, t := range e.tokens {
		if slot := e.slotOf(i); slot >= 0 {
			t.Release(slot, o)
		} else {
			t.ReleaseAll(o)
		}
	}
}

// Share is an event's part in the acknowledgement, without its document: for
// who wants to know later what became of it.
type Share struct {
	tokens []ack.Token
	slots  []int
	slot   int
}

// Share is that of e.
func (e *Event) Share() Share { return Share{e.tokens, e.slots, e.slot} }

// Settled says whether nothing is owed any more for what the source gave
// together with the event: every sink on its way has taken it for good, or stored it as
// failed. It stays so. Safe for concurrent use.
func (s Share) Settled() bool {
	e := Event{slots: s.slots, slot: s.slot}
	for i, t := range s.tokens {
		if !t.Settled(e.slotOf(i)) {
			return false
		}
	}
	return true
}
