// Package reload notices that the files of a pipeline have changed: what
// `--watch` waits for.
package reload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

const (
	// settle is how long files must have been left alone: an editor writes in
	// several steps, a deployment several files.
	settle = 200 * time.Millisecond
	// poll is the second opinion, for what notification does not see: network
	// mounts, a symbolic link changed further up.
	poll = 2 * time.Second
)

// Watcher compares the content of files, so that an editor that renames and
// replaces, a symbolic link that is switched, and a touch without a change all
// come out right.
type Watcher struct {
	world world.World

	mu    sync.Mutex
	paths []string
	seen  []byte // digest of all of it
}

// NewWatcher watches files and directories; of a directory it sees the
// pipeline files (*.hcl) that come and go, not their content.
func NewWatcher(w world.World, paths []string) *Watcher {
	x := &Watcher{world: w}
	x.Set(paths)
	return x
}

// Set makes paths, as they are now, what is compared with.
func (x *Watcher) Set(paths []string) {
	digest := x.digest(paths)
	x.mu.Lock()
	x.paths, x.seen = slices.Clone(paths), digest
	x.mu.Unlock()
}

// Run calls changed after each change, until ctx is done. Another change
// during the call is told after it.
func (x *Watcher) Run(ctx context.Context, changed func()) {
	hints := make(chan struct{}, 1)
	var closers []func()
	watched := map[string]bool{}
	defer func() {
		for _, c := range closers {
			c()
		}
	}()
	var forwarders sync.WaitGroup
	defer forwarders.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		for _, dir := range x.directories() {
			if watched[dir] || x.world.Notifier == nil {
				continue
			}
			names, stop, err := x.world.Notifier.Watch(dir)
			if err != nil {
				continue // polling sees it
			}
			watched[dir] = true
			closers = append(closers, stop)
			forwarders.Go(func() { forward(ctx, names, hints) })
		}
		select {
		case <-hints:
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if !x.differs() {
			continue
		}
		if !x.settled(ctx) {
			return
		}
		if x.differs() {
			x.Set(x.list())
			changed()
		}
	}
}

func forward(ctx context.Context, names <-chan string, hints chan<- struct{}) {
	for {
		select {
		case _, ok := <-names:
			if !ok {
				return
			}
			select {
			case hints <- struct{}{}:
			default:
			}
		case <-ctx.Done():
			return
		}
	}
}

// settled waits until nothing has changed for a while.
func (x *Watcher) settled(ctx context.Context) bool {
	last := x.digest(x.list())
	for {
		select {
		case <-time.After(settle):
		case <-ctx.Done():
			return false
		}
		now := x.digest(x.list())
		if bytes.Equal(now, last) {
			return true
		}
		last = now
	}
}

func (x *Watcher) list() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.paths
}

func (x *Watcher) differs() bool {
	x.mu.Lock()
	paths, seen := x.paths, x.seen
	x.mu.Unlock()
	return !bytes.Equal(x.digest(paths), seen)
}

// directories are where the paths are, and where they lead to.
func (x *Watcher) directories() []string {
	var dirs []string
	add := func(dir string) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, p := range x.list() {
		if info, err := x.world.FS.Stat(p); err == nil && info.IsDir() {
			add(p)
		} else {
			add(filepath.Dir(p))
		}
	}
	return dirs
}

// digest is over the content of all paths, and over which of them are not there.
func (x *Watcher) digest(paths []string) []byte {
	h := sha256.New()
	for _, p := range paths {
		h.Write([]byte(p))
		h.Write([]byte{0})
		if info, err := x.world.FS.Stat(p); err == nil && info.IsDir() {
			entries, _ := x.world.FS.ReadDir(p)
			for _, e := range entries {
				if strings.HasSuffix(e.Name(), ".hcl") {
					h.Write([]byte(e.Name() + "\x00"))
				}
			}
			continue
		}
		content, err := x.world.FS.ReadFile(p)
		if err != nil {
			h.Write([]byte{1})
			continue
		}
		sum := sha256.Sum256(content)
		h.Write(sum[:])
	}
	return h.Sum(nil)
}
