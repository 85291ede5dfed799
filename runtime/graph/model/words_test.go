package model

import (
	"fmt"
	"strings"
)

// kind is what happens in a step.
type kind uint8

const (
	beginsLine kind = iota
	writes
	goesOn
	renames
	copies
	truncates
	compresses
	hasCompressed
	deletes
	starts
	tellsBegin
	reads
	seesEnd
	follows
	queues
	sends
	takes
	answers
	refuses
	cuts
	settles
	buries
	detaches
	readsAlone
	followsAlone
	joins
	looksAt
	stores
	hasStored
	replaces
	removes
	adds
	replacesSource
	movesSource
	crashes
	rests
)

// words is step, which leads to after.
func (t step) words(after *state) string {
	n := int(t.arg)
	high, low := n>>4, n&15
	switch t.what {
	case beginsLine:
		return fmt.Sprintf("the writer writes half of line %d", n)
	case writes:
		return fmt.Sprintf("line %d is in the file", n)
	case goesOn:
		return fmt.Sprintf("the writer goes on in generation %d", n)
	case renames:
		return fmt.Sprintf("generation %d is renamed, an empty file takes its place", n)
	case copies:
		return fmt.Sprintf("generation %d is copied", n)
	case truncates:
		return fmt.Sprintf("generation %d is truncated, generation %d begins in the same file", n, n+1)
	case compresses:
		return fmt.Sprintf("generation %d is being compressed: half a .gz lies beside it", n)
	case hasCompressed:
		return fmt.Sprintf("generation %d is a .gz", n)
	case deletes:
		return fmt.Sprintf("generation %d is removed", n)
	case starts:
		return fmt.Sprintf("etl starts, reads from %v; A, B, C, dead letters skip up to %v", after.reader.at, after.skip)
	case tellsBegin:
		return fmt.Sprintf("the source tells that it begins at %v", after.reader.emitted)
	case reads:
		if high == 0 || high == low {
			return fmt.Sprintf("the source reads line %d", low)
		}
		return fmt.Sprintf("the source reads lines %d to %d as one lot", high, low)
	case seesEnd:
		return fmt.Sprintf("the source sees that generation %d has come to its end", n)
	case follows:
		return fmt.Sprintf("the source goes on at %v", after.reader.at)
	case queues:
		return "the dispatcher takes a step"
	case sends:
		return fmt.Sprintf("line %d is sent to A", n)
	case takes:
		return fmt.Sprintf("%s takes line %d", names[high], low)
	case answers:
		return fmt.Sprintf("%s answers for line %d", names[high], low)
	case refuses:
		return fmt.Sprintf("A refuses line %d", n)
	case cuts:
		return fmt.Sprintf("the connection to %s breaks: what has no answer is sent again", names[n])
	case settles:
		return fmt.Sprintf("sink A settles line %d", n)
	case buries:
		return fmt.Sprintf("line %d goes to the dead letters", n)
	case detaches:
		return fmt.Sprintf("A is full and detached, it reads for itself from %v", after.side)
	case readsAlone:
		return fmt.Sprintf("A's own reader reads line %d", n)
	case followsAlone:
		return fmt.Sprintf("A's own reader goes on in generation %d", n)
	case joins:
		return fmt.Sprintf("A joins again, the source skips for it up to %v", after.skip[A])
	case looksAt:
		return fmt.Sprintf("the checkpoint looks at %s: %v", names[n], after.snapshot[n])
	case stores:
		return fmt.Sprintf("a checkpoint is being written: A, B, C, dead letters at %v", after.snapshot)
	case hasStored:
		return fmt.Sprintf("the checkpoint is stored: A, B, C, dead letters at %v", after.checkpoint)
	case replaces:
		return "a reload replaces sink A"
	case removes:
		return "a reload removes sink A"
	case adds:
		return "a reload adds sink C"
	case replacesSource:
		return fmt.Sprintf("a reload replaces the source, which reads from %v", after.reader.at)
	case movesSource:
		return fmt.Sprintf("a reload makes the source read another file, as generation %d", after.files.last)
	case crashes:
		return "CRASH"
	case rests:
		return "nobody has anything to do"
	}
	panic(fmt.Sprintf("model: no words for %d", t.what))
}

// tell is the trace in words, found by going it again.
func (m *model) tell(f found) string {
	var b strings.Builder
	s := m.initial()
	for i, want := range f.trace {
		var after state
		m.broken = ""
		m.steps(&s, func(what step, n state) {
			if what == want {
				if what.what != rests {
					m.follow(&n)
				}
				after = n
			}
		})
		s = after
		fmt.Fprintf(&b, "%3d. %s\n", i+1, want.words(&s))
	}
	fmt.Fprintf(&b, "     => %s\n", f.broken)
	return b.String()
}
