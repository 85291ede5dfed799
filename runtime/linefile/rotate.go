package linefile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
)

// rotate moves PATH to PATH.1, PATH.1 to PATH.2 and so on, removes what is
// beyond those to keep, and opens a new file.
func (f *File) rotate() error {
	beforeRotate.Pass()
	if err := f.discard(f.numbered(f.options.Keep)); err != nil {
		return err
	}
	for n := f.options.Keep - 1; n >= 0; n-- {
		err := f.files.Rename(f.numbered(n), f.numbered(n+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rotating %s: %w", f.path, err)
		}
		betweenRenames.Pass()
	}
	if err := f.files.SyncDir(filepath.Dir(f.path)); err != nil {
		return fmt.Errorf("rotating %s: %w", f.path, err)
	}
	behindRotate.Pass()
	f.file.Close()
	f.file = nil
	return f.open()
}

// numbered is the name of the n-th file, counted backwards from the current one.
func (f *File) numbered(n int) string {
	if n == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(n)
}

// discard removes a file and counts its lines.
func (f *File) discard(path string) error {
	lines, err := f.countLines(path)
	if err == nil {
		err = f.files.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("rotating %s: %w", f.path, err)
	}
	f.discarded += lines
	f.log().Warn("removed the oldest file, the limit of its size is reached", "file", path, "lines", lines, "lines_so_far", f.discarded)
	return nil
}

func (f *File) countLines(path string) (lines int64, err error) {
	file, err := f.files.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return f.format().Lines(file)
}
