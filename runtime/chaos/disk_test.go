package chaos

import (
	"strings"
	"sync"
	"syscall"

	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// disk is what is wrong with the files that etl writes and reads.
type disk struct {
	mu     sync.Mutex
	full   bool
	nth    map[worldtest.Op]*nth
	struck func(kind)
}

// nth is a fault of the n-th operation from now on.
type nth struct {
	n    int
	part float64 // of a write, how much of it is done
	kind kind
}

// fault is asked before each operation of a living process.
func (d *disk) fault(o worldtest.Op, name string) (part float64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ours := !strings.HasPrefix(name, alertsDir)
	if d.full && ours && o == worldtest.OpWrite {
		return 0.5, syscall.ENOSPC
	}
	f := d.nth[o]
	if f == nil || ours == (o == worldtest.OpRead) {
		return 1, nil
	}
	if f.n--; f.n > 0 {
		return 1, nil
	}
	delete(d.nth, o)
	d.struck(f.kind)
	return f.part, syscall.EIO
}

func (d *disk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

func (d *disk) inTrouble() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.full
}

func (d *disk) failNth(o worldtest.Op, f *nth) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nth[o] = f
}

// heal ends all faults; those that have not struck never will.
func (d *disk) heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = false
	clear(d.nth)
}
