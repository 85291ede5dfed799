package ack

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func positions(n int) []any { return make([]any, n) }

func TestASlotMovesOverLotsInOrderOnly(t *testing.T) {
	k := NewTracker(positions(2), nil)
	var lots []*Lot
	for i := range 3 {
		l := k.Open(i, 1, 10, nil, nil)
		lots = append(lots, l)
		Token{l, 0}.Hold(0)
		l.Processed()
	}
	if k.Position(1) != 2 {
		t.Errorf("the slot that nothing was for stands at %v, want 2", k.Position(1))
	}
	Token{lots[1], 0}.Release(0, Accepted)
	if k.Position(0) != nil {
		t.Errorf("slot 0 moved to %v over a lot that is open", k.Position(0))
	}
	Token{lots[0], 0}.Release(0, Accepted)
	if k.Position(0) != 1 {
		t.Errorf("slot 0 stands at %v, want 1", k.Position(0))
	}
	if n, bytes := k.InFlight(); n != 1 || bytes != 10 {
		t.Errorf("in flight %d events, %d bytes, want 1 and 10", n, bytes)
	}
	Token{lots[2], 0}.Release(0, Accepted)
	if !k.Idle() {
		t.Error("lots are left")
	}
}

func TestOutcomeIsTheWorstOfAllCopies(t *testing.T) {
	k := NewTracker(positions(2), nil)
	var got []Outcome
	l := k.Open(1, 3, 0, nil, func(o []Outcome) { got = o })
	a, b := Token{l, 0}, Token{l, 1}
	a.Hold(0)
	a.Hold(1)
	b.Hold(1)
	l.Processed()
	a.Release(0, Rejected)
	a.Release(1, Accepted)
	if got != nil {
		t.Fatal("told too early")
	}
	b.Release(1, Abandoned)
	if want := []Outcome{Rejected, Abandoned, Accepted}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// An event that stands for others (n to 1) holds all of their lots; HoldAll
// keeps them while nobody knows yet where it will go.
func TestHoldAllBridgesFromManyToOne(t *testing.T) {
	k := NewTracker(positions(1), nil)
	var tokens []Token
	for i := range 5 {
		l := k.Open(i, 1, 0, nil, nil)
		token := Token{l, 0}
		token.HoldAll()
		tokens = append(tokens, token)
		l.Processed()
	}
	if k.Position(0) != nil {
		t.Fatal("moved while a stage keeps the events")
	}
	for _, token := range tokens {
		token.Hold(0)
	}
	for _, token := range tokens {
		token.ReleaseAll(Accepted)
	}
	if k.Position(0) != nil {
		t.Fatal("moved while the joined event is on its way")
	}
	for _, token := range tokens {
		token.Release(0, Accepted)
	}
	if k.Position(0) != 4 {
		t.Errorf("stands at %v, want 4", k.Position(0))
	}
}

func TestASlotThatComesLaterOwesNothingToOlderLots(t *testing.T) {
	k := NewTracker(positions(1), nil)
	old := k.Open(1, 1, 0, nil, nil)
	slot := k.AddSlot(7)
	Token{old, 0}.Hold(slot) // ignored
	if k.Position(slot) != 7 {
		t.Errorf("the new slot stands at %v, want 7", k.Position(slot))
	}
	l := k.Open(2, 1, 0, nil, nil)
	Token{l, 0}.Hold(slot)
	l.Processed()
	if k.Position(slot) != 7 {
		t.Error("moved over a lot that is open for it")
	}
	Token{l, 0}.Release(slot, Accepted)
	if k.Position(slot) != 2 || k.Position(0) != nil {
		t.Errorf("stands at %v and %v, want 2 and nil", k.Position(slot), k.Position(0))
	}
	old.Processed()
	if k.Position(0) != 2 {
		t.Errorf("stands at %v, want 2", k.Position(0))
	}
}

func TestHeldSlotsDoNotGoBack(t *testing.T) {
	k := NewTracker([]any{100, 3}, nil)
	k.Open(4, 1, 0, []bool{true}, nil).Processed()
	if k.Position(0) != 100 || k.Position(1) != 4 {
		t.Errorf("stand at %v and %v, want 100 and 4", k.Position(0), k.Position(1))
	}
}

// Whatever the order of the answers, no slot ever stands behind a lot that
// still owes it one.
func TestPositionsNeverPassWhatIsOwed(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		const slots, n = 3, 60
		k := NewTracker(positions(slots), nil)
		var mu sync.Mutex
		open := [slots]map[int]int{}
		for s := range open {
			open[s] = map[int]int{}
		}
		type hold struct {
			token     Token
			slot, lot int
		}
		var holds []hold
		for i := range n {
			l := k.Open(i, 4, 1, nil, nil)
			for e := range int32(4) {
				for s := range slots {
					if rnd.IntN(3) == 0 {
						Token{l, e}.Hold(s)
						open[s][i]++
						holds = append(holds, hold{Token{l, e}, s, i})
					}
				}
			}
			l.Processed()
		}
		rnd.Shuffle(len(holds), func(i, j int) { holds[i], holds[j] = holds[j], holds[i] })
		check := func() {
			mu.Lock()
			defer mu.Unlock()
			for s := range slots {
				p, ok := k.Position(s).(int)
				if !ok {
					continue
				}
				for lot, n := range open[s] {
					if n > 0 && lot <= p {
						t.Fatalf("seed %d: slot %d stands at %d, lot %d is open", seed, s, p, lot)
					}
				}
			}
		}
		for _, h := range holds {
			mu.Lock()
			open[h.slot][h.lot]--
			mu.Unlock()
			h.token.Release(h.slot, Accepted)
			check()
		}
		if !k.Idle() {
			t.Fatalf("seed %d: lots are left", seed)
		}
	}
}

func BenchmarkDroppedLot(b *testing.B) {
	k := NewTracker(positions(4), nil)
	b.ReportAllocs()
	for b.Loop() {
		k.Open(1, 500, 1<<20, nil, nil).Processed()
	}
}
