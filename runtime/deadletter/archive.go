package deadletter

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/wazuh-etl/etl/runtime/linefile"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Archive is the records of a store that no other process is writing to: they can be
// read, and taken out. What is taken out is noted first, in PATH.replayed, and removed by Compact;
// a crash in between takes nothing back and loses nothing. It is safe for concurrent use, but for Compact.
type Archive struct {
	files   world.FS
	path    string
	journal *linefile.File

	mu    sync.RWMutex
	taken map[Fingerprint][]string // and the texts in its place
}

// Fingerprint names a record by its text, wherever it is rotated to.
type Fingerprint [16]byte

func fingerprintOf(text []byte) Fingerprint {
	sum := sha256.Sum256(text)
	return Fingerprint(sum[:16])
}

// Fingerprint is the record's.
func (r *Record) Fingerprint() Fingerprint { return fingerprintOf(r.Text) }

// note is a line of the journal.
type note struct {
	Taken   string   `json:"taken"`
	Instead []string `json:"instead,omitempty"` // as text, so that not a byte of it changes
}

// OpenArchive is the archive of the store at path; there need not be any.
func OpenArchive(files world.FS, path string) (*Archive, error) {
	a := &Archive{files: files, path: path, taken: map[Fingerprint][]string{}}
	a.journal = linefile.New(files, a.journalPath(), linefile.Options{})
	err := a.lines(a.journalPath(), func(line []byte) error {
		var n note
		var print Fingerprint
		if err := json.Unmarshal(line, &n); err != nil {
			return fmt.Errorf("reading %s: %w", a.journalPath(), err)
		}
		if _, err := hex.Decode(print[:], []byte(n.Taken)); err != nil {
			return fmt.Errorf("reading %s: %w", a.journalPath(), err)
		}
		a.taken[print] = n.Instead
		return nil
	})
	return a, err
}

// Path is where the newer half of the records is.
func (a *Archive) Path() string { return a.path }

func (a *Archive) journalPath() string { return a.path + ".replayed" }

// halves are the files with records, the older first.
func (a *Archive) halves() []string { return []string{a.path + ".1", a.path} }

// Each gives all records, oldest first. A line that is no record is counted as damaged.
func (a *Archive) Each(f func(*Record) error) (damaged int, err error) {
	for _, name := range a.halves() {
		err := a.lines(name, func(line []byte) error {
			for _, text := range a.now(line) {
				r, err := Parse([]byte(text))
				if err != nil {
					damaged++
					continue
				}
				if err := f(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return damaged, err
		}
	}
	return damaged, nil
}

// now is what stands in the place of a line.
func (a *Archive) now(line []byte) []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if instead, taken := a.taken[fingerprintOf(line)]; taken {
		return instead
	}
	return []string{string(line)}
}

// lines gives the whole lines of a file, each with memory of its own.
func (a *Archive) lines(name string, f func([]byte) error) error {
	file, err := a.files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading dead letters: %w", err)
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 256<<10)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF { // what a crash has cut was not acknowledged
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading dead letters: %w", err)
		}
		if err := f(line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// Change takes a record out, and puts others in its place.
type Change struct {
	Taken   Fingerprint
	Instead []string // texts of records
}

// Apply notes changes; they last when it returns, with one sync for all of them.
func (a *Archive) Apply(changes ...Change) error {
	var lines []byte
	for _, c := range changes {
		line, err := json.Marshal(note{hex.EncodeToString(c.Taken[:]), c.Instead})
		if err != nil {
			return fmt.Errorf("noting what was replayed: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := a.journal.Append(lines); err != nil {
		return fmt.Errorf("noting what was replayed: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range changes {
		a.taken[c.Taken] = c.Instead
	}
	return nil
}

// Compact rewrites the files without what was taken out.
func (a *Archive) Compact() error {
	if err := a.journal.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", a.journalPath(), err)
	}
	if len(a.taken) > 0 {
		for _, name := range a.halves() {
			if err := a.rewrite(name); err != nil {
				return fmt.Errorf("rewriting %s: %w", name, err)
			}
		}
	}
	err := a.files.Remove(a.journalPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = a.files.SyncDir(filepath.Dir(a.path))
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", a.journalPath(), err)
	}
	clear(a.taken)
	return nil
}

// rewrite puts a new file in the place of the one called name, unless nothing
// is taken out of that.
func (a *Archive) rewrite(name string) error {
	any := false
	err := a.lines(name, func(line []byte) error {
		_, taken := a.taken[fingerprintOf(line)]
		any = any || taken
		return nil
	})
	if err != nil || !any {
		return err
	}
	temporary := a.path + ".rewrite"
	file, err := a.files.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 256<<10)
	err = a.lines(name, func(line []byte) error {
		for _, text := range a.now(line) {
			w.WriteString(text) // its error is Flush's
			w.WriteByte('\n')
		}
		return nil
	})
	err = errors.Join(err, w.Flush())
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, a.files.Remove(temporary))
	}
	if err := a.files.Rename(temporary, name); err != nil {
		return err
	}
	return a.files.SyncDir(filepath.Dir(name))
}
