package chaos

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

// class is what becomes of a line.
type class uint8

const (
	good     class = iota
	filtered       // no sink wants it
	poison         // target a refuses it for itself: to the dead letters
	broken         // no event: to the dead letters
)

// line is one alert as it was written.
type line struct {
	text   string
	class  class
	doomed time.Time // when it was cut off without being in a copy: nobody needs to have seen it
	hidden bool      // and there was nothing before it in the file that was copied
}

// style is how the file rotates.
type style string

const (
	byNumber   style = "number" // alerts.json.1 is the newest
	byCount    style = "count"  // alerts.json.1 is the oldest
	byDate     style = "date"
	bySuffix   style = "suffix" // alerts.json.aaa, as nobody can foretell
	byLink     style = "wazuh"
	byTruncate style = "copytruncate"
)

var styles = []style{byNumber, byCount, byDate, bySuffix, byLink, byTruncate}

// writer writes alerts as a manager does, and rotates as logrotate or the manager does.
type writer struct {
	h      *harness
	rng    *rand.Rand
	style  style
	head   string // a first line that all files have
	copies int    // of so many truncations one has no copy; 0: each has one

	mu      sync.Mutex // guards file against a loss of power
	file    world.File
	name    string // under which file was opened
	files   int
	lost    bool // what a file held was truncated away and is in no copy
	first   int  // line of the file
	lines   []*line
	asked   int           // rotations
	archive int           // compressions
	written chan struct{} // closed at the end
	allowed int           // lines that may be written: the next fault comes first
	wake    chan struct{}
	turn    chan struct{} // has a token while the file is rotated
}

func newWriter(h *harness, rng *rand.Rand, s style) *writer {
	w := &writer{h: h, rng: rng, style: s, written: make(chan struct{}), wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
	w.copies = []int{0, 0, 1, 4}[rng.IntN(4)]
	if rng.IntN(5) == 0 && s != byTruncate { // copies with the same first line can't be told apart
		w.head = `{"head":"the same in all files"}` + "\n"
	}
	w.begin()
	return w
}

func (w *writer) must(err error) {
	if err != nil {
		w.h.violate("the writer itself failed: %v", err)
	}
}

// begin opens the next file, under the names that it has at its beginning.
func (w *writer) begin() {
	w.files++
	w.name = alertsPath
	if w.style == byLink {
		day := w.files
		w.name = path.Join(alertsDir, "2025", []string{"Jan", "Feb", "Mar"}[day/28%3], fmt.Sprintf("ossec-alerts-%02d.json", day%28+1))
		w.must(w.h.files.MkdirAll(path.Dir(w.name), 0o755))
	}
	w.open()
	if w.style == byLink {
		if w.files > 1 {
			w.must(w.h.files.Remove(alertsPath))
		}
		w.must(w.h.files.Link(w.name, alertsPath))
	}
	w.mu.Lock()
	w.first = len(w.lines)
	w.mu.Unlock()
	w.put(w.head)
}

func (w *writer) open() {
	f, err := w.h.files.OpenFile(w.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	w.must(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil { // its inode may be another file's some day
		w.must(w.file.Close())
	}
	w.file = f
}

// powerLoss takes what is not synced, but for alerts: those are what is owed.
func (w *writer) powerLoss(torn func(string, int) int) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.must(w.h.syncAlerts(alertsDir))
	w.h.files.Crash(torn)
	f, err := w.h.files.OpenFile(w.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	w.must(err)
	w.file = f
}

func (w *writer) put(text string) {
	if text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.file.Write([]byte(text))
	w.must(err)
}

// run writes count lines.
func (w *writer) run(count int) {
	defer close(w.written)
	for w.count() < count {
		for w.count() >= w.limit() {
			<-w.wake
		}
		w.pause(40)
		for w.take(&w.asked) {
			w.turn <- struct{}{}
			w.rotate()
			<-w.turn
		}
		// Archives that begin alike can't be told apart either, and have times of their own, by which files
		// are ordered whose names say nothing.
		for w.take(&w.archive) && w.head == "" && w.style != bySuffix {
			w.turn <- struct{}{}
			w.must(w.compress(alertsDir))
			<-w.turn
		}
		w.burst(min(1+w.rng.IntN(8), count-w.count()))
	}
}

// pause waits for up to most milliseconds.
func (w *writer) pause(most int) {
	time.Sleep(time.Duration(w.rng.IntN(most*1000)) * time.Microsecond)
}

// burst writes n lines, in one or several pieces.
func (w *writer) burst(n int) {
	if n <= 0 { // a rotation has written the last ones
		return
	}
	var b strings.Builder
	for range n {
		b.WriteString(w.line().text + "\n")
	}
	text := b.String()
	for w.rng.IntN(8) == 0 && !(w.style == byTruncate && w.first == len(w.lines)-n) { // who has read two bytes only takes any copy for one of the file
		cut := w.rng.IntN(len(text))
		w.put(text[:cut])
		text = text[cut:]
		w.pause(300)
	}
	w.put(text)
}

// line makes the next line.
func (w *writer) line() *line {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.lines)
	l := &line{class: good}
	pad := strings.Repeat("x", w.rng.IntN(120))
	if w.rng.IntN(200) == 0 {
		pad = strings.Repeat("x", 20_000)
	}
	l.text = fmt.Sprintf(`{"n":%d,"rule":{"level":%d},"pad":"%s"}`, n, w.rng.IntN(15), pad)
	switch {
	case n%10 == 3:
		l.class = filtered
	case n%10 == 5 && w.rng.IntN(3) == 0:
		l.class = poison
	case w.rng.IntN(60) == 0:
		l.class = broken
		l.text = fmt.Sprintf(`{"n":%d,"rule":{"level":}}`, n)
	case w.rng.IntN(90) == 0:
		l.class = broken
		l.text = fmt.Sprintf(`"n":%d is no object`, n)
	}
	w.lines = append(w.lines, l)
	return l
}

func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.lines)
}

