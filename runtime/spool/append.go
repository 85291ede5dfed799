package spool

import (
	"fmt"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
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
