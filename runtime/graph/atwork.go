package graph

import (
	"maps"
	"slices"
	"sync"
)

// atWork knows whose code the graph is in, by address. It has a lock of its own, so that who asks
// gets an answer when something hangs while it holds the graph's.
type atWork struct {
	mu    sync.Mutex
	calls map[string]int
}

// do calls f, which is address's.
func (a *atWork) do(address string, f func()) {
	a.add(address, 1)
	defer a.add(address, -1)
	f()
}

func (a *atWork) add(address string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls == nil {
		a.calls = map[string]int{}
	}
	if a.calls[address] += n; a.calls[address] == 0 {
		delete(a.calls, address)
	}
}

// AtWork are the addresses of sources, stages and sinks that have not stopped yet, sorted. It never
// waits: after Kill they are those that hang, as in a system call that does not return.
func (g *Graph) AtWork() []string {
	g.atWork.mu.Lock()
	defer g.atWork.mu.Unlock()
	return slices.Sorted(maps.Keys(g.atWork.calls))
}
