// Package tally adds up what the schedules of a chaos suite come to, and prints it.
package tally

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Verdict is what is wrong, in events; and how often events came again, and might have.
type Verdict struct {
	Lost, Phantom, Damaged, Reordered, Duplicated int
	Again, Bound                                  int
}

// Result is what one schedule came to, or several together, by kinds of fault.
type Result[K ~string] struct {
	Events, Runs  int       // runs of the process
	Strikes, Idle map[K]int // faults that struck while events were in flight, and while none were
	Verdict       Verdict
}

// Add takes in another result.
func (r *Result[K]) Add(o Result[K]) {
	r.Events += o.Events
	r.Runs += o.Runs
	r.Strikes, r.Idle = sum(r.Strikes, o.Strikes), sum(r.Idle, o.Idle)
	a, b := &r.Verdict, o.Verdict
	a.Lost, a.Phantom, a.Damaged, a.Reordered, a.Duplicated = a.Lost+b.Lost, a.Phantom+b.Phantom, a.Damaged+b.Damaged, a.Reordered+b.Reordered, a.Duplicated+b.Duplicated
	a.Again, a.Bound = a.Again+b.Again, a.Bound+b.Bound
}

func sum[K ~string](a, b map[K]int) map[K]int {
	all := maps.Clone(a)
	if all == nil {
		all = map[K]int{}
	}
	for k, n := range b {
		all[k] += n
	}
	return all
}

// Print says what is wrong, and how often each kind of fault struck: those of kinds, which
// may be nil, and all others that did.
func (r *Result[K]) Print(w io.Writer, kinds []K) {
	v := r.Verdict
	fmt.Fprintf(w, "lost %d, phantom %d, damaged %d, reordered %d, duplicated beyond the bound %d (%d within it, which was %d)\n",
		v.Lost, v.Phantom, v.Damaged, v.Reordered, v.Duplicated, v.Again-v.Duplicated, v.Bound)
	fmt.Fprintln(w, "faults that struck while events were in flight, and while none were:")
	others := maps.Clone(sum(r.Strikes, r.Idle))
	for _, k := range kinds {
		delete(others, k)
	}
	for _, k := range slices.Concat(kinds, slices.Sorted(maps.Keys(others))) {
		fmt.Fprintf(w, "  %-18s %6d %6d\n", k, r.Strikes[k], r.Idle[k])
	}
}
