package service

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"github.com/wazuh-etl/etl/cmd/internal/console"
	"github.com/wazuh-etl/etl/cmd/internal/view"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// redraw is how often the live table is drawn.
const redraw = 200 * time.Millisecond

// openLog sets up the log, above the live table where a person looks on.
func (s *Service) openLog(started time.Time) {
	out := io.Writer(s.told)
	if s.Terminal && !s.printsThere() {
		s.live = view.NewLive(s.told, terminalSize(s.Stderr), s.plan, started)
		out = s.live
	}
	s.log = s.logTo(out)
}

func (s *Service) logTo(out io.Writer) *slog.Logger {
	if s.JSON {
		return slog.New(console.NewJSON(out, s.Level))
	}
	return slog.New(console.New(out, s.Level, s.Printer.Color))
}

// printsThere says whether the pipeline itself writes to the terminal: its lines
// and a table that is drawn in place would spoil each other.
func (s *Service) printsThere() bool {
	f, ok := s.Stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && slices.ContainsFunc(s.plan.Nodes, func(n *plan.Node) bool {
		return n.Type == plan.Sink && n.Kind == "stdout"
	})
}

func terminalSize(w io.Writer) func() (columns, rows int) {
	return func() (int, int) {
		if f, ok := w.(*os.File); ok {
			if columns, rows, err := term.GetSize(int(f.Fd())); err == nil {
				return columns, rows
			}
		}
		return 80, 24
	}
}

// draw draws the live table. A terminal that is gone is no reason to stop.
func (s *Service) draw() {
	if s.live != nil {
		_ = s.live.Update(s.graph.Snapshot())
	}
}

func (s *Service) closeLive() {
	if s.live != nil {
		_ = s.live.Close()
		s.live = nil
	}
}

// reporter tells regularly how it goes: the live table to a person, a log line
// and the service manager's status line else.
type reporter struct {
	service *Service
	live    *time.Ticker
	stats   *time.Ticker
	last    graph.Snapshot
}

func newReporter(s *Service) *reporter {
	interval := s.plan.Runtime.StatsInterval
	r := &reporter{service: s, live: time.NewTicker(redraw), stats: time.NewTicker(interval), last: s.graph.Snapshot()}
	if s.live == nil {
		r.live.Stop()
	}
	return r
}

func (r *reporter) stop() {
	r.live.Stop()
	r.stats.Stop()
}

// log writes the statistics line.
func (r *reporter) log() {
	s := r.service
	now := s.graph.Snapshot()
	if s.live == nil {
		s.log.LogAttrs(context.Background(), slog.LevelInfo, "stats", view.Stats(s.plan, r.last, now)...)
	}
	s.tell(s.notify.Status(view.Status(s.plan, now)))
	r.last = now
	r.stats.Reset(s.plan.Runtime.StatsInterval)
}
