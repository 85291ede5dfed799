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

// Hold keeps the source's events open for this copy until Release.
func (e *Event) Hold() {
	for _, t := range e.tokens {
		t.Hold(e.slot)
	}
}

// Release ends one Hold and says how it went.
func (e *Event) Release(o ack.Outcome) {
	for _, t := range e.tokens {
		t.Release(e.slot, o)
	}
}

// HoldAll keeps the source's events open in every slot: for a component that
// keeps an event without knowing where it will go.
func (e *Event) HoldAll() {
	for _, t := range e.tokens {
		if e.slot >= 0 {
			t.Hold(e.slot)
		} else {
			t.HoldAll()
		}
	}
}

// ReleaseAll ends one HoldAll.
func (e *Event) ReleaseAll(o ack.Outcome) {
	for _, t := range e.tokens {
		if e.slot >= 0 {
			t.Release(e.slot, o)
		} else {
			t.ReleaseAll(o)
		}
	}
}
