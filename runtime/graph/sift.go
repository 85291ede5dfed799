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

// sift numbers the filters of which something is known, and makes the sifters of
// the sources in front of them. A tap wants to see every step of every event.
func (p *program) sift(of *plan.Plan) {
	if p.tap != nil {
		return
	}
	var needs []sieve.Need
	for _, s := range p.steps {
		if need := s.node.Need(); need != nil {
			s.sieved, s.condition = s.node.Where.(plan.Sieved), len(needs)
			needs = append(needs, need)
		}
	}
	for _, n := range of.Nodes {
		if n.Type == plan.Source {
			p.byName[n.Address].sifter = p.newSifter(of, n, needs)
		}
	}
}

// newSifter is the sifter of a source; nil if it would find nothing. all are the
// needs of the program's filters, by condition.
func (p *program) newSifter(of *plan.Plan, source *plan.Node, all []sieve.Need) *sifter {
	needs := make([]sieve.Need, len(all))
	none := true
	for _, s := range inPlace(p.byName[source.Address].events, map[*step]bool{}, nil) {
		if s.sieved != nil {
			needs[s.condition], none = all[s.condition], false
		}
	}
	if none {
		return nil
	}
	sifter := &sifter{sieve: sieve.New(needs)}
	if passed, wanting := of.Unwanted(source); len(wanting) == 0 {
		for _, n := range passed {
			t := tally{in: 1, rejected: 1}
			if n.Type == plan.Source || n.Disabled {
				t = tally{in: 1, out: 1}
			}
			sifter.unwanted = append(sifter.unwanted, stepTally{p.byName[n.Address].index, t})
		}
	}
	return sifter
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
