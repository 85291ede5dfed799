package spool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

const (
	// batchBytes is how much is written before one sync, at most.
	batchBytes = 8 << 20
	// blockBytes is how large a block may get; the engine takes 64 MiB.
	blockBytes = 4 << 20
	// tooLarge is a record that the engine can't take.
	tooLarge = 60 << 20
	// pauseMin and pauseMax bound the pause before a write is tried again.
	pauseMin, pauseMax = 100 * time.Millisecond, 5 * time.Second
)

// request is a lot on its way to the disk.
type request struct {
	lot   *component.Lot
	bytes int64 // about what it needs
	done  chan struct{}
	left  bool // nobody waits for it any more: it is not tried again
	given bool // it was given up, and is not written
}

// Emit appends the lines of lot, and returns when they are on disk, or a full
// log has dropped them: component.Output. The error is ctx's; the log has taken nothing then.
func (l *Log) Emit(ctx context.Context, lot *component.Lot) error {
	if len(lot.Lines) == 0 {
		settle(lot)
		return nil
	}
	r := &request{lot: lot, bytes: stored(lot), done: make(chan struct{})}
	admitted, err := l.admit(ctx, r)
	if err != nil {
		return err
	}
	if admitted {
		select {
		case <-r.done:
		case <-ctx.Done():
			if l.withdraw(r) {
				return ctx.Err()
			}
			if <-r.done; r.given {
				return ctx.Err()
			}
		}
	}
	settle(lot)
	return nil
}

// settle tells the source that its lot is taken, and frees it.
func settle(lot *component.Lot) {
	if lot.Settled != nil {
		lot.Settled(make([]ack.Outcome, len(lot.Lines)))
	}
	lot.Free()
}

// stored is about what lot needs on disk.
func stored(lot *component.Lot) int64 {
	return int64(len(lot.Data) + len(lot.Lines)*(recordFixed+16) + 2*(headerFixed+100))
}

// admit waits for room in the log, or makes some, and queues r. It is false if
// the log is full and drops the newest.
func (l *Log) admit(ctx context.Context, r *request) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.bytes+l.waiting+r.bytes > l.limits.MaxBytes && l.bytes+l.waiting > 0 {
		if l.forgot >= l.next && l.waiting == 0 && !l.writing {
			l.trim(len(l.segments)) // nothing in it is needed any more
			continue
		}
		switch l.limits.WhenFull {
		case plan.DropNewest:
			l.dropped(string(plan.DropNewest), int64(len(r.lot.Lines)))
			return false, nil
		case plan.DropOldest:
			if len(l.segments) > 1 || len(l.segments) == 1 && !l.writing {
				l.dropOldest()
				continue
			}
		}
		room := l.room
		l.mu.Unlock()
		var err error
		select {
		case <-room:
		case <-ctx.Done():
			err = ctx.Err()
		}
		l.mu.Lock()
		if err != nil {
			return false, err
		}
	}
	l.pending = append(l.pending, r)
	l.waiting += r.bytes
	select {
	case l.kick <- struct{}{}:
	default:
	}
	return true, nil
}

// withdraw takes r out of the queue, if nobody has begun to write it. If
// somebody has, and fails, it is given up.
func (l *Log) withdraw(r *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.left = true
	for i, p := range l.pending {
		if p == r {
			l.pending = append(l.pending[:i:i], l.pending[i+1:]...)
			l.waiting -= r.bytes
			broadcast(&l.room)
			return true
		}
	}
	return false
}

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

// commit is the committer: it writes what waits, as much as there is with one
// sync, until the log is closed. What can't be written is written again in a
// new segment, after a pause.
func (l *Log) commit() {
	pause, failing := pauseMin, false
	for {
		batch := l.take()
		if len(batch) == 0 {
			select {
			case <-l.kick:
				continue
			case <-l.closed:
				return
			}
		}
		err := l.write(batch)
		if err == nil {
			behindSync.Pass()
			for _, r := range batch {
				close(r.done)
			}
			if failing {
				pause, failing = pauseMin, false
				l.log.Info("the queue is written again")
				l.health(nil)
			}
			continue
		}
		l.giveBack(batch)
		if !failing {
			failing = true
			l.log.Error("the queue can't be written: the source waits", "error", err)
		}
		l.health(err)
		select {
		case <-time.After(pause):
			pause = min(2*pause, pauseMax)
		case <-l.closed:
			return
		}
	}
}

// take takes what is written next.
func (l *Log) take() (batch []*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bytes := int64(0)
	for len(l.pending) > 0 && (bytes == 0 || bytes+l.pending[0].bytes <= batchBytes) {
		bytes += l.pending[0].bytes
		batch = append(batch, l.pending[0])
		l.pending = l.pending[1:]
	}
	l.writing = len(batch) > 0
	return batch
}

// giveBack puts what could not be written back to the front.
func (l *Log) giveBack(batch []*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch = slices.DeleteFunc(batch, func(r *request) bool {
		if r.left {
			r.given = true
			l.waiting -= r.bytes
			close(r.done)
		}
		return r.left
	})
	l.pending = append(batch, l.pending...)
	l.writing = false
	broadcast(&l.room)
}

