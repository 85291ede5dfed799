package state

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

// Look opens the state directory path for reading, and makes nothing: another
// process may be at work in it. The error is fs.ErrNotExist if there is none.
func Look(files world.FS, path, name string) (d *Dir, warnings []string, err error) {
	if _, err := files.Stat(path); err != nil {
		return nil, nil, fmt.Errorf("opening the state directory: %w", err)
	}
	for range 5 { // a process that writes right now may have begun the second slot after we read the first
		d = newDir(files, path, name)
		warning, err := d.load()
		if err != nil || warning == "" {
			return d, nil, err
		}
		warnings = []string{warning}
	}
	return d, warnings, nil
}

// Modified is when checkpoints were stored last; zero if they never were.
func (d *Dir) Modified() (latest time.Time) {
	if d.checkpoints.seq == 0 {
		return latest
	}
	for _, f := range d.checkpoints.files {
		if info, err := d.fs.Stat(f.name); err == nil && info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return latest
}

// Homes are the addresses of the components that have a ComponentDir, sorted.
func (d *Dir) Homes() (addresses []string, err error) {
	entries, err := d.fs.ReadDir(filepath.Join(d.path, "components"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the directories of components: %w", err)
	}
	for _, e := range entries {
		if address, err := url.PathUnescape(e.Name()); err == nil && e.IsDir() {
			addresses = append(addresses, address)
		}
	}
	slices.Sort(addresses)
	return addresses, nil
}

// Stored is what one component keeps.
type Stored struct {
	Address string
	Keys    int    // of its small store
	Bytes   int64  // of the store and of all its files
	Dir     string // of its own files; empty if it has none
}

// Stored lists what components keep, by address.
func (d *Dir) Stored() ([]Stored, error) {
	root := filepath.Join(d.path, "components")
	entries, err := d.fs.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the stores of components: %w", err)
	}
	found := map[string]*Stored{}
	of := func(name string) *Stored {
		address, err := url.PathUnescape(name)
		if err != nil {
			address = name
		}
		if found[address] == nil {
			found[address] = &Stored{Address: address}
		}
		return found[address]
	}
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		if e.IsDir() {
			s := of(e.Name())
			s.Dir = path
			s.Bytes += d.size(path)
			continue
		}
		name, ok := strings.CutSuffix(strings.TrimSuffix(strings.TrimSuffix(e.Name(), ".a"), ".b"), ".state")
		if !ok {
			continue
		}
		s := of(name)
		s.Keys = len(d.Component(s.Address).Keys())
		if info, err := e.Info(); err == nil {
			s.Bytes += info.Size()
		}
	}
	var all []Stored
	for _, s := range found {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Stored) int { return strings.Compare(a.Address, b.Address) })
	return all, nil
}

// size is how many bytes the files below a directory have.
func (d *Dir) size(directory string) (n int64) {
	entries, _ := d.fs.ReadDir(directory)
	for _, e := range entries {
		if e.IsDir() {
			n += d.size(filepath.Join(directory, e.Name()))
		} else if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}
