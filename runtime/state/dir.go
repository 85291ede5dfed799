// Package state is what outlives the process: where every sink stands in every
// source, and the small stores of components, in one directory for a pipeline.
package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/failpoint"
	"github.com/wazuh-etl/etl/runtime/world"
)

var beforeDirectories = failpoint.New("state.directories")

// Dir is the state directory of one pipeline: STATE/NAME. It is safe for
// concurrent use by one process; Lock keeps others out.
type Dir struct {
	fs   world.FS
	path string
	name string

	mu          sync.Mutex
	checkpoints *slots
	saved       map[key]Checkpoint
	stores      map[string]*Store
}

// Open opens, and makes where it is not there, the state directory path of the
// pipeline called name. The warnings say what was damaged and what that means;
// a damaged store is an empty one. On a full disk what is there is used.
func Open(fs world.FS, path, name string) (d *Dir, warnings []string, err error) {
	if err := makeLasting(fs, path); err != nil {
		return nil, nil, fmt.Errorf("making the state directory: %w", err)
	}
	d = newDir(fs, path, name)
	warning, err := d.load()
	if err != nil {
		return nil, nil, err
	}
	if warning != "" {
		warnings = append(warnings, warning)
	}
	_ = d.checkpoints.settle() // where nothing can be stored, what was stored can be read all the same; save tries again
	if err := d.checkpoints.reserve(); errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		warnings = append(warnings, fmt.Sprintf("there is no room for checkpoints in %s (%v): they are stored when there is", path, err))
	} else if err != nil {
		return nil, nil, fmt.Errorf("making room for checkpoints: %w", err)
	}
	damaged, err := d.damaged()
	return d, append(warnings, damaged...), err
}

// damaged says which stores of components can't be used.
func (d *Dir) damaged() (warnings []string, err error) {
	all, err := d.Stored()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if d.store(s.Address).check() != nil {
			warnings = append(warnings, fmt.Sprintf("what %s keeps in %s is damaged: it starts as if it had kept nothing", s.Address, d.path))
		}
	}
	return warnings, nil
}

func newDir(fs world.FS, path, name string) *Dir {
	return &Dir{
		fs: fs, path: path, name: name, stores: map[string]*Store{}, saved: map[key]Checkpoint{},
		checkpoints: newSlots(fs, filepath.Join(path, "checkpoints")),
	}
}

// makeLasting makes path and what is below it outlive a loss of power. That they
// are there is no sign of it: Lock may have made them a moment ago. Of the directories
// above only those are synced that this process may open.
func makeLasting(fs world.FS, path string) error {
	beforeDirectories.Pass()
	if err := fs.MkdirAll(filepath.Join(path, "components"), 0o750); err != nil {
		return err
	}
	if err := fs.SyncDir(path); err != nil {
		return err
	}
	for parent := filepath.Dir(path); fs.SyncDir(parent) == nil && parent != filepath.Dir(parent); {
		parent = filepath.Dir(parent)
	}
	return nil
}

// Path is the directory, absolute.
func (d *Dir) Path() string { return d.path }

// ComponentDir is where the component at address may keep files of its own.
// Who uses it makes it.
func (d *Dir) ComponentDir(address string) string { return ComponentDir(d.path, address) }

// ComponentDir is the same of the state directory path.
func ComponentDir(path, address string) string {
	return filepath.Join(path, "components", fileName(address))
}

// Component is the store of the component at address.
func (d *Dir) Component(address string) component.State { return d.store(address) }

func (d *Dir) store(address string) *Store {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stores[address]
	if s == nil {
		s = newStore(d.fs, filepath.Join(d.path, "components", fileName(address)+".state"))
		d.stores[address] = s
	}
	return s
}

// fileName makes an address a file name: source.file.alerts["a/b"] has
// characters that a directory can't.
func fileName(address string) string {
	var b strings.Builder
	for _, c := range []byte(address) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '-', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
