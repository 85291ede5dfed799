package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Home is where the log of one source is kept.
type Home struct {
	Files world.FS
	Dir   string // the component's, absolute
	State component.State
}

// Kept says whether a log is there.
func (h Home) Kept() bool {
	_, err := h.Files.Stat(Dir(h.Dir))
	return err == nil
}

// Settings are those of the source that filled the log last; empty if nobody knows.
func (h Home) Settings() string {
	n, _ := loadNumbers(h.State)
	return n.Settings
}

// Move gives the log to the source at to, which must have none. Nobody may
// have it open. It is done when the files have their new name: cut off before, it
// can be done again; what is left behind then is removed.
func (h Home) Move(to Home) error {
	if n, ok := loadNumbers(h.State); ok {
		n.Moving = true
		if err := errors.Join(n.store(to.State), n.store(h.State)); err != nil {
			return err
		}
	}
	beforeMove.Pass()
	if err := world.MakeDirs(h.Files, to.Dir, 0o750); err != nil {
		return fmt.Errorf("moving the queue on disk: %w", err)
	}
	if err := h.Files.Rename(Dir(h.Dir), Dir(to.Dir)); err != nil {
		return fmt.Errorf("moving the queue on disk: %w", err)
	}
	if err := errors.Join(h.Files.SyncDir(to.Dir), h.Files.SyncDir(h.Dir)); err != nil {
		return fmt.Errorf("moving the queue on disk: %w", err)
	}
	behindMove.Pass()
	for range 2 { // both places of the state: a log of that name begins anew
		if err := h.State.Delete(stateKey); err != nil {
			return fmt.Errorf("moving the queue on disk: %w", err)
		}
	}
	if err := h.Files.Remove(h.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // it has other files
	}
	_ = h.Files.SyncDir(filepath.Dir(h.Dir)) // an empty directory that comes back is none of a log
	return nil
}
