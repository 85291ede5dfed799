//go:build integration

package chaos

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// line is one alert as it was written.
type line struct {
	text   string // without its line break
	wanted bool   // the pipeline's filter lets it through
	file   int    // which of the writer's files it is in
	offset int64  // in that file
	doomed bool   // truncated away, in no copy: it need not have been seen, if that is told
}

// ledger is what was written: line n is alert number n.
type ledger struct {
	rng *rand.Rand

	mu    sync.Mutex
	lines []line
	more  chan struct{} // closed when there are more lines
}

func newLedger(rng *rand.Rand) *ledger { return &ledger{rng: rng, more: make(chan struct{})} }

// filter is the condition that wanted stands for.
const filter = "rule.level >= 3"

// next makes an alert that will stand at offset of a file.
func (l *ledger) next(file int, offset int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.lines)
	pad := 60 + l.rng.IntN(240)
	if l.rng.IntN(200) == 0 {
		pad = 20_000
	}
	level := 3 + l.rng.IntN(13)
	if n%10 == 3 {
		level = 1
	}
	text := fmt.Sprintf(`{"timestamp":"2026-03-01T12:00:00.000+0000","rule":{"level":%d,"groups":["sshd"]},"agent":{"id":"%03d"},"n":%d,"full_log":"%s"}`,
		level, n%7, n, strings.Repeat("x", pad))
	l.lines = append(l.lines, line{text: text, wanted: level > 1, file: file, offset: offset})
	close(l.more)
	l.more = make(chan struct{})
	return text
}

// from are the lines from number n on, and a channel that is closed when there are more.
func (l *ledger) from(n int) ([]line, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[min(n, len(l.lines)):len(l.lines):len(l.lines)], l.more
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

// owed is how many lines every sink must get.
func (l *ledger) owed() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if line.wanted && !line.doomed {
			n++
		}
	}
	return n
}

// last is the number of the last line that every sink must get; -1 if there is none.
func (l *ledger) last() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.lines) - 1
	for n >= 0 && (!l.lines[n].wanted || l.lines[n].doomed) {
		n--
	}
	return n
}

// doom is for the lines of a file that is truncated without a copy.
func (l *ledger) doom(file int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.lines {
		if l.lines[i].file == file {
			l.lines[i].doomed = true
		}
	}
}

// snapshot is the lines as they are.
func (l *ledger) snapshot() []line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]line(nil), l.lines...)
}

var numberPattern = regexp.MustCompile(`"n":(\d+),`)

// numberIn is the number of an alert; -1 if it has none.
func numberIn(text []byte) int {
	m := numberPattern.FindSubmatch(text)
	if m == nil {
		return -1
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return -1
	}
	return n
}