// write appends the lots of batch and syncs once. After an error the segment
// is abandoned, and so are the numbers: nobody knows what of them the disk has.
func (l *Log) write(batch []*request) error {
	l.mu.Lock()
	first, prev := l.next, l.last
	var current *segment
	if n := len(l.segments); n > 0 && l.segments[n-1].writer != nil {
		current = l.segments[n-1]
	}
	limit := l.segmentBytes()
	l.mu.Unlock()

	var blocks [][]byte
	var extents []extent
	next, buffer := first, l.buffer[:0] // the engine copies what it is given
	defer func() { l.buffer = buffer[:0] }()
	for _, r := range batch {
		for _, lines := range l.cut(r.lot) {
			at := len(buffer)
			var err error
			if buffer, err = l.mark.block(buffer, r.lot, lines, next, prev); err != nil {
				return fmt.Errorf("encoding: %w", err)
			}
			b := buffer[at:]
			blocks = append(blocks, b)
			extents = append(extents, extent{first: next, count: int64(len(lines)), size: int64(len(b))})
			next += int64(len(lines))
			prev = next - 1
		}
	}
	if len(blocks) == 0 {
		l.wrote(batch, nil, nil, 0)
		return nil
	}
	if err := l.reserve(next); err != nil {
		return err
	}
	if current != nil && !current.full() && !current.there(l.files) {
		if err := l.removed(current); err != nil {
			return err
		}
	}
	if current == nil || current.full() {
		l.lastID++
		var err error
		if current, err = create(l.files, l.dir, l.lastID, first, limit); err != nil {
			l.skip(next)
			return err
		}
	}
	index := uint64(0)
	if n := len(current.blocks); n > 0 {
		index = uint64(current.blocks[n-1].at) + 1
	} else {
		index = uint64(first)
	}
	for i := range extents {
		extents[i].at = int64(index) + int64(i)
	}
	before := current.bytes()
	if err := current.append(blocks, index); err != nil {
		l.abandon(current, before, next)
		return reason(err)
	}
	l.wrote(batch, current, extents, current.bytes()-before)
	return nil
}

// removed gives up a segment whose file somebody has removed. It can still be
// read, but not by another process; the numbers are stored so that that one counts what is missing.
func (l *Log) removed(s *segment) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.numbers.store(l.state); err != nil {
		return err
	}
	s.abandoned = true
	l.log.Error("a segment of the queue was removed while it is used: what of it is not delivered when this process ends is lost", "segment", s.name)
	return nil
}

// cut gives the lines of a lot in pieces that fit a block each.
func (l *Log) cut(lot *component.Lot) (pieces [][]component.Line) {
	begin, size := 0, 0
	for i := range lot.Lines {
		n := lot.Lines[i].End - lot.Lines[i].Start
		if n > tooLarge {
			if i > begin {
				pieces = append(pieces, lot.Lines[begin:i])
			}
			begin, size = i+1, 0
			l.log.Error("a line is too large for a queue on disk and is dropped", "bytes", n)
			l.dropped("too large", 1)
			continue
		}
		if size += n; size > blockBytes && i > begin {
			pieces = append(pieces, lot.Lines[begin:i])
			begin, size = i, n
		}
	}
	if begin < len(lot.Lines) {
		pieces = append(pieces, lot.Lines[begin:])
	}
	return pieces
}

// reserve makes sure that the numbers before next may be used.
func (l *Log) reserve(next int64) error {
	beforeReserve.Pass()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.numbers.upTo(l.state, next)
}

// wrote makes what was written readable.
func (l *Log) wrote(batch []*request, s *segment, extents []extent, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range batch {
		l.waiting -= r.bytes
	}
	l.writing = false
	if s != nil {
		if n := len(l.segments); n == 0 || l.segments[n-1] != s {
			l.segments = append(l.segments, s)
			bytes = s.bytes()
		}
		for _, e := range extents {
			l.written += e.size
			e.end = l.written
			s.blocks = append(s.blocks, e)
		}
		l.bytes += bytes
		l.last = extents[len(extents)-1].after() - 1
		l.next = l.last + 1
		broadcast(&l.more)
	}
	broadcast(&l.room)
}

// skip gives up the numbers before next.
func (l *Log) skip(next int64) {
	l.mu.Lock()
	l.next = next
	l.mu.Unlock()
}

// abandon ends writing to s, in which a write or a sync has failed: the kernel
// forgets such a failure, and another sync would succeed without anything being on disk.
func (l *Log) abandon(s *segment, before, next int64) {
	beforeAbandon.Pass()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = next
	if len(s.blocks) == 0 {
		if n := len(l.segments); n > 0 && l.segments[n-1] == s {
			l.segments = l.segments[:n-1]
		}
		l.discard(s)
		return
	}
	l.bytes += s.bytes() - before
	s.abandoned = true
	l.log.Warn("a segment of the queue could not be written and is abandoned; its last records are written again in a new one", "segment", s.name)
}

// reason says of a full disk that it is full.
func reason(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("the disk is full: %w", err)
	}
	return fmt.Errorf("appending: %w", err)
}
