// Package world is everything outside the process that the engine and its
// components touch: files, sockets, the clock. They get it from the runtime
// and reach for nothing else, so that a test can give them another one.
package world

import (
	"io"
	"io/fs"
)

// FS is a file system. Names are absolute.
type FS interface {
	Open(name string) (File, error)
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	ReadFile(name string) ([]byte, error)
	MkdirAll(name string, perm fs.FileMode) error
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes what was created, renamed or removed in a directory last.
	SyncDir(name string) error
	// Identity is the device and inode of a file: a hint at which file a name means, never a proof.
	Identity(info fs.FileInfo) (device, inode uint64)
}

// File is an open file.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Seeker
	io.Closer
	Name() string
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

// Notifier says that something happened to files; it may be late, say too much,
// or be blind for some mounts: who uses it also polls.
type Notifier interface {
	// Watch sends the absolute names of changed entries of directory, or its own
	// name when anything in it may have changed, until close is called, which
	// also closes changes. A directory that is removed and comes back must be
	// watched again.
	Watch(directory string) (changes <-chan string, close func(), err error)
}
