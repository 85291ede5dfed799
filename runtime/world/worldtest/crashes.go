package worldtest

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
)

// Crash is what the disk may hold after power was lost, or the process killed.
type Crash struct {
	What  string // for people: behind which operation, and what became of what was not synced
	Marks int    // promises that were made before
	FS    *FS
}

// Crashes are the disks that a loss of power may leave, behind each of the
// operations that were recorded: what was synced is there, and of the rest nothing, all, or parts: the
// last write torn at either end or in the middle of it, earlier writes missing while later ones
// are there. So for data and for entries of directories. Behind each stands the disk that is left when
// only the process is killed.
func (r *Recorder) Crashes() iter.Seq[Crash] {
	return func(yield func(Crash) bool) {
		d := newDisk()
		for i, o := range r.operations {
			d.apply(o)
			for _, l := range landings {
				for _, entries := range []string{"entries synced", "all entries"} {
					c := Crash{Marks: o.marks, What: fmt.Sprintf("behind operation %d, %s of %s: %s, %s", i, o.op, o.name, l.what, entries)}
					c.FS = d.left(l.lands, entries == "all entries")
					if !yield(c) {
						return
					}
				}
			}
		}
	}
}

// landings say which bytes of the changes that wait for a sync are on the disk
// all the same: the first from and those behind to of the n-th of all are not.
var landings = []struct {
	what  string
	lands func(n, all, size int) (from, to int)
}{
	{"nothing unsynced", func(_, _, _ int) (int, int) { return 0, 0 }},
	{"everything", func(_, _, size int) (int, int) { return 0, size }},
	{"the last write torn at its end", func(n, all, size int) (int, int) {
		if n == all-1 {
			return 0, size / 2
		}
		return 0, size
	}},
	{"the last write torn in a header", func(n, all, size int) (int, int) {
		if n == all-1 {
			return 0, min(size, 13)
		}
		return 0, size
	}},
	{"the last write torn at its beginning", func(n, all, size int) (int, int) {
		if n == all-1 {
			return size / 2, size
		}
		return 0, size
	}},
	{"only the last write", func(n, all, size int) (int, int) {
		if n == all-1 {
			return 0, size
		}
		return 0, 0
	}},
}

// disk is the file system as it is, and as it is on the disk.
type disk struct {
	entries, durable map[string]uint64 // inode by name; 0 is a directory
	files            map[uint64]*content
}

// content is a file: what is on the disk, and the changes that wait for a sync.
type content struct {
	synced  []byte
	changes []operation
}

func newDisk() *disk {
	return &disk{entries: map[string]uint64{}, durable: map[string]uint64{}, files: map[uint64]*content{}}
}

func (d *disk) apply(o operation) {
	switch o.op {
	case OpOpen:
		d.entries[o.name] = o.inode
		d.files[o.inode] = &content{}
	case OpMkdir:
		for name := o.name; name != "/"; name = path.Dir(name) {
			d.entries[name] = 0
		}
	case OpWrite, OpTruncate:
		d.files[o.inode].changes = append(d.files[o.inode].changes, o)
	case OpSync:
		f := d.files[o.inode]
		f.synced, f.changes = f.left(landings[1].lands), nil
	case OpSyncDir:
		maps.DeleteFunc(d.durable, func(name string, _ uint64) bool { return path.Dir(name) == o.name })
		for name, inode := range d.entries {
			if path.Dir(name) == o.name {
				d.durable[name] = inode
			}
		}
	case OpRename:
		d.entries[o.to] = d.entries[o.name]
		delete(d.entries, o.name)
	case OpRemove:
		delete(d.entries, o.name)
	}
}

// left is the content after a crash.
func (c *content) left(lands func(n, all, size int) (from, to int)) []byte {
	data := slices.Clone(c.synced)
	for n, o := range c.changes {
		if o.op == OpTruncate {
			if from, to := lands(n, len(c.changes), 1); from == 0 && to == 1 {
				data = append(data[:min(o.at, int64(len(data)))], make([]byte, max(0, o.at-int64(len(data))))...)
			}
			continue
		}
		from, to := lands(n, len(c.changes), len(o.data))
		if from == to {
			continue
		}
		if end := o.at + int64(to); end > int64(len(data)) {
			data = append(data, make([]byte, end-int64(len(data)))...)
		}
		copy(data[o.at+int64(from):], o.data[from:to])
	}
	return data
}

// left is the file system after a crash.
func (d *disk) left(lands func(n, all, size int) (from, to int), all bool) *FS {
	entries := d.durable
	if all {
		entries = d.entries
	}
	files := NewFS()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		inode := entries[name]
		if _, err := files.Stat(path.Dir(name)); err != nil {
			continue // the directory above it is gone
		}
		if inode == 0 {
			inMemory(files.MkdirAll(name, 0o750))
		} else {
			f, err := files.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o640)
			inMemory(err)
			_, err = f.Write(d.files[inode].left(lands))
			inMemory(err)
			inMemory(f.Sync())
			inMemory(f.Close())
		}
		inMemory(files.SyncDir(path.Dir(name)))
	}
	return files
}

// inMemory is for what can't fail in memory.
func inMemory(err error) {
	if err != nil {
		panic(err)
	}
}
