package graph

import "time"

// pace is how much a target gets at a time: messages and bytes of a batch,
// batches at once. All of it falls when the target is in trouble and rises with
// what the target takes.
type pace struct {
	messages int // the most in a batch
	bytes    int64
	lanes    int // the most batches at once

	batch  int // what these are now
	room   int64
	open   int
	streak int           // deliveries since open changed
	slow   bool          // one of these was
	best   time.Duration // that a full batch took, forgotten slowly
}

// slower is how many times longer than the best a full batch must take for the
// target to count as overloaded.
const slower = 4

func newPace(messages int, bytes int64, lanes int) pace {
	messages, lanes = max(messages, 1), max(lanes, 1)
	return pace{messages: messages, bytes: bytes, lanes: lanes, batch: messages, room: bytes, open: 1}
}

// taken notes that the target took n messages of size bytes.
func (p *pace) taken(n int, size int64, took time.Duration) {
	// Only batches of the same size can be compared, and where less than that
	// waits, another lane would have nothing to carry.
	full := p.batch == p.messages && (n >= p.batch || size >= p.room/2)
	p.batch = min(2*p.batch, p.messages)
	p.room = min(p.room+p.room/8+1, p.bytes)
	if p.lanes == 1 || !full {
		return
	}
	p.slow = p.slow || p.best > 0 && took > slower*p.best
	if p.best == 0 || took < p.best {
		p.best = took
	} else {
		p.best += p.best / 64
	}
	if p.streak++; p.streak < p.open {
		return
	}
	if p.slow {
		p.open = max(p.open/2, 1)
	} else {
		p.open = min(p.open+1, p.lanes)
	}
	p.streak, p.slow = 0, false
}

// troubled notes that the target did not take n messages. A broken circuit
// lets only one message through.
func (p *pace) troubled(n int, broken bool) {
	p.batch, p.open = max(min(p.batch, n)/2, 1), max(p.open/2, 1)
	p.streak, p.slow = 0, false
	if broken {
		p.batch, p.open = 1, 1
	}
}

// tooLarge notes that size bytes are too much at a time.
func (p *pace) tooLarge(size int64) { p.room = max(min(p.room, size)/2, 1) }
