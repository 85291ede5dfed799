package spool

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Store is the log of a source as it is on disk: for who looks at it from
// outside. Looking changes nothing.
type Store struct {
	Records int64 // that are there
	Bytes   int64 // of the files
	// First and Last are the numbers of the oldest and the newest record.
	First, Last    int64
	Oldest, Newest time.Time // when they were received
	Missing        []Range   // numbers that should be there
	Generation     string    // of positions in the log

	files    world.FS
	dir      string
	contents *contents
}

// Record is one record as it is stored.
type Record struct {
	Number   int64           `json:"number"`
	ID       string          `json:"id"` // of the event
	Received time.Time       `json:"received"`
	File     string          `json:"file,omitempty"`
	Position json.RawMessage `json:"position,omitempty"`
	Failure  *event.Failure  `json:"error,omitempty"`
	Text     string          `json:"text"` // the bytes it came as
}

// Look looks at the log of the component with this state directory and state.
// The error is fs.ErrNotExist if it has none.
func Look(files world.FS, stateDir string, state component.State) (*Store, error) {
	dir := Dir(stateDir)
	if _, err := files.Stat(dir); err != nil {
		return nil, err
	}
	c, err := look(files, dir, state)
	if err != nil {
		return nil, err
	}
	l := Log{mark: c.mark}
	s := &Store{files: files, dir: dir, contents: c, Missing: c.missing, Generation: l.generation()}
	for _, segment := range c.segments {
		s.Bytes += segment.size
	}
	return s, s.Each(func(r *Record) error {
		if s.Records++; s.Records == 1 {
			s.First, s.Oldest = r.Number, r.Received
		}
		s.Last, s.Newest = r.Number, r.Received
		return nil
	})
}

// Behind counts the records that a sink which stands at p has still to get: all
// of them if p is in another log.
func (s *Store) Behind(p component.Position) (n int64, err error) {
	if p.Generation != s.Generation {
		return s.Records, nil
	}
	return n, s.Each(func(r *Record) error {
		if r.Number >= p.Offset {
			n++
		}
		return nil
	})
}

// Confirm keeps of Missing what another look, made later, misses too: a process at work
// may have removed segments, and written on, between what the first one read.
func (s *Store) Confirm(later *Store) {
	s.Missing = slices.DeleteFunc(s.Missing, func(r Range) bool { return !slices.Contains(later.Missing, r) })
}

// Each gives every record in order. The record is good until give returns.
func (s *Store) Each(give func(*Record) error) error {
	for _, segment := range s.contents.segments {
		var raw []byte
		for _, e := range segment.blocks {
			var err error
			if raw, _, err = segment.read(s.files, e, raw[:0]); errors.Is(err, fs.ErrNotExist) {
				break // who runs the pipeline has removed it: all sinks have it
			} else if err != nil {
				return err
			}
			if err := s.block(raw, e, give); err != nil {
				return err
			}
		}
		segment.mu.Lock()
		if segment.found != nil {
			segment.found.Close()
			segment.found = nil
		}
		segment.mu.Unlock()
	}
	return nil
}

func (s *Store) block(raw []byte, e extent, give func(*Record) error) (err error) {
	h, ok := s.contents.mark.blockHeader(raw)
	if !ok {
		return nil
	}
	s.contents.mark.records(raw, &h, func(r record) {
		if err != nil || r.number >= e.after() {
			return
		}
		err = give(&Record{
			Number: r.number, ID: h.Generation + "@" + strconv.FormatInt(r.offset, 10), Received: h.Received, File: h.File,
			Position: r.position, Failure: r.failure, Text: string(raw[r.start:r.end]),
		})
	})
	return err
}

// Drop removes all records. Numbers go on where they are; the caller has made
// sure that no process uses the log.
func (s *Store) Drop(state component.State) error {
	n := s.contents.numbers
	n.Mark, n.Clean, n.Told = s.contents.mark[:], false, nil
	n.First, n.Reserved = s.contents.next, s.contents.next
	if err := n.store(state); err != nil {
		return err
	}
	all, err := names(s.files, s.dir)
	for _, name := range all {
		if e := s.files.Remove(filepath.Join(s.dir, name)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, s.files.SyncDir(s.dir))
}
