package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	engine "github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"github.com/wazuh-etl/etl/runtime/world"
)

// segment is one file of the log: written by this process, or found at its
// start. What was found is only read, by our own headers: the engine would stop
// at the first damaged byte.
type segment struct {
	name   string
	blocks []extent // in order; guarded by the log's lock
	writer types.SegmentWriter
	file   *file // of the writer
	size   int64 // of a found file

	abandoned bool // no more is written

	mu    sync.RWMutex // held for writing to close
	found world.File   // nil while not open
	gone  bool
}

// extent is one block of a segment.
type extent struct {
	first int64
	count int64
	end   int64 // bytes of all blocks of the log up to the end of this one
	at    int64 // where it is in the file; with a writer, its index in the engine
	size  int64 // bytes
}

func (e *extent) after() int64 { return e.first + e.count }

// bytes is how long the file is. The caller has the log's lock, or is the committer.
func (s *segment) bytes() int64 {
	if s.file != nil {
		return s.file.size
	}
	return s.size
}

// after is the number behind the last record, 0 if there is none.
func (s *segment) after() int64 {
	if len(s.blocks) == 0 {
		return 0
	}
	return s.blocks[len(s.blocks)-1].after()
}

// create makes a segment that begins with number first.
func create(files world.FS, dir string, id uint64, first, limit int64) (*segment, error) {
	if err := world.MakeDirs(files, dir, 0o750); err != nil { // who removes it takes what was in it
		return nil, fmt.Errorf("making a segment: %w", err)
	}
	info := types.SegmentInfo{ID: id, BaseIndex: uint64(first), MinIndex: uint64(first), Codec: 1, SizeLimit: uint32(limit)}
	s := &segment{name: filepath.Join(dir, engine.FileName(info))}
	w, err := engine.NewFiler(dir, &disk{files: files, made: &s.file}).Create(info)
	if err != nil {
		s.remove(files)
		return nil, fmt.Errorf("making a segment: %w", err)
	}
	s.writer = w
	return s, nil
}

// append writes entries behind what the segment has, and returns when they
// are durable. After an error nobody may write to the segment again.
func (s *segment) append(blocks [][]byte, index uint64) error {
	entries := make([]types.LogEntry, len(blocks))
	for i, b := range blocks {
		entries[i] = types.LogEntry{Index: index + uint64(i), Data: b}
	}
	return s.writer.Append(entries)
}

// full says whether the engine has sealed the segment.
func (s *segment) full() bool {
	sealed, _, err := s.writer.Sealed()
	return sealed || s.abandoned || err != nil
}

// there says whether the file that is written still has its name.
func (s *segment) there(files world.FS) bool {
	mine, err := s.file.Stat()
	if err != nil {
		return true // who writes to it is told
	}
	named, err := files.Stat(s.name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	device, inode := files.Identity(mine)
	otherDevice, otherInode := files.Identity(named)
	return device == otherDevice && inode == otherInode
}

// read appends the bytes of a block to dst; ok is false if the segment is gone.
func (s *segment) read(files world.FS, e extent, dst []byte) (_ []byte, ok bool, err error) {
	if s.writer == nil {
		if err := s.open(files); err != nil {
			return dst, true, err
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.gone {
		return dst, false, nil
	}
	if s.writer != nil {
		b, err := s.writer.GetLog(uint64(e.at))
		if err != nil {
			return dst, true, fmt.Errorf("reading %s: %w", s.name, err)
		}
		defer b.Close()
		return append(dst, b.Bs...), true, nil
	}
	at := len(dst)
	dst = append(dst, make([]byte, e.size)...)
	if _, err := s.found.ReadAt(dst[at:], e.at); err != nil && err != io.EOF {
		return dst[:at], true, fmt.Errorf("reading %s: %w", s.name, err)
	}
	return dst, true, nil
}

func (s *segment) open(files world.FS) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil && !s.gone {
		if s.found, err = files.Open(s.name); err != nil {
			return fmt.Errorf("opening a segment: %w", err)
		}
	}
	return nil
}

// close ends reading and writing.
func (s *segment) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return
	}
	s.gone = true
	switch {
	case s.writer != nil:
		s.writer.Close()
	case s.file != nil:
		s.file.Close()
	case s.found != nil:
		s.found.Close()
	}
}

func (s *segment) remove(files world.FS) error {
	s.close()
	return files.Remove(s.name)
}

// disk is our file system as the engine sees it: it only ever makes files.
type disk struct {
	files world.FS
	made  **file
}

// Create makes a file whose name lasts. There is no preallocation: a full disk
// is met where it is full.
func (d *disk) Create(dir, name string, _ uint64) (types.WritableFile, error) {
	beforeSegment.Pass()
	f, err := d.files.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, err
	}
	*d.made = &file{File: f}
	beforeEntry.Pass()
	if err := d.files.SyncDir(dir); err != nil {
		return nil, err
	}
	return *d.made, nil
}

// The engine's other needs are those of its recovery, which is not used.

func (d *disk) ListDir(string) ([]string, error) { return nil, os.ErrInvalid }
func (d *disk) Delete(string, string) error      { return os.ErrInvalid }
func (d *disk) OpenReader(string, string) (types.ReadableFile, error) {
	return nil, os.ErrInvalid
}
func (d *disk) OpenWriter(string, string) (types.WritableFile, error) {
	return nil, os.ErrInvalid
}

// file is a segment's file while it is written.
type file struct {
	world.File
	size int64
}

// WriteAt appends: the engine never writes anywhere else, since a segment in
// which a write has failed is abandoned.
func (f *file) WriteAt(p []byte, at int64) (int, error) {
	if at != f.size {
		return 0, fmt.Errorf("writing %s at %d, but it ends at %d", f.Name(), at, f.size)
	}
	if err := beforeWrite.Fail(); err != nil {
		return 0, err
	}
	n, err := f.Write(p)
	f.size += int64(n)
	return n, err
}

// Sync makes what was written last.
func (f *file) Sync() error {
	if err := beforeSync.Fail(); err != nil {
		return err
	}
	return f.File.Sync()
}
