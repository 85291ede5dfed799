package spool

import (
	"context"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// reader reads the log from a position on, as a source does. Several may read
// at the same time.
type reader struct {
	log    *Log
	first  bool         // it is the source's own, by which dropping counts
	cursor int64        // number of the next record
	read   atomic.Int64 // bytes, as Log.written counts
}

// begin sets the reader to the earliest of from that is of this log, else to
// the oldest record.
func (r *reader) begin(from []component.Position) {
	l := r.log
	l.mu.Lock()
	defer l.mu.Unlock()
	r.cursor = l.next
	known := false
	for _, p := range from {
		if p.Generation == l.generation() {
			r.cursor, known = min(r.cursor, p.Offset), true
		}
	}
	if !known {
		r.cursor = l.first()
	}
	if r.first {
		l.read = r.cursor
	}
	at := l.written
	if s, i := l.find(r.cursor); s != nil {
		at = s.blocks[i].end - s.blocks[i].size
	}
	r.read.Store(at)
}

// find is the first block that ends behind number. The caller has l.mu.
func (l *Log) find(number int64) (*segment, int) {
	for _, s := range l.segments {
		if s.after() > number {
			return s, sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].after() > number })
		}
	}
	return nil, 0
}

// run gives the log to out, from the cursor on, until ctx is done or the
// source has come to its end and so has the log.
func (r *reader) run(ctx context.Context, source string, out component.Output) error {
	start := component.NewLot()
	start.Stream = &event.Stream{Source: source, Generation: r.log.generation()}
	start.Position = component.Position{Generation: r.log.generation(), Offset: r.cursor}
	if err := out.Emit(ctx, start); err != nil {
		return nil
	}
	for {
		s, e, err := r.next(ctx)
		if err != nil || s == nil {
			return nil
		}
		for _, lot := range r.lots(ctx, s, e, source) {
			position := lot.Position // the lot is not ours behind Emit
			if err := out.Emit(ctx, lot); err != nil {
				return nil
			}
			r.passed(position.Offset)
		}
		r.passed(e.after())
		r.read.Store(e.end)
	}
}

// passed moves the cursor.
func (r *reader) passed(number int64) {
	r.cursor = max(r.cursor, number)
	if r.first {
		r.log.mu.Lock()
		r.log.read = r.cursor
		r.log.mu.Unlock()
	}
}

// jump moves the cursor over numbers that are in no block, and counts what a
// full log dropped of them: nobody else does. The caller has r.log.mu.
func (r *reader) jump(number int64) {
	if number <= r.cursor {
		return
	}
	l := r.log
	if n := l.numbers.droppedIn(Range{r.cursor, number - 1}); n > 0 {
		l.dropped(string(plan.DropOldest), n)
	}
	r.cursor = number
	if r.first {
		l.read = max(l.read, number)
	}
}

// next waits for the block with the record at the cursor, or the first behind
// it. It is nil at the end.
func (r *reader) next(ctx context.Context) (*segment, extent, error) {
	l := r.log
	for {
		l.mu.Lock()
		s, i := l.find(r.cursor)
		if s != nil {
			e := s.blocks[i]
			r.jump(e.first)
			l.mu.Unlock()
			return s, e, nil
		}
		more, finished := l.more, l.finished
		if finished {
			r.jump(l.next)
		}
		l.mu.Unlock()
		if finished {
			return nil, extent{}, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, extent{}, ctx.Err()
		}
	}
}

// lots are the records of a block from the cursor on, in as many lots as they
// have gaps. What the disk does not give is counted.
func (r *reader) lots(ctx context.Context, s *segment, e extent, source string) []*component.Lot {
	l := r.log
	lot := component.NewLot()
	var raw []byte
	ok := true
	for try := 0; ; try++ {
		var err error
		if raw, ok, err = s.read(l.files, e, lot.Data[:0]); err == nil {
			break
		}
		l.health(err)
		if try == 5 {
			l.log.Error("a block of the queue can't be read", "error", err)
			break
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			lot.Free()
			return nil
		}
	}
	if !ok { // dropped meanwhile
		l.mu.Lock()
		r.jump(e.after())
		l.mu.Unlock()
		lot.Free()
		return nil
	}
	lot.Data = raw
	expect := max(e.first, r.cursor)
	var lots []*component.Lot
	h, ok := l.mark.blockHeader(raw)
	if ok {
		positions := &positions{}
		stream := &event.Stream{Source: source, Generation: h.Generation, File: h.File}
		l.mark.records(raw, &h, func(rec record) {
			if rec.number < r.cursor || rec.number >= e.after() {
				return
			}
			if rec.number > expect {
				l.missed(Range{expect, rec.number - 1})
				if len(lot.Lines) > 0 {
					lots = append(lots, lot)
					lot = component.NewLot()
					lot.Data = append(lot.Data[:0], raw...)
				}
			}
			if len(lot.Lines) == 0 {
				lot.First = rec.number
			}
			if len(rec.position) > 0 {
				positions.add(rec.offset, rec.position)
				stream.Position = positions.at
			}
			lot.Stream, lot.Received, lot.Log = stream, h.Received, l.generation()
			lot.Lines = append(lot.Lines, component.Line{Start: rec.start, End: rec.end, Offset: rec.offset, Failure: rec.failure})
			expect = rec.number + 1
			lot.Position = component.Position{Generation: l.generation(), Offset: expect}
		})
	}
	if expect < e.after() {
		l.missed(Range{expect, e.after() - 1})
	}
	if len(lot.Lines) == 0 {
		lot.Free()
		return lots
	}
	return append(lots, lot)
}

// missed counts what was whole at the start and is not any more.
func (l *Log) missed(r Range) {
	l.mu.Lock()
	news := l.numbers.tell(r)
	l.mu.Unlock()
	if news {
		l.lost(r)
	}
}

// positions are the meta.position of a block's events, by offset.
type positions struct {
	offsets []int64
	raw     [][]byte
}

func (p *positions) add(offset int64, raw []byte) {
	p.offsets, p.raw = append(p.offsets, offset), append(p.raw, slices.Clone(raw))
}

func (p *positions) at(offset int64) document.Value {
	i := slices.Index(p.offsets, offset)
	if i < 0 {
		return document.Value{}
	}
	d, err := document.Parse(p.raw[i])
	if err != nil {
		return document.Value{}
	}
	return d.Root()
}
