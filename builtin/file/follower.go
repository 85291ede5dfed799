package file

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

// follower sees what becomes of a path while the reader may be held up: it
// opens each file that takes the path's place, so that none can be unlinked before it was
// read, and wakes the reader when something was written.
type follower struct {
	family
	notifier world.Notifier
	poll     time.Duration
	log      *slog.Logger
	health   func(error)
	wake     chan struct{}

	mu   sync.Mutex
	next []*generation // behind the one that is being read
	last *generation   // the newest that was seen; nil before the first. It is open as long as it is that
	more bool          // there are files behind last that were not opened yet
	told string        // the last error that was logged

	noted   int64     // the record in the history that has all it can of the beginning of its file
	length  int64     // of the file of last when it was seen
	emptied time.Time // when the file was changed last that was empty at the last look, as the history knows
}

// run watches until ctx is done.
func (f *follower) run(ctx context.Context) {
	watch := watched{directory: filepath.Dir(f.path)}
	defer watch.end()
	ticker := time.NewTicker(f.poll)
	defer ticker.Stop()
	for {
		watch.renew(f.files, f.notifier)
		f.look()
		f.signal()
		for wait := true; wait; {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				wait = false
			case name, ok := <-watch.changes:
				if !ok {
					watch.end()
				}
				wait = !strings.HasPrefix(name, f.path) && name != watch.directory
			}
		}
		for more := true; more; { // one look is enough for all that has come meanwhile
			select {
			case _, more = <-watch.changes:
			default:
				more = false
			}
		}
	}
}

func (f *follower) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// ahead is how many files are held open that wait to be read, where those
// that are not can be opened later as well.
const ahead = 16

// look opens what has taken the path's place.
func (f *follower) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.search()
}

// search is look for who has f.mu.
func (f *follower) search() {
	f.more = false
	info, err := f.files.Stat(f.path)
	gone := errors.Is(err, fs.ErrNotExist)
	if err != nil && (f.last == nil || !gone) {
		f.tell(err)
		return
	}
	if gone && f.calendar == nil {
		return
	}
	if !gone && f.last != nil {
		if device, inode := f.files.Identity(info); device == f.last.device && inode == f.last.inode {
			f.note(info)
			f.tell(nil)
			return
		}
	}
	behind, err := f.unseen()
	if err != nil {
		if !errors.Is(err, errMoved) { // else it is seen at the next look
			f.tell(err)
		}
		return
	}
	for _, m := range behind {
		if f.calendar != nil && len(f.next) >= ahead {
			f.more = true
			return
		}
		g, err := f.open(m)
		if err != nil {
			if m.kind == current {
				f.tell(err)
				return // it is seen again at the next look
			}
			if errors.Is(err, fs.ErrNotExist) {
				return // it has another name at the next look
			}
			f.log.Warn("a rotated file can't be opened, what is in it is not read", "file", m.path, "error", err)
			continue
		}
		if !g.is(m) { // it moved on between the look and the opening
			g.file.Close()
			return
		}
		if g.order == "" && f.last != nil && f.last.order != "" { // its dated name is gone
			g.order = strings.TrimSuffix(f.last.order, "~") + "~" // behind that, and before any other
		}
		f.next = append(f.next, g)
		f.last, f.length = g, 0
	}
	f.tell(nil)
}

// unseen are the files behind the last that was seen; the current one, if none was.
func (f *follower) unseen() ([]member, error) {
	if f.last != nil {
		return f.after(f.last)
	}
	list, err := f.members(since{})
	return slices.DeleteFunc(list, func(m member) bool { return m.kind != current }), err
}

// note keeps the history up to date about the file that was seen last.
func (f *follower) note(info fs.FileInfo) {
	if f.history == nil {
		return
	}
	f.history.flush()
	size, changed := info.Size(), info.ModTime()
	if size < f.length {
		f.last.cut.Store(true)
	}
	f.length = size
	if size == 0 && !changed.Equal(f.emptied) {
		if _, err := f.members(since{}); err == nil { // the history tells what it means
			f.emptied = changed
		}
	}
	id := f.last.id.Load()
	if id == f.noted || size < headWindow {
		return
	}
	head := make([]byte, headWindow)
	if n, err := f.last.file.ReadAt(head, 0); n == len(head) && err == nil {
		f.history.grown(id, head)
		f.noted = id
	}
}

// lookedInto says that it is known what the file of g holds now.
func (f *follower) lookedInto(g *generation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g.cut.Store(false); f.last == g {
		f.length = 0
	}
}

// tell says once for each cause why nothing can be read.
func (f *follower) tell(err error) {
	text := ""
	if err != nil {
		err = denied(f.files, f.path, err)
		text = err.Error()
	}
	if text == f.told {
		return
	}
	f.told = text
	f.health(err)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			f.log.Info("the file is not there yet, waiting for it", "file", f.path)
		} else {
			f.log.Warn("the file can't be opened, trying again", "file", f.path, "error", err)
		}
	}
}

// peek is the generation behind the one that is read, if its writer has gone on to
// it: there is something in it, or another one behind it. An empty file may have been made
// by who rotates, for a writer that does not know it yet; Wazuh closes a file before it makes the next.
func (f *follower) peek() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.next) == 0 {
		return false
	}
	if len(f.next) > 1 || f.calendar != nil {
		return true
	}
	size, err := f.next[0].size()
	return err == nil && size > 0
}

// take is the generation behind the one that is read; nil if there is none yet.
func (f *follower) take() *generation {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.next) == 0 {
		return nil
	}
	g := f.next[0]
	f.next = f.next[1:]
	if len(f.next) == 0 && f.more { // as long as g is open
		f.search()
	}
	return g
}

// waiting is how many bytes the generations hold that wait to be read.
func (f *follower) waiting() (bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.next {
		if size, err := g.size(); err == nil {
			bytes += size
		}
	}
	return bytes
}

// close closes what nobody took.
func (f *follower) close() {
	for g := f.take(); g != nil; g = f.take() {
		g.file.Close()
	}
}

// watched is a watch of a directory that may not be there yet, or be replaced.
type watched struct {
	directory     string
	device, inode uint64
	changes       <-chan string
	stop          func()
}

// renew sees to it that the directory is watched that has the name now. What
// can't be watched is polled only.
func (w *watched) renew(files world.FS, notifier world.Notifier) {
	info, err := files.Stat(w.directory)
	if err != nil {
		return
	}
	device, inode := files.Identity(info)
	if w.changes != nil && device == w.device && inode == w.inode {
		return
	}
	w.end()
	changes, stop, err := notifier.Watch(w.directory)
	if err == nil {
		w.changes, w.stop, w.device, w.inode = changes, stop, device, inode
	}
}

func (w *watched) end() {
	if w.changes != nil {
		w.stop()
		w.changes = nil
	}
}
