package worldtest

import (
	"fmt"
	"maps"
	"path"
	"sync/atomic"
)

// Op is an operation that can be made to fail.
type Op string

// The operations.
const (
	OpOpen     Op = "open"
	OpStat     Op = "stat"
	OpRead     Op = "read"
	OpWrite    Op = "write"
	OpSync     Op = "sync"
	OpSyncDir  Op = "sync directory"
	OpTruncate Op = "truncate"
	OpRename   Op = "rename"
	OpRemove   Op = "remove"
	OpMkdir    Op = "mkdir"
)

// ShortWrite is a fault of OpWrite: only the first Bytes are written.
type ShortWrite struct {
	Bytes int
	Err   error
}

func (s ShortWrite) Error() string { return fmt.Sprintf("only %d bytes written: %v", s.Bytes, s.Err) }
func (s ShortWrite) Unwrap() error { return s.Err }

// Fault asks fault before each operation; what it returns is the operation's
// error. nil ends that. It is called with the file system locked.
func (f *FS) Fault(fault func(op Op, name string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// FailNth makes the n-th operation op from now on fail with err, counted from
// 1, and none after it.
func (f *FS) FailNth(op Op, n int64, err error) {
	var count atomic.Int64
	f.Fault(func(o Op, _ string) error {
		if o == op && count.Add(1) == n {
			return err
		}
		return nil
	})
}

// Space sets how many more bytes fit; a negative number means any.
func (f *FS) Space(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space = bytes
}

// Crash is the loss of power: what was not synced is gone, entries of
// directories and open files included. torn, if given, says for each file that
// has changed how many of its bytes from the first unsynced one on happen to be there all the same.
func (f *FS) Crash(torn func(name string, unsynced int) int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch++
	clear(f.open)
	f.entries = maps.Clone(f.durable)
	maps.DeleteFunc(f.entries, func(name string, _ *node) bool { return f.orphan(name) })
	done := map[*node]bool{}
	for name, n := range f.entries {
		if done[n] {
			continue
		}
		done[n] = true
		kept := append([]byte(nil), n.synced...)
		first := 0
		for first < len(n.data) && first < len(kept) && n.data[first] == kept[first] {
			first++
		}
		if unsynced := len(n.data) - first; torn != nil && unsynced > 0 {
			there := n.data[:first+torn(name, unsynced)]
			kept = append(append([]byte(nil), there...), kept[min(len(there), len(kept)):]...)
		}
		n.data, n.synced = kept, append([]byte(nil), kept...)
	}
	f.durable = maps.Clone(f.entries)
}

// orphan says whether a directory above name is gone.
func (f *FS) orphan(name string) bool {
	for name != "/" {
		name = path.Dir(name)
		if f.durable[name] == nil {
			return true
		}
	}
	return false
}

func (f *FS) check(op Op, name string) error {
	if f.fault == nil {
		return nil
	}
	return f.fault(op, name)
}
