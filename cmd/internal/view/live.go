package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Live is a table at the end of a terminal's output that is drawn anew in
// place. What is written to it, log lines, appears above the table. All
// methods are safe for concurrent use.
type Live struct {
	mu      sync.Mutex
	out     io.Writer
	size    func() (columns, rows int)
	started time.Time
	plan    *plan.Plan
	meter   meter
	drawn   []string
	partial []byte // of a log line without its end
	closed  bool
}

// NewLive shows p, started at the time given, on a terminal of that size.
func NewLive(out io.Writer, size func() (columns, rows int), p *plan.Plan, started time.Time) *Live {
	return &Live{out: out, size: size, plan: p, started: started}
}

// Reloaded says that p runs now.
func (l *Live) Reloaded(p *plan.Plan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan = p
}

// Update draws what the graph does now.
func (l *Live) Update(s graph.Snapshot) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.meter.add(s)
	columns, rows := l.size()
	lines := table(l.plan, &l.meter, l.started, columns, rows)
	var b bytes.Buffer
	l.erase(&b)
	l.draw(&b, lines)
	_, err := l.out.Write(b.Bytes())
	return err
}

// Write puts complete lines above the table.
func (l *Live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.out.Write(p)
	}
	l.partial = append(l.partial, p...)
	end := bytes.LastIndexByte(l.partial, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	var b bytes.Buffer
	drawn := l.drawn
	l.erase(&b)
	b.Write(l.partial[:end])
	l.partial = append(l.partial[:0], l.partial[end:]...)
	l.draw(&b, drawn)
	if _, err := l.out.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close takes the table away; what is written later goes straight through.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	var b bytes.Buffer
	l.erase(&b)
	b.Write(l.partial)
	_, err := l.out.Write(b.Bytes())
	return err
}

// erase goes back to the table's first line and clears all below.
func (l *Live) erase(b *bytes.Buffer) {
	if len(l.drawn) > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r\x1b[J", len(l.drawn))
	}
	l.drawn = nil
}

func (l *Live) draw(b *bytes.Buffer, lines []string) {
	if len(lines) > 0 {
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	l.drawn = lines
}
