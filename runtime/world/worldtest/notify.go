package worldtest

import (
	"path"
	"sync"
	"syscall"
)

// watcher is one Watch.
type watcher struct {
	directory string
	changes   chan string
}

// Watch sends what changes in a directory of the file system.
func (f *FS) Watch(directory string) (<-chan string, func(), error) {
	directory = path.Clean(directory)
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.entries[directory]; n == nil || !n.mode.IsDir() {
		return nil, nil, pathError("watch", directory, syscall.ENOENT)
	}
	w := &watcher{directory: directory, changes: make(chan string, 256)}
	f.watchers[w] = struct{}{}
	var once sync.Once
	return w.changes, func() {
		once.Do(func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			delete(f.watchers, w)
			close(w.changes)
		})
	}, nil
}

// Blind makes the notifier miss everything, as on a network mount.
func (f *FS) Blind(blind bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blind = blind
}

// changed tells who watches that the entry name has changed. Who does not
// listen misses it.
func (f *FS) changed(name string) {
	if f.blind {
		return
	}
	for w := range f.watchers {
		if w.directory == path.Dir(name) {
			select {
			case w.changes <- name:
			default:
			}
		}
	}
}

// wrote tells who watches one of the file's names.
func (f *FS) wrote(n *node) {
	if len(f.watchers) == 0 {
		return
	}
	for name, other := range f.entries {
		if other == n {
			f.changed(name)
		}
	}
}
