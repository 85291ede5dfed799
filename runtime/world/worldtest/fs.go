package worldtest

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

// FS is a file system in memory with inodes and hard links, and a Notifier of
// its own changes. It is safe for concurrent use.
type FS struct {
	mu       sync.Mutex
	entries  map[string]*node // by absolute name
	durable  map[string]*node // what a crash leaves of entries
	watchers map[*watcher]struct{}
	inodes   uint64
	open     map[*node]int // handles
	reuse    bool
	epoch    int   // counts crashes: handles of an earlier one are dead
	space    int64 // bytes that may still be written; negative: no limit
	fault    func(op Op, name string) error
	blind    bool
}

// node is an inode: a file's bytes, or a directory.
type node struct {
	inode    uint64
	mode     fs.FileMode
	data     []byte
	synced   []byte // what a crash leaves of data
	modified time.Time
}

// NewFS is an empty file system with a root directory.
func NewFS() *FS {
	f := &FS{entries: map[string]*node{}, durable: map[string]*node{}, watchers: map[*watcher]struct{}{}, open: map[*node]int{}, space: -1}
	f.entries["/"] = f.newNode(fs.ModeDir | 0o755)
	f.durable["/"] = f.entries["/"]
	return f
}

func (f *FS) newNode(mode fs.FileMode) *node {
	return &node{inode: f.nextInode(), mode: mode, modified: time.Now()}
}

// ReuseInodes makes each new file get the lowest inode that no file has, as ext4 does: that of a file that is gone.
func (f *FS) ReuseInodes() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reuse = true
}

func (f *FS) nextInode() uint64 {
	if f.reuse {
		used := make([]bool, f.inodes+1)
		for _, names := range []map[string]*node{f.entries, f.durable} {
			for _, n := range names {
				used[n.inode] = true
			}
		}
		for n := range f.open {
			used[n.inode] = true
		}
		for i := uint64(1); i <= f.inodes; i++ {
			if !used[i] {
				return i
			}
		}
	}
	f.inodes++
	return f.inodes
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open opens a file for reading.
func (f *FS) Open(name string) (world.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile opens or makes a file; it knows the flags of package os.
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (world.File, error) {
	name = path.Clean(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(OpOpen, name); err != nil {
		return nil, pathError("open", name, err)
	}
	n := f.entries[name]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, pathError("open", name, syscall.ENOENT)
	case n == nil:
		if err := f.parent(name); err != nil {
			return nil, pathError("open", name, err)
		}
		n = f.newNode(perm)
		f.entries[name] = n
		f.changed(name)
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, pathError("open", name, syscall.EEXIST)
	case n.mode.IsDir() && flag&(os.O_WRONLY|os.O_RDWR) != 0:
		return nil, pathError("open", name, syscall.EISDIR)
	}
	if flag&os.O_TRUNC != 0 {
		f.resize(n, 0)
		f.changed(name)
	}
	f.open[n]++
	return &file{fs: f, node: n, name: name, flag: flag, epoch: f.epoch}, nil
}

// parent says whether name can be made where it is.
func (f *FS) parent(name string) error {
	switch d := f.entries[path.Dir(name)]; {
	case d == nil:
		return syscall.ENOENT
	case !d.mode.IsDir():
		return syscall.ENOTDIR
	}
	return nil
}

// Stat describes what name means now.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	name = path.Clean(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(OpStat, name); err != nil {
		return nil, pathError("stat", name, err)
	}
	n := f.entries[name]
	if n == nil {
		return nil, pathError("stat", name, syscall.ENOENT)
	}
	return n.info(name), nil
}

// ReadDir lists a directory, sorted.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	name = path.Clean(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.entries[name]; n == nil {
		return nil, pathError("open", name, syscall.ENOENT)
	} else if !n.mode.IsDir() {
		return nil, pathError("readdir", name, syscall.ENOTDIR)
	}
	var list []fs.DirEntry
	for _, entry := range slices.Sorted(maps.Keys(f.entries)) {
		if entry != "/" && path.Dir(entry) == name {
			list = append(list, fs.FileInfoToDirEntry(f.entries[entry].info(entry)))
		}
	}
	return list, nil
}

// ReadFile is all bytes of a file.
func (f *FS) ReadFile(name string) ([]byte, error) {
	h, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return io.ReadAll(h)
}

// MkdirAll makes a directory and those above it.
func (f *FS) MkdirAll(name string, perm fs.FileMode) error {
	name = path.Clean(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(OpMkdir, name); err != nil {
		return pathError("mkdir", name, err)
	}
	for i := 1; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if n := f.entries[name[:i]]; n == nil {
			f.entries[name[:i]] = f.newNode(fs.ModeDir | perm)
			f.changed(name[:i])
		} else if !n.mode.IsDir() {
			return pathError("mkdir", name[:i], syscall.ENOTDIR)
		}
	}
	return nil
}

// Rename gives a file another name; a file that had that name loses it.
func (f *FS) Rename(from, to string) error {
	from, to = path.Clean(from), path.Clean(to)
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.entries[from]
	err := f.check(OpRename, from)
	if err == nil && n == nil {
		err = syscall.ENOENT
	}
	if err == nil {
		err = f.parent(to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	if n.mode.IsDir() {
		for name, child := range maps.Clone(f.entries) {
			if rest, ok := strings.CutPrefix(name, from+"/"); ok {
				delete(f.entries, name)
				f.entries[to+"/"+rest] = child
			}
		}
	}
	delete(f.entries, from)
	f.entries[to] = n
	f.changed(from)
	f.changed(to)
	return nil
}

// Remove takes a name away; the file lives on while it has another or is open.
func (f *FS) Remove(name string) error {
	name = path.Clean(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(OpRemove, name); err != nil {
		return pathError("remove", name, err)
	}
	n := f.entries[name]
	if n == nil {
		return pathError("remove", name, syscall.ENOENT)
	}
	if n.mode.IsDir() {
		for entry := range f.entries {
			if strings.HasPrefix(entry, name+"/") {
				return pathError("remove", name, syscall.ENOTEMPTY)
			}
		}
	}
	delete(f.entries, name)
	f.changed(name)
	return nil
}

// Link gives a file a second name.
func (f *FS) Link(from, to string) error {
	from, to = path.Clean(from), path.Clean(to)
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.entries[from]
	if n == nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.ENOENT}
	}
	if f.entries[to] != nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EEXIST}
	}
	f.entries[to] = n
	f.changed(to)
	return nil
}

// SyncDir makes the entries of a directory outlive a crash as they are now.
func (f *FS) SyncDir(name string) error {
	name = path.Clean(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(OpSyncDir, name); err != nil {
		return pathError("sync", name, err)
	}
	if f.entries[name] == nil {
		return pathError("sync", name, syscall.ENOENT)
	}
	maps.DeleteFunc(f.durable, func(entry string, _ *node) bool { return entry != "/" && path.Dir(entry) == name })
	for entry, n := range f.entries {
		if path.Dir(entry) == name {
			f.durable[entry] = n
		}
	}
	return nil
}

// Identity is 1 and the inode.
func (f *FS) Identity(info fs.FileInfo) (device, inode uint64) {
	if i, ok := info.(fileInfo); ok {
		return 1, i.inode
	}
	return 0, 0
}

func (n *node) info(name string) fileInfo {
	return fileInfo{name: path.Base(name), inode: n.inode, mode: n.mode, size: int64(len(n.data)), modified: n.modified}
}

// fileInfo is a node as it was when it was looked at.
type fileInfo struct {
	name     string
	inode    uint64
	mode     fs.FileMode
	size     int64
	modified time.Time
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return i.modified }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }
