package world

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// OS is the world as it is: the machine's files, network and clock.
func OS() World {
	var dialer net.Dialer
	var listen net.ListenConfig
	return World{
		FS:       osFS{},
		Notifier: fsNotifier{},
		Dial:     dialer.DialContext,
		Listen:   listen.Listen,
		Now:      time.Now,
	}
}

// osFS is the machine's file system.
type osFS struct{}

func (osFS) Open(name string) (File, error) { return osFS{}.OpenFile(name, os.O_RDONLY, 0) }

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not f: a nil *os.File in a File is not nil
	}
	return f, nil
}

func (osFS) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (osFS) ReadDir(name string) ([]fs.DirEntry, error)   { return os.ReadDir(name) }
func (osFS) ReadFile(name string) ([]byte, error)         { return os.ReadFile(name) }
func (osFS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (osFS) Rename(from, to string) error                 { return os.Rename(from, to) }
func (osFS) Remove(name string) error                     { return os.Remove(name) }

func (osFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

func (osFS) Identity(info fs.FileInfo) (device, inode uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), s.Ino //nolint:unconvert // Dev is narrower on some systems
	}
	return 0, 0
}

// MakeDirs makes the directory name and all above it, each of which lasts
// when it returns.
func MakeDirs(files FS, name string, perm fs.FileMode) error {
	if _, err := files.Stat(name); err == nil {
		return nil
	}
	parent := filepath.Dir(name)
	if parent != name {
		if err := MakeDirs(files, parent, perm); err != nil {
			return err
		}
	}
	if err := files.MkdirAll(name, perm); err != nil {
		return err
	}
	if err := files.SyncDir(parent); err != nil {
		// Who tries again must not find it made: nobody would sync it then.
		return errors.Join(err, files.Remove(name))
	}
	return nil
}
