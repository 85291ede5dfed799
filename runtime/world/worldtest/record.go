package worldtest

import (
	"io/fs"
	"os"
	"path"
	"sync"

	"github.com/wazuh-etl/etl/runtime/world"
)

// Recorder is a file system in memory that notes what is done to it, so that
// every moment of it can be the one at which the power is lost: see Crashes.
type Recorder struct {
	*FS
	mu         sync.Mutex // held over an operation and its note
	operations []operation
	marks      int
}

// operation is one change.
type operation struct {
	op       Op
	name, to string // to: of a rename
	inode    uint64 // of the file that is made, written, truncated or synced
	at       int64  // of a write; the size of a truncation
	data     []byte
	marks    int // there were before it
}

// Record is a new recorder.
func Record() *Recorder { return &Recorder{FS: NewFS()} }

// Mark notes that something was promised.
func (r *Recorder) Mark() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks++
}

// do does an operation and notes it, if it has changed anything.
func (r *Recorder) do(o operation, do func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := do()
	if err == nil {
		r.note(o)
	}
	return err
}

func (r *Recorder) note(o operation) {
	o.name, o.to, o.marks = path.Clean(o.name), path.Clean(o.to), r.marks
	r.operations = append(r.operations, o)
}

// Open opens a file for reading.
func (r *Recorder) Open(name string) (world.File, error) { return r.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile opens or makes a file.
func (r *Recorder) OpenFile(name string, flag int, perm fs.FileMode) (world.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, missing := r.Stat(name)
	f, err := r.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	h := &recorded{file: f.(*file), recorder: r}
	_, h.inode = r.Identity(info)
	switch {
	case missing != nil:
		r.note(operation{op: OpOpen, name: name, inode: h.inode})
	case flag&os.O_TRUNC != 0:
		r.note(operation{op: OpTruncate, name: name, inode: h.inode})
	}
	return h, nil
}

// MkdirAll makes a directory and those above it.
func (r *Recorder) MkdirAll(name string, perm fs.FileMode) error {
	return r.do(operation{op: OpMkdir, name: name}, func() error { return r.FS.MkdirAll(name, perm) })
}

// Rename gives a file another name.
func (r *Recorder) Rename(from, to string) error {
	return r.do(operation{op: OpRename, name: from, to: to}, func() error { return r.FS.Rename(from, to) })
}

// Remove takes a name away.
func (r *Recorder) Remove(name string) error {
	return r.do(operation{op: OpRemove, name: name}, func() error { return r.FS.Remove(name) })
}

// SyncDir makes the entries of a directory last.
func (r *Recorder) SyncDir(name string) error {
	return r.do(operation{op: OpSyncDir, name: name}, func() error { return r.FS.SyncDir(name) })
}

// recorded is a handle whose operations are noted.
type recorded struct {
	*file
	recorder *Recorder
	inode    uint64
}

func (h *recorded) Write(p []byte) (n int, err error) {
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	n, err = h.file.Write(p)
	if n > 0 {
		at := h.file.at - int64(n)
		h.recorder.note(operation{op: OpWrite, name: h.name, inode: h.inode, at: at, data: append([]byte(nil), p[:n]...)})
	}
	return n, err
}

func (h *recorded) Sync() error {
	return h.recorder.do(operation{op: OpSync, name: h.name, inode: h.inode}, h.file.Sync)
}

func (h *recorded) Truncate(size int64) error {
	return h.recorder.do(operation{op: OpTruncate, name: h.name, inode: h.inode, at: size}, func() error { return h.file.Truncate(size) })
}
