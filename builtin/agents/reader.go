package agents

import (
	"context"
	"errors"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// reader is a way to read the agents of a manager. It is used by one goroutine
// at a time. An error may come back: the next call begins anew.
type reader interface {
	// Changed says whether anything may be new since the last Readings; true if it can't tell.
	Changed(ctx context.Context) (bool, error)
	// Readings appends every agent but the manager itself, in the order of ids.
	// replaced says that it is read from another file than last time.
	Readings(ctx context.Context, dst []reading) (all []reading, replaced bool, err error)
	// Details are those of the agents with these ids, in order, as far as they are still there.
	Details(ctx context.Context, ids []int64) (map[int64]details, error)
	Close()
}

// watcher is a reader that can be woken.
type watcher interface {
	// Watch sends when there may be something new, until stop is called.
	Watch(host *component.Host) (wake <-chan struct{}, stop func(), err error)
}

// Trouble that heals, as words for health and heartbeat.
var (
	errLocked = errors.New("the database is locked: wazuh-db writes")
	errHot    = errors.New("a transaction that was cut off waits to be rolled back, which the next start of wazuh-db does")
)

// patience is an error after which nobody should try again for a while.
type patience struct {
	error
	wait time.Duration
}

func (p patience) Unwrap() error { return p.error }

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
