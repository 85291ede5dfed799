// Package linefile appends lines to a file so that a crash leaves whole lines
// only, and what Append has returned for is there to stay. A component may
// import it.
package linefile

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/wazuh-etl/etl/runtime/failpoint"
	"github.com/wazuh-etl/etl/runtime/world"
)

// The points at which a process may be killed, or an operation fail.
var (
	beforeOpen     = failpoint.New("file.open")
	beforeCut      = failpoint.New("file.cut")
	beforeEntry    = failpoint.New("file.directory")
	beforeWrite    = failpoint.New("file.write")
	beforeSync     = failpoint.New("file.sync")
	behindSync     = failpoint.New("file.synced")
	beforeUndo     = failpoint.New("file.undo")
	beforeSetAside = failpoint.New("file.set-aside")
	behindSetAside = failpoint.New("file.aside")
	beforeRotate   = failpoint.New("file.rotate")
	betweenRenames = failpoint.New("file.renamed")
	behindRotate   = failpoint.New("file.rotated")
)

// Options say when a file is rotated and what is kept of it.
type Options struct {
	MaxBytes int64  // a file that would grow beyond it is rotated first; 0: never
	Keep     int    // rotated files, PATH.1 the newest; an older one is removed
	Format   Format // nil: lines as they are
	Log      *slog.Logger
}

// File is one file that is appended to. It opens itself when it is first used,
// and again after an error. It is safe for concurrent use.
type File struct {
	files   world.FS
	path    string
	options Options

	mu        sync.Mutex
	file      world.File // nil: to be opened
	size      int64      // bytes that are whole lines
	durable   int64      // of size, those known to have been synced by this process or found at open
	suspect   bool       // a sync has failed: nobody knows what the file holds on disk
	discarded int64      // lines that rotation has removed
}

// New is the file at an absolute path. Nothing is touched yet.
func New(files world.FS, path string, options Options) *File {
	return &File{files: files, path: path, options: options}
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Open opens the file, and makes it and the directories above it if they are not there.
// What a crash has left of a line at its end is cut off.
func (f *File) Open() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open()
}

// Append appends lines, each with its line break, and returns when they are on
// disk. After an error none of them counts as written: append them again.
func (f *File) Append(lines []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(); err != nil {
		return err
	}
	if limit := f.options.MaxBytes; limit > 0 && f.size > 0 && f.size+int64(len(lines)) > limit {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	if err := f.write(lines); err != nil {
		return f.undo(fmt.Errorf("writing %s: %w", f.path, err))
	}
	if err := f.sync(); err != nil {
		f.abandon()
		return fmt.Errorf("syncing %s: %w", f.path, err)
	}
	behindSync.Pass()
	f.size += int64(len(lines))
	f.durable = f.size
	return nil
}

func (f *File) write(lines []byte) error {
	if err := beforeWrite.Fail(); err != nil {
		return err
	}
	_, err := f.file.Write(lines)
	return err
}

func (f *File) sync() error {
	if err := beforeSync.Fail(); err != nil {
		return err
	}
	return f.file.Sync()
}

// Size is how many bytes the file has, rotated ones not counted; 0 before it was opened.
func (f *File) Size() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Discarded is how many lines rotation has removed for good.
func (f *File) Discarded() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.discarded
}

// Close closes the file; it opens itself again if it is used.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

func (f *File) open() error {
	if f.file != nil && f.same() {
		return nil
	}
	if f.suspect {
		if err := f.setAside(); err != nil {
			return err
		}
	}
	directory := filepath.Dir(f.path)
	if err := world.MakeDirs(f.files, directory, 0o750); err != nil {
		return fmt.Errorf("opening %s: %w", f.path, err)
	}
	beforeOpen.Pass()
	file, err := f.files.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("opening %s: %w", f.path, err)
	}
	size, err := f.cutTornTail(file)
	if err == nil {
		beforeEntry.Pass()
		err = f.files.SyncDir(directory)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("opening %s: %w", f.path, err)
	}
	f.file, f.size, f.durable = file, size, size
	return nil
}

// same says whether the open file still has its name, and all that was
// written: who moves, removes or empties it gets a new one, or another end.
func (f *File) same() bool {
	mine, err := f.file.Stat()
	if err == nil {
		var named fs.FileInfo
		if named, err = f.files.Stat(f.path); err == nil {
			device, inode := f.files.Identity(mine)
			otherDevice, otherInode := f.files.Identity(named)
			if device == otherDevice && inode == otherInode && mine.Size() >= f.size {
				return true
			}
		}
	}
	f.file.Close()
	f.file = nil
	return false
}

// cutTornTail removes what is behind the last whole line of a file: a line that a
// crash has cut, of which nobody was told that it was written.
func (f *File) cutTornTail(file world.File) (size int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	size = info.Size()
	end, err := f.format().End(file, size)
	if err != nil || end == size {
		return end, err
	}
	beforeCut.Pass()
	if err := file.Truncate(end); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	f.log().Warn("cut an incomplete line off the end of a file", "file", f.path, "bytes", size-end)
	return end, nil
}

// undo takes back what a failed write has left. If even that fails, the next open does it.
func (f *File) undo(cause error) error {
	beforeUndo.Pass()
	if err := f.file.Truncate(f.size); err != nil {
		f.file.Close()
		f.file = nil
		// The lines that were written whole would stay; the name of the next file is free
		// of them.
		f.suspect = true
		return errors.Join(cause, fmt.Errorf("taking back what was written of it: %w", err))
	}
	return cause
}

// abandon gives up a file of which a sync has failed. The kernel forgets such a
// failure: another sync would succeed without anything being on disk.
func (f *File) abandon() {
	f.file.Close()
	f.file, f.suspect = nil, true
}

// setAside moves an abandoned file out of the way. It is kept as long as it
// holds lines that were on disk before.
func (f *File) setAside() error {
	beforeSetAside.Pass()
	var err error
	if f.durable == 0 {
		err = f.files.Remove(f.path)
	} else {
		aside := f.path + ".unsynced-" + time.Now().UTC().Format("20060102T150405.000000000")
		if err = f.files.Rename(f.path, aside); err == nil {
			f.log().Error("a file could not be synced and was set aside; lines at its end are in the new one again", "file", f.path, "now", aside)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("setting aside %s: %w", f.path, err)
	}
	behindSetAside.Pass()
	f.suspect, f.size, f.durable = false, 0, 0
	return nil
}

func (f *File) log() *slog.Logger {
	if f.options.Log != nil {
		return f.options.Log
	}
	return slog.New(slog.DiscardHandler)
}

// Unusable says of an error of Open that waiting won't help: the path itself
// is wrong, or not allowed.
func Unusable(err error) bool {
	for _, e := range []error{ErrFormat, fs.ErrPermission, syscall.EISDIR, syscall.ENOTDIR, syscall.EROFS, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.ELOOP} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
