package graph

import "sync"

// running counts the sources at work. When none is left the graph has come to
// its end; a reload counts as one while it changes them.
type running struct {
	mu    sync.Mutex
	n     int
	over  bool
	ended chan struct{} // closed when the last one is done
}

func newRunning() *running { return &running{ended: make(chan struct{})} }

// add counts one more; it is too late when all have ended.
func (r *running) add() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	r.n++
	return true
}

// during calls do, with the graph kept from its end meanwhile; it is too late
// when all have ended.
func (r *running) during(do func()) bool {
	if !r.add() {
		return false
	}
	defer r.done()
	do()
	return true
}

func (r *running) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n--; r.n == 0 {
		r.over = true
		close(r.ended)
	}
}