func (w *writer) classOf(n int) class {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n < 0 || n >= len(w.lines) {
		return filtered
	}
	return w.lines[n].class
}

// text is line n.
func (w *writer) text(n int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n >= len(w.lines) {
		return ""
	}
	return w.lines[n].text
}

// gone says whether a file is gone that had lines in it.
func (w *writer) gone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

func (w *writer) limit() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.allowed
}

// allow lets the writer go on up to n lines.
func (w *writer) allow(n int) {
	w.mu.Lock()
	w.allowed = n
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// ask asks for a rotation, or for a compression, between two lines.
func (w *writer) ask(what *int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*what++
}

func (w *writer) take(what *int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *what == 0 {
		return false
	}
	*what--
	return true
}

// rotate begins a new file.
func (w *writer) rotate() {
	w.h.strike(rotation)
	w.h.note("rotation %s behind line %d", w.style, w.count()-1)
	if w.style == byTruncate {
		w.truncate()
		return
	}
	switch w.style {
	case byNumber:
		w.shift()
		w.moved(alertsPath + ".1")
	case byCount:
		w.moved(fmt.Sprintf("%s.%d", alertsPath, w.files))
	case bySuffix:
		w.moved(fmt.Sprintf("%s.%c%c%c", alertsPath, 'a'+w.files/676, 'a'+w.files/26%26, 'a'+w.files%26))
	case byDate:
		w.moved(fmt.Sprintf("%s-202511%02d", alertsPath, w.files))
	}
	w.begin()
}

// moved renames the file, to which the writer may go on writing for a while.
func (w *writer) moved(to string) {
	w.must(w.h.files.Rename(alertsPath, to))
	w.name = to
	if w.rng.IntN(2) == 0 {
		w.pause(600)
		w.burst(1 + w.rng.IntN(5))
	}
	if w.rng.IntN(4) == 0 {
		w.put(w.line().text) // a last line without line break
	}
	if w.rng.IntN(2) == 0 {
		w.pause(600)
	}
}

// shift makes room for a new alerts.json.1.
func (w *writer) shift() {
	for n := w.files; n >= 1; n-- {
		for _, ending := range []string{"", ".gz"} {
			from, to := fmt.Sprintf("%s.%d%s", alertsPath, n, ending), fmt.Sprintf("%s.%d%s", alertsPath, n+1, ending)
			if _, err := w.h.files.Stat(from); err == nil {
				w.must(w.h.files.Rename(from, to))
			}
		}
	}
}

// compress puts a .gz in the place of each file below directory that is not the
// current one.
func (w *writer) compress(directory string) error {
	now, err := w.h.files.Stat(alertsPath)
	if err != nil {
		return err
	}
	_, inode := w.h.files.Identity(now)
	entries, err := w.h.files.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(directory, e.Name())
		if e.IsDir() {
			if err := w.compress(name); err != nil {
				return err
			}
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if _, i := w.h.files.Identity(info); i == inode || path.Ext(name) == ".gz" {
			continue
		}
		w.h.strike(compression)
		w.h.note("compressing %s", name)
		if err := w.gzip(name); err != nil {
			return err
		}
	}
	return nil
}

// gzip makes name.gz of name, which takes its time, and removes name.
func (w *writer) gzip(name string) error {
	text, err := w.h.files.ReadFile(name)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	f, err := w.h.files.OpenFile(name+".gz", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	for part := packed.Bytes(); len(part) > 0; {
		n := min(len(part), 1+w.rng.IntN(len(part)))
		if _, err := f.Write(part[:n]); err != nil {
			return err
		}
		part = part[n:]
		w.pause(100)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return w.h.files.Remove(name)
}

// truncate copies the file and cuts it to nothing. What is written in between
// is lost unless somebody has read it before.
func (w *writer) truncate() {
	w.files++
	copied := w.copies == 0 || w.rng.IntN(w.copies) > 0
	if copied {
		w.shift()
		data, err := w.h.files.ReadFile(alertsPath)
		w.must(err)
		f, err := w.h.files.OpenFile(alertsPath+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
		w.must(err)
		for len(data) > 0 { // a copy takes its time
			n := min(len(data), 1+w.rng.IntN(len(data)))
			_, err = f.Write(data[:n])
			w.must(err)
			data = data[n:]
			w.pause(5)
		}
		w.must(f.Close())
	}
	from := w.count()
	more := w.rng.IntN(3) == 0
	if more {
		w.burst(1 + w.rng.IntN(5))
	}
	w.mu.Lock()
	if !copied {
		from = w.first
	}
	w.lost = w.lost || !copied
	for _, l := range w.lines[from:] {
		l.doomed, l.hidden = time.Now(), from == w.first
	}
	w.first = len(w.lines)
	w.must(w.file.Truncate(0))
	w.mu.Unlock()
	time.Sleep(time.Millisecond)
	w.pause(600)
	w.put(w.head)
}
