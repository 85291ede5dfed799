//go:build integration

package chaos

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// style is how the alerts file rotates.
type style string

const (
	byLink     style = "wazuh"        // a new dated file, of which alerts.json is a hard link
	byNumber   style = "number"       // alerts.json.1 is the newest
	byDate     style = "date"         // alerts.json-20260301
	byCopy     style = "copytruncate" // alerts.json.1 is a copy
	byTruncate style = "truncate"     // it is just cut to nothing
)

// writer appends numbered alerts as a manager does, and rotates as the
// manager or logrotate does.
type writer struct {
	ledger *ledger
	style  style
	path   string // of the live file
	rng    *rand.Rand

	file  *os.File
	files int   // how many there have been
	size  int64 // of the current one

	most atomic.Int64  // lines that may be written
	asks chan func()   // things to do between two bursts
	stop chan struct{} // closed by end
	done chan struct{} // closed when run has ended
	err  error         // the first that the writer itself had; read when done
}

func newWriter(path string, s style, l *ledger, rng *rand.Rand) *writer {
	w := &writer{ledger: l, style: s, path: path, rng: rng, asks: make(chan func()), stop: make(chan struct{}), done: make(chan struct{})}
	w.begin()
	return w
}

func (w *writer) must(err error) { w.err = errors.Join(w.err, err) }

// run writes bursts of up to the given number of lines with random pauses of up to
// the given time, until it is ended.
func (w *writer) run(burst int, pause time.Duration) {
	defer close(w.done)
	defer func() { w.must(w.file.Close()) }()
	for {
		wait := time.Duration(w.rng.Int64N(int64(pause)))
		select {
		case <-w.stop:
			return
		case do := <-w.asks:
			do()
		case <-time.After(wait):
			if n := int(w.most.Load()) - w.ledger.count(); n > 0 {
				w.burst(min(n, 1+w.rng.IntN(burst)))
			}
		}
	}
}

// steady writes lines at a rate a second until it is ended.
func (w *writer) steady(rate int) {
	defer close(w.done)
	defer func() { w.must(w.file.Close()) }()
	w.most.Store(math.MaxInt64)
	began, written := time.Now(), 0
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case do := <-w.asks:
			do()
		case <-tick.C:
			n := int(time.Since(began).Seconds()*float64(rate)) - written
			if int64(w.ledger.count()) < w.most.Load() {
				w.burst(n)
			}
			written += n
		}
	}
}

// do has f done between two bursts, and waits for it.
func (w *writer) do(f func()) {
	did := make(chan struct{})
	select {
	case w.asks <- func() { f(); close(did) }:
		<-did
	case <-w.done:
	}
}

// rest ends the load; what is asked for is still done.
func (w *writer) rest() { w.do(func() { w.most.Store(0) }) }

// end stops the writing.
func (w *writer) end() error {
	close(w.stop)
	<-w.done
	return w.err
}

// burst writes n lines, now and then cut into two writes.
func (w *writer) burst(n int) {
	if n <= 0 {
		return
	}
	var b strings.Builder
	for range n {
		b.WriteString(w.ledger.next(w.files, w.size+int64(b.Len())) + "\n")
	}
	text := b.String()
	w.size += int64(len(text))
	if w.rng.IntN(8) == 0 {
		half := w.rng.IntN(len(text))
		w.put(text[:half])
		text = text[half:]
		w.pause(10 * time.Millisecond)
	}
	w.put(text)
}

func (w *writer) put(text string) {
	_, err := w.file.WriteString(text)
	w.must(err)
}

func (w *writer) pause(most time.Duration) { time.Sleep(time.Duration(w.rng.Int64N(int64(most)))) }

// begin opens the next file, under the names that it has at its beginning.
func (w *writer) begin() {
	w.files++
	w.size = 0
	name := w.path
	if w.style == byLink {
		name = filepath.Join(filepath.Dir(w.path), dated(w.files))
	}
	w.must(os.MkdirAll(filepath.Dir(name), 0o750))
	var err error
	w.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	w.must(err)
	if w.style == byLink {
		if w.files > 1 {
			w.must(os.Remove(w.path))
			w.pause(5 * time.Millisecond) // a short moment without the file belongs to it
		}
		w.must(os.Link(name, w.path))
	}
}

// dated is the name of Wazuh's n-th file: three for each day.
func dated(n int) string {
	day, part := (n-1)/3+1, (n-1)%3
	name := fmt.Sprintf("ossec-alerts-%02d.json", day%28+1)
	if part > 0 {
		name = fmt.Sprintf("ossec-alerts-%02d-%03d.json", day%28+1, part)
	}
	return filepath.Join("2026", []string{"Jan", "Feb", "Mar"}[day/28%3], name)
}

// rotate begins a new file.
func (w *writer) rotate() {
	switch w.style {
	case byNumber:
		w.shift()
		w.moved(w.path + ".1")
		w.begin()
	case byDate:
		w.moved(fmt.Sprintf("%s-202603%02d", w.path, w.files))
		w.begin()
	case byLink:
		w.must(w.file.Close())
		w.begin()
	case byCopy:
		w.shift()
		w.must(w.copy())
		w.truncate()
		time.Sleep(100 * time.Millisecond) // nobody rotates twice in a moment: a copy is read while it is made
	case byTruncate:
		w.ledger.doom(w.files)
		w.truncate()
	}
}

// moved renames the file, to which the writer may go on writing for a while.
func (w *writer) moved(to string) {
	w.must(os.Rename(w.path, to))
	if w.rng.IntN(2) == 0 {
		w.pause(50 * time.Millisecond)
		w.burst(1 + w.rng.IntN(5))
	}
	if w.rng.IntN(2) == 0 {
		w.pause(50 * time.Millisecond)
	}
	w.must(w.file.Close())
}

// shift makes room for a new alerts.json.1.
func (w *writer) shift() {
	for n := w.files; n >= 1; n-- {
		for _, ending := range []string{"", ".gz"} {
			err := os.Rename(fmt.Sprintf("%s.%d%s", w.path, n, ending), fmt.Sprintf("%s.%d%s", w.path, n+1, ending))
			if !errors.Is(err, fs.ErrNotExist) {
				w.must(err)
			}
		}
	}
}

func (w *writer) copy() error {
	from, err := os.Open(w.path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(w.path + ".1")
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

func (w *writer) truncate() {
	w.must(w.file.Truncate(0))
	w.files++
	w.size = 0
}

// compress puts a .gz in the place of each file that is not the current one, and
// says how many there were.
func (w *writer) compress() (n int) {
	current, err := os.Stat(w.path)
	w.must(err)
	w.must(filepath.WalkDir(filepath.Dir(w.path), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(name, ".gz") {
			return err
		}
		info, err := e.Info()
		if err != nil || os.SameFile(info, current) {
			return err
		}
		n++
		return archive(name)
	}))
	return n
}

// archive makes name.gz of name, and removes name.
func archive(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := os.Create(name + ".gz")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	_, err = z.Write(text)
	if err := errors.Join(err, z.Close(), f.Close()); err != nil {
		return err
	}
	return os.Remove(name)
}
