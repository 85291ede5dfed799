package graph

import (
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

// sifter looks through a whole lot of a source's lines before any event is made
// of them. It says which filters can be true for which line, so that the others need
// not look; and where every way from the source ends at a filter that can't be, it is all
// that ever happens to a line: it is counted, and passed over.
type sifter struct {
	sieve *sieve.Sieve
	// unwanted is what a line adds to the counters that no filter wants; nil if
	// something must see every line.
	unwanted []stepTally
}

// stepTally is what one line adds to the counters of a step, by its index.
type stepTally struct {
	step  int
	tally tally
}

// sift numbers the filters that can be sifted for, and makes the sifters of
// the sources in front of them. A tap wants to see every step of every event.
func (p *program) sift() {
	if p.tap != nil {
		return
	}
	var needs []sieve.Need
	for _, s := range p.steps {
		if c, ok := s.node.Where.(plan.Sieved); ok && s.node.Type == plan.Filter && !s.node.Disabled && c.Need() != nil {
			s.sieved, s.condition = c, len(needs)
			needs = append(needs, c.Need())
		}
	}
	for _, s := range p.steps {
		if s.node.Type == plan.Source {
			s.sifter = newSifter(s, needs)
		}
	}
}

// newSifter is the sifter of a source; nil if it would find nothing.
func newSifter(source *step, all []sieve.Need) *sifter {
	needs := make([]sieve.Need, len(all))
	none := true
	for _, s := range inPlace(source.events, map[*step]bool{}, nil) {
		if s.sieved != nil {
			needs[s.condition], none = all[s.condition], false
		}
	}
	if none {
		return nil
	}
	s := &sifter{sieve: sieve.New(needs)}
	w := rejection{seen: map[*step]bool{}, wanted: source.node.ID != nil}
	w.count(source, tally{in: 1, out: 1})
	if w.follow(source.events); !w.wanted {
		s.unwanted = w.counts
	}
	return s
}

// inPlace collects the steps that a line can come to before it is kept.
func inPlace(next []*step, seen map[*step]bool, found []*step) []*step {
	for _, s := range next {
		if seen[s] {
			continue
		}
		seen[s] = true
		found = append(found, s)
		switch {
		case s.node.Disabled:
			found = inPlace(s.events, seen, found)
		case s.node.Type == plan.Filter:
			found = inPlace(slices.Concat(s.events, s.rejected), seen, found)
		}
	}
	return found
}

// rejection follows a line that no filter wants on its way through the program.
type rejection struct {
	counts []stepTally
	seen   map[*step]bool
	wanted bool // by something else
}

func (w *rejection) follow(next []*step) {
	for _, s := range next {
		if w.seen[s] {
			continue
		}
		w.seen[s] = true
		switch {
		case s.node.Disabled:
			w.count(s, tally{in: 1, out: 1})
			w.follow(s.events)
		case s.sieved != nil:
			w.count(s, tally{in: 1, rejected: 1})
			w.follow(s.rejected)
		default:
			w.wanted = true
		}
	}
}

func (w *rejection) count(s *step, t tally) {
	w.counts = append(w.counts, stepTally{s.index, t})
}

// sift looks through the lot; nothing is known without a sifter.
func (w *walk) sift(s *sifter, lot *component.Lot) {
	w.sifter = s
	if s != nil {
		s.sieve.Sift(lot.Data, lot.Lines, &w.found)
	}
}

// unwanted says whether nothing will ever come of line i, and counts it then.
func (w *walk) unwanted(lot *component.Lot, i int) bool {
	if w.sifter == nil {
		return false
	}
	w.can = w.found.Row(i)
	if w.sifter.unwanted == nil || !w.can.None() || lot.Lines[i].Failure != nil {
		return false
	}
	w.passed++
	return true
}

// countPassed adds the lines that were passed over to the counts.
func (w *walk) countPassed() {
	if w.passed == 0 {
		return
	}
	for _, u := range w.sifter.unwanted {
		w.counts[u.step].add(u.tally, w.passed)
	}
	w.passed = 0
}

// holds evaluates a filter's condition.
func (w *walk) holds(s *step, e *event.Event) (bool, error) {
	switch {
	case w.sifter == nil || s.sieved == nil || e != w.scratch:
		return s.node.Where.True(e)
	case !w.can.Has(s.condition):
		return false, nil
	}
	return s.sieved.Evaluate(e)
}
