package spool

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/world"
)

// Range is numbers of records, both ends included.
type Range struct{ From, To int64 }

// Count is how many they are.
func (r Range) Count() int64 { return r.To - r.From + 1 }

func (r Range) String() string {
	if r.From == r.To {
		return fmt.Sprint(r.From)
	}
	return fmt.Sprintf("%d-%d", r.From, r.To)
}

const suffix = ".wal"

// names are the segments in dir, oldest first: their names begin with the
// number of their first record.
func names(files world.FS, dir string) (names []string, err error) {
	entries, err := files.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// block is a block as a scan finds it.
type block struct {
	header
	at      int64
	raw     []byte
	whole   []Range // numbers of the records that are whole
	torn    bool    // its end was never written
	damaged bool
}

// scan finds the blocks in the content of a segment. It goes by our headers
// only: whatever else is damaged hides nothing. damaged says that something of
// ours is not as it was written.
func (m *mark) scan(content []byte) (blocks []block, damaged bool) {
	for at := 0; ; {
		i := bytes.Index(content[at:], m[:])
		if i < 0 {
			return blocks, damaged
		}
		at += i
		b := block{at: int64(at)}
		if h, _, ok := m.readHeader(content[at:], 'B'); ok {
			b.header = h
			end := at + h.size
			if end > len(content) || !m.endsAt(content, end, &h) {
				b.torn, b.damaged = m.unwritten(content, at, h.size), true
				end = min(end, len(content))
			}
			b.raw = content[at:end]
			at = end
		} else if h, n, ok := m.readHeader(content[at:], 'E'); ok && at+n >= h.size { // its begin is damaged
			b.header, b.damaged = h, true
			b.at = int64(at + n - h.size)
			b.raw = content[b.at : at+n]
			at += n
		} else {
			damaged = true
			at++
			continue
		}
		b.look(m)
		damaged = damaged || b.damaged
		blocks = append(blocks, b)
	}
}

// endsAt says whether the end of h's block is whole.
func (m *mark) endsAt(content []byte, end int, h *header) bool {
	i := bytes.LastIndex(content[:end], m[:])
	if i < 0 {
		return false
	}
	e, n, ok := m.readHeader(content[i:end], 'E')
	return ok && i+n == end && e.first == h.first
}

// unwritten says whether a write was cut off before the end of the block at
// at: then nothing is there but zeros, or nothing at all.
func (m *mark) unwritten(content []byte, at, size int) bool {
	if at+size > len(content) {
		return true
	}
	last := content[at+size-4 : at+size] // the checksum of its end
	return bytes.Equal(last, make([]byte, 4)) && len(bytes.Trim(content[at+size:], "\x00")) == 0
}

// after is the number behind the block's last record.
func (b *block) after() int64 {
	if !b.torn {
		return b.first + int64(b.count)
	}
	if len(b.whole) == 0 {
		return b.first
	}
	return b.whole[len(b.whole)-1].To + 1 // what was not written was not acknowledged
}

// look finds out which records are whole.
func (b *block) look(m *mark) {
	n := int64(0)
	m.records(b.raw, &b.header, func(r record) {
		n++
		if last := len(b.whole) - 1; last >= 0 && b.whole[last].To == r.number-1 {
			b.whole[last].To = r.number
			return
		}
		b.whole = append(b.whole, Range{r.number, r.number})
	})
	b.damaged = b.damaged || n < int64(b.count)
}

// findMark finds the mark of the log in the content of a segment whose state is
// lost: the engine's header and that of its first entry are before it.
func findMark(content []byte) (m mark, ok bool) {
	const first = 32 + 8
	for _, at := range []int{first, bytes.Index(content, []byte("etq1"))} {
		if at < 0 || len(content) < at+markLen {
			continue
		}
		copy(m[:], content[at:])
		if blocks, _ := m.scan(content); len(blocks) > 0 {
			return m, true
		}
	}
	return mark{}, false
}

// walk goes through the segments' blocks in order and tells what counts: which
// blocks are to be read, and which numbers are missing.
type walk struct {
	started bool
	last    int64   // the last number accounted for
	missing []Range // in order
}

// expect says that records from first on should be there.
func (w *walk) expect(first int64) { w.started, w.last = true, first-1 }

// see takes the next block. undone says that blocks before it with numbers
// above b.prev were never acknowledged, and written again as this one and
// those behind it; ok that the block is none that was seen before.
func (w *walk) see(b *block) (undone, ok bool) {
	if !w.started {
		w.expect(b.prev + 1)
	}
	if b.first <= w.last && b.prev >= w.last {
		return false, false
	}
	if b.prev < w.last {
		if b.first <= w.last {
			return false, false
		}
		undone = true
		w.cut(b.prev + 1)
	}
	w.miss(w.last+1, b.prev)
	at := b.first
	for _, r := range b.whole {
		w.miss(at, r.From-1)
		at = r.To + 1
	}
	w.last = b.after() - 1
	w.miss(at, w.last)
	return undone, true
}

// end says which record is the last one that should be there.
func (w *walk) end(last int64) {
	if w.started {
		w.miss(w.last+1, last)
		w.last = max(w.last, last)
	}
}

func (w *walk) miss(from, to int64) {
	if from > to {
		return
	}
	if n := len(w.missing) - 1; n >= 0 && w.missing[n].To == from-1 {
		w.missing[n].To = to
		return
	}
	w.missing = append(w.missing, Range{from, to})
}

// cut forgets what is missing from number on.
func (w *walk) cut(number int64) {
	for n := len(w.missing) - 1; n >= 0 && w.missing[n].To >= number; n-- {
		if w.missing[n].From < number {
			w.missing[n].To = number - 1
			return
		}
		w.missing = w.missing[:n]
	}
}
