// Package state is what outlives the process: where every sink stands in every
// source, and the small stores of components, in one directory for a pipeline.
package state

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

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
// a damaged store is an empty one.
func Open(fs world.FS, path, name string) (d *Dir, warnings []string, err error) {
	if err := makeLasting(fs, path); err != nil {
		return nil, nil, fmt.Errorf("making the state directory: %w", err)
	}
	d = newDir(fs, path, name)
	warning, err := d.load()
	if warning != "" {
		warnings = append(warnings, warning)
	}
	return d, warnings, err
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
func (d *Dir) ComponentDir(address string) string {
	return filepath.Join(d.path, "components", fileName(address))
}

// Component is the store of the component at address.
func (d *Dir) Component(address string) component.State {
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
