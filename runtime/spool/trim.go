package spool

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// dropOldest gives up the oldest segment. What the reader has had of it is on
// its way: who has to read it again all the same counts it. The caller has l.mu.
func (l *Log) dropOldest() {
	n := int64(0)
	for _, e := range l.segments[0].blocks {
		if e.after() > l.read {
			n += e.after() - max(e.first, l.read)
		}
		if had := (Range{max(e.first, l.forgot), min(e.after(), l.read) - 1}); had.Count() > 0 {
			l.numbers.drop(had)
		}
	}
	l.trim(1)
	if n > 0 {
		l.dropped(string(plan.DropOldest), n)
	}
}

// trim removes the oldest n segments. The caller has l.mu, and none of them is being written.
func (l *Log) trim(n int) {
	beforeTrim.Pass()
	gone := l.segments[:n]
	l.segments = l.segments[n:]
	if len(gone) == 0 {
		return
	}
	// What is not expected any more is stored first: a segment that is there
	// all the same after a crash is whole, one that is missing would be a gap.
	if err := l.numbers.from(l.state, l.first()); err != nil {
		l.log.Warn("segments of the queue are removed without a note of it: the next start may report them missing", "error", err)
	}
	for _, s := range gone {
		beforeRemove.Pass()
		l.bytes -= s.bytes()
		l.discard(s)
	}
	behindRemove.Pass()
	broadcast(&l.room)
}

// Forget says that all sinks are past the positions before p: their segments are removed.
func (l *Log) Forget(p component.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isOpen() || p.Generation != l.generation() || p.Offset <= l.forgot {
		return
	}
	l.forgot = p.Offset
	l.numbers.past(l.forgot)
	n := 0
	for n < len(l.segments) && l.segments[n].after() <= l.forgot {
		n++
	}
	if n == len(l.segments) && n > 0 && (l.writing || l.segments[n-1].bytes() < l.segmentBytes()/2) {
		n-- // the last one is written on
	}
	if n > 0 {
		l.trim(n)
	}
	broadcast(&l.room) // who waits looks whether the whole log may go
}

func (l *Log) isOpen() bool { return l.mark != (mark{}) }
