package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// open finds out what the log holds and makes it ready. Damage never makes it
// fail; a directory that can't be read or written does.
func (l *Log) open(host *component.Host) error {
	l.opening.Lock()
	defer l.opening.Unlock()
	if l.ready {
		return nil
	}
	l.files, l.dir, l.state, l.log, l.health = host.FS, Dir(host.StateDir), host.State, host.Log, host.Health
	beforeOpen.Pass()
	if err := world.MakeDirs(l.files, l.dir, 0o750); err != nil {
		return fmt.Errorf("opening the queue on disk: %w", err)
	}
	found, err := look(l.files, l.dir, l.state)
	if err != nil {
		return fmt.Errorf("opening the queue on disk: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.adopt(found)
	if err := l.numbers.store(l.state); err != nil {
		return err
	}
	l.ready = true
	l.commits.Go(l.commit)
	return nil
}

// contents is what a look at the files of a log finds.
type contents struct {
	numbers  numbers
	known    bool // the numbers are those that were stored
	mark     mark
	segments []*segment
	damaged  []string // segments with something in them that is not as it was written
	missing  []Range
	last     int64
	bytes    int64 // of all blocks
	next     int64 // above all numbers that were ever used
}

// look reads all segments in dir and walks their numbers.
func look(files world.FS, dir string, state component.State) (*contents, error) {
	c := &contents{}
	c.numbers, c.known = loadNumbers(state)
	all, err := names(files, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if c.numbers.Moving && len(all) == 0 {
		c.numbers = c.numbers.without()
	}
	copy(c.mark[:], c.numbers.Mark)
	var w walk
	if c.known {
		w.expect(c.numbers.First)
	}
	marked := c.known
	var late []string // whose mark is not known yet
	for _, name := range all {
		content, err := files.ReadFile(filepath.Join(dir, name))
		if err != nil {
			c.damaged = append(c.damaged, name)
			continue
		}
		if !marked {
			if c.mark, marked = findMark(content); !marked {
				late = append(late, name)
				continue
			}
		}
		c.add(&w, name, filepath.Join(dir, name), content)
	}
	c.damaged = append(c.damaged, late...)
	if c.numbers.Clean {
		w.end(c.numbers.Last)
	}
	c.last, c.missing = w.last, w.missing
	switch {
	case c.known:
		c.next = max(c.numbers.Reserved, c.last+1)
	case marked:
		c.next = c.last + 1 + unknown
	default:
		c.next, c.last = 1, 0
	}
	return c, nil
}

// add walks one segment.
func (c *contents) add(w *walk, name, path string, content []byte) {
	blocks, damaged := c.mark.scan(content)
	s := &segment{name: path, size: int64(len(content))}
	for i := range blocks {
		b := &blocks[i]
		undone, ok := w.see(b)
		if undone {
			c.undo(b.prev)
			s.blocks = cutAfter(s.blocks, b.prev)
		}
		if !ok || len(b.whole) == 0 {
			continue
		}
		c.bytes += int64(len(b.raw))
		s.blocks = append(s.blocks, extent{first: b.first, count: b.after() - b.first, at: b.at, size: int64(len(b.raw)), end: c.bytes})
	}
	if damaged || len(blocks) == 0 && len(content) > 0 {
		c.damaged = append(c.damaged, name)
	}
	c.segments = append(c.segments, s)
}

// undo forgets the blocks behind number last.
func (c *contents) undo(last int64) {
	for _, s := range c.segments {
		s.blocks = cutAfter(s.blocks, last)
	}
}

func cutAfter(blocks []extent, last int64) []extent {
	for len(blocks) > 0 && blocks[len(blocks)-1].first > last {
		blocks = blocks[:len(blocks)-1]
	}
	return blocks
}

// adopt makes what was found the log, and tells what is not as it should be.
func (l *Log) adopt(c *contents) {
	l.numbers, l.mark = c.numbers, c.mark
	if l.mark == (mark{}) {
		var salt [8]byte
		_, _ = rand.Read(salt[:]) // never fails: it would end the program
		l.mark = newMark(salt)
	}
	l.numbers.Mark, l.numbers.Clean, l.numbers.Moving = l.mark[:], false, false
	l.next, l.last, l.written = c.next, c.last, c.bytes
	l.numbers.Reserved = l.next + reserve
	if !c.known {
		l.numbers.First = c.next
	}
	for _, name := range c.damaged {
		l.setAside(name)
	}
	for _, s := range c.segments {
		if len(s.blocks) == 0 {
			l.discard(s)
			continue
		}
		if !c.known {
			l.numbers.First = min(l.numbers.First, s.blocks[0].first)
		}
		l.segments = append(l.segments, s)
		l.bytes += s.size
	}
	for _, r := range c.missing {
		if l.numbers.tell(r) {
			l.lost(r)
		}
	}
	l.lastID = uint64(len(c.segments))
	if n := l.length(); n > 0 {
		l.log.Info("the queue on disk holds events from before", "events", n, "bytes", l.bytes, "directory", l.dir)
	}
	l.read, l.forgot = l.first(), l.first()
}

// first is the number of the oldest record, that of the next one if there is none.
func (l *Log) first() int64 {
	for _, s := range l.segments {
		if len(s.blocks) > 0 {
			return s.blocks[0].first
		}
	}
	return l.next
}

// length is how many records are in the files, roughly where some are missing.
func (l *Log) length() (n int64) {
	for _, s := range l.segments {
		for i := range s.blocks {
			n += s.blocks[i].count
		}
	}
	return n
}

// setAside copies a damaged segment, once, for who wants to look at it.
func (l *Log) setAside(name string) {
	aside := filepath.Join(l.dir, "damaged", name)
	if _, err := l.files.Stat(aside); err == nil {
		return
	}
	beforeAside.Pass()
	err := l.files.MkdirAll(filepath.Dir(aside), 0o750)
	var content []byte
	if err == nil {
		content, err = l.files.ReadFile(filepath.Join(l.dir, name))
	}
	if err == nil {
		var f world.File
		if f, err = l.files.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640); err == nil {
			_, err = f.Write(content)
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		l.log.Warn("a segment of the queue is not as it was written, and could not be copied aside", "segment", name, "error", err)
		return
	}
	l.log.Warn("a segment of the queue is not as it was written: what is whole in it is used", "segment", name, "copy", aside)
}

// discard removes a segment that holds nothing; one that can't be is tried again at the next start.
func (l *Log) discard(s *segment) {
	if err := s.remove(l.files); err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.log.Warn("a segment of the queue that is done with can't be removed", "segment", s.name, "error", err)
	}
}

// lost tells of records that the disk does not give back.
func (l *Log) lost(r Range) {
	l.log.Error("records of the queue are missing on disk", "numbers", r.String(), "events", r.Count())
	l.dropped(Lost, r.Count())
}
