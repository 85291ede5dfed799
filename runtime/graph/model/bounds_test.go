// Package model is the delivery protocol of the engine and of source "file" as
// a small state machine, and a search that visits every state of it.
//
// A state is what is on disk and at the targets (durable), what a process holds
// in memory (volatile), and what an oracle knows. From each state every step
// is taken that anybody could take next: the writer, who rotates, the source, each
// target, the checkpoint, the operator, and the crash, which is possible
// everywhere. The invariants hold in every state (oracle_test.go). That the search can fail is shown by
// faults planted in the protocol (faults_test.go).
package model

// bounds are how large a world is, and what may happen in it.
type bounds struct {
	lines       int   // that the writer writes
	generations uint8 // of the file
	lot         int   // most lines of a lot
	feed        int   // lots behind the source
	queue       int   // events before each sink
	window      int   // messages that target A has at a time

	plain bool // A and B only: no B2, no dead letters

	bad    int // line that is no event: source.errors, to the dead letters; 0: none
	poison int // line that target A refuses: A.errors, to the dead letters; 0: none

	startAtEnd bool // start_at = "end", with one line in the file
	halves     bool // lines are written in two steps
	compress   bool // rotated files are compressed
	copies     bool // rotation copies and truncates, instead of renaming
	deletes    bool // the oldest rotated file may be removed
	cut        bool // connections to targets break with unknown outcome
	torn       bool // writing a checkpoint takes time
	lazy       bool // the dispatcher takes its steps late, too
	detach     bool // a full sink A is detached, and reads for itself

	reloads uint8 // in all
	replace bool  // sink A is replaced
	remove  bool  // sink A is removed
	add     bool  // sink C is added
	source  bool  // the source is replaced
	move    bool  // by one that reads another file
}

// bitset is a set of lines; line n is bit n-1.
type bitset uint8

func one(line int) bitset {
	if line == 0 {
		return 0
	}
	return 1 << (line - 1)
}

// upTo is the lines 1 to n.
func upTo(n int) bitset { return 1<<n - 1 }

func (b bitset) has(line int) bool { return b&one(line) != 0 }

// first is the lowest line, 0 if there is none.
func (b bitset) first() int {
	for line := 1; line <= maxLines; line++ {
		if b.has(line) {
			return line
		}
	}
	return 0
}

const maxLines = 7

// fifo is up to eight small numbers in order, four bits each, the oldest lowest.
type fifo uint32

func (f fifo) len() (n int) {
	for ; f != 0; f >>= 4 {
		n++
	}
	return n
}

func (f fifo) front() int { return int(f & 15) }

func (f fifo) pop() fifo { return f >> 4 }

func (f fifo) push(n int) fifo { return f | fifo(n)<<(4*f.len()) }

func (f fifo) pushFront(n int) fifo { return f<<4 | fifo(n) }

// lines is what f holds as a set, bit 3 of its numbers left out.
func (f fifo) lines() (b bitset) {
	for ; f != 0; f >>= 4 {
		b |= one(int(f & 7))
	}
	return b
}
