package watch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// terminal is a double: it does what a terminal does with what screen writes, and fails for anything else.
type terminal struct {
	t testing.TB

	mu        sync.Mutex
	lines     []string
	row       int
	alternate bool
	cursor    bool
	wraps     bool
	writes    int
	written   strings.Builder // everything
}

func newTerminal(t testing.TB) *terminal { return &terminal{t: t, cursor: true, wraps: true} }

func (v *terminal) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writes++
	v.written.Write(p)
	rest := string(p)
	for rest != "" {
		text, after, _ := strings.Cut(rest, "\x1b[")
		if text != "" {
			v.put(text)
		}
		if len(text) == len(rest) {
			break
		}
		end := strings.IndexFunc(after, func(r rune) bool { return r >= '@' && r <= '~' })
		v.command(after[:end], after[end])
		rest = after[end+1:]
	}
	return len(p), nil
}

func (v *terminal) put(text string) {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		v.t.Errorf("%q reaches the terminal", text)
	}
	for len(v.lines) <= v.row {
		v.lines = append(v.lines, "")
	}
	v.lines[v.row] = text // screen writes whole lines
}

func (v *terminal) command(arguments string, final byte) {
	switch on := final == 'h'; {
	case arguments == "?1049" && (on || final == 'l'):
		v.alternate, v.lines = on, nil
	case arguments == "?25" && (on || final == 'l'):
		v.cursor = on
	case arguments == "?7" && (on || final == 'l'):
		v.wraps = on
	case final == 'H':
		row, _, _ := strings.Cut(arguments, ";")
		n, _ := strconv.Atoi(row)
		v.row = max(n, 1) - 1
	case final == 'K' && arguments == "":
	case final == 'J' && arguments == "":
		v.lines = v.lines[:min(len(v.lines), v.row)]
	default:
		v.t.Errorf("a command that is not known: %s%c", arguments, final)
	}
}

func (v *terminal) shows() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.lines)
}

func (v *terminal) restored() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.alternate && v.cursor && v.wraps && strings.HasSuffix(v.written.String(), leaveScreen)
}

func TestScreenWritesWhatHasChanged(t *testing.T) {
	v := newTerminal(t)
	s := &screen{out: v}
	if err := s.enter(); err != nil {
		t.Fatal(err)
	}
	if !v.alternate || v.cursor || v.wraps {
		t.Error("it has not entered")
	}
	for i, lines := range [][]string{{"a", "b", "c"}, {"a", "x", "c"}, {"a"}, {"a", "b", "c", "d"}, {}} {
		before := v.writes
		if err := s.draw(lines); err != nil {
			t.Fatal(err)
		}
		if got := v.shows(); !slices.Equal(got, lines) {
			t.Errorf("%d: %q, want %q", i, got, lines)
		}
		if v.writes != before+1 {
			t.Errorf("%d: %d writes", i, v.writes-before)
		}
	}
	before := v.writes
	_ = s.draw([]string{})
	if v.writes != before {
		t.Error("nothing has changed, and it is written")
	}
	_ = s.draw([]string{"a", "b"})
	v.written.Reset()
	_ = s.draw([]string{"a", "c"})
	if got := v.written.String(); strings.Contains(got, "a") {
		t.Errorf("the line that stays is written: %q", got)
	}
	s.forget()
	_ = s.draw([]string{"a", "c"})
	if got := fmt.Sprint(v.shows()); got != "[a c]" || v.writes != before+3 {
		t.Errorf("%s after %d writes", got, v.writes-before)
	}
	if err := s.leave(); err != nil || !v.restored() {
		t.Errorf("%v: it is not as it was", err)
	}
}
