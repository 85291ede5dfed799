// Package service runs one pipeline as a process: it loads it, keeps its state
// to itself, listens to signals, loads it again, and tells people and the
// service manager how it goes.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/cmd/internal/sdnotify"
	"github.com/wazuh-etl/etl/cmd/internal/self"
	"github.com/wazuh-etl/etl/cmd/internal/signals"
	"github.com/wazuh-etl/etl/cmd/internal/view"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/reload"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

// ErrRefused says that the pipeline is not fit to run; it has been told why.
var ErrRefused = errors.New("refused")

// ErrConfiguration is wrapped by errors of the machine's set-up: a state
// directory in use.
var ErrConfiguration = errors.New("configuration")

// closing is what a stop takes beside the drain, at most: connections that are
// ended, positions that are saved.
const closing = 10 * time.Second

// Service is one run of etl.
type Service struct {
	Path      string
	Options   lang.Options
	KeepState bool // the operator named the state directory
	Once      bool
	DryRun    bool
	Watch     bool
	Verbose   bool        // a line for each component in the summary
	AtOnce    func() bool // says, when ctx is done, that nothing more is to be delivered; nil: no
	Signals   *signals.Signals

	Stdout, Stderr io.Writer
	Printer        diag.Printer
	Terminal       bool // show the live table on Stderr
	JSON           bool // log as JSON
	Level          slog.Level

	world    world.World
	log      *slog.Logger
	told     *hiding // Stderr, without secrets
	live     *view.Live
	notify   *sdnotify.Notifier
	plan     *plan.Plan
	outdated bool // a signal asked for a reload before there was a plan
	graph    *graph.Graph
	running  atomic.Pointer[graph.Graph] // graph, for who watches over the run
	watcher  *reload.Watcher
}

// Run runs the pipeline until it ends or ctx does.
func (s *Service) Run(ctx context.Context) error {
	started := time.Now()
	s.world = world.OS()
	s.notify = sdnotify.New(os.Getenv("NOTIFY_SOCKET"))
	s.told = &hiding{out: s.Stderr}
	s.told.hide(nil)
	end := lastResort{out: s.told, hanging: s.atWork, exit: os.Exit}.watch(s.Signals.Stops)
	defer end()
	p, err := s.start(ctx)
	switch {
	case errors.Is(err, errNotStarted):
		return nil
	case err != nil:
		return err
	}
	s.plan = p
	s.limitMemory(p)
	s.told.hide(p.Secrets)
	s.openLog(started)
	defer s.closeLive()

	o := graph.Options{World: s.world, Log: s.log, Once: s.Once}
	var dead dryDeadLetters
	if s.DryRun {
		o.Once = true
		o.Sink = newDryRun(s.Stdout).sink
		o.DeadLetters = &dead
	} else {
		closeState, err := s.openState(p, &o)
		if err != nil {
			return err
		}
		defer closeState()
	}
	if s.graph, err = graph.New(p, o); err != nil {
		return err
	}
	s.running.Store(s.graph)
	err = s.serve(ctx)
	s.closeLive()
	var untold error
	if s.DryRun {
		untold = dead.tell(s.told)
	} else {
		untold = view.Summary(s.told, s.plan, s.graph.Snapshot(), time.Since(started), o.DeadLetters, self.Command(), s.Verbose)
	}
	if err != nil {
		return err
	}
	return untold
}

// limitMemory makes the garbage collector keep the process within what the pipeline may hold. The collector does not
// count the program's code, of which up to 32 MiB are resident.
func (s *Service) limitMemory(p *plan.Plan) {
	const code = 32 << 20
	if m := p.Runtime.Memory; m > 0 {
		debug.SetMemoryLimit(max(m/2, m-code))
	}
}

// openState locks and opens the state directory, and the built-in dead letters in it.
func (s *Service) openState(p *plan.Plan, o *graph.Options) (closeState func(), err error) {
	path := filepath.Join(s.Options.StateDir, p.Name)
	unlock, err := state.Lock(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfiguration, err)
	}
	dir, warnings, err := state.Open(s.world.FS, path, p.Name)
	if err != nil {
		unlock()
		return nil, fmt.Errorf("%w: %w", ErrConfiguration, err)
	}
	for _, w := range warnings {
		s.log.Warn(w)
	}
	s.log.Info("state is kept", "directory", path)
	o.State = dir
	o.DeadLetters = file.BuiltinDeadLetters(filepath.Join(path, "dead_letters.jsonl"))
	return unlock, nil
}

// serve runs the graph and answers to signals.
func (s *Service) serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changed := make(chan struct{}, 1)
	s.watcher = reload.NewWatcher(s.world, s.plan.Reads)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		if s.Watch {
			s.watcher.Run(ctx, func() { changed <- struct{}{} })
		}
	}()
	defer func() { stop(); <-watching }()

	ended := make(chan error, 1)
	go func() { ended <- s.graph.Run(ctx) }()
	s.tell(s.notify.Ready())
	if s.outdated {
		s.reload()
	}

	reports := newReporter(s)
	defer reports.stop()
	stopping, over := false, ctx.Done()
	for {
		select {
		case err := <-ended:
			return err
		case <-over:
			over = nil
			if s.AtOnce != nil && s.AtOnce() {
				s.graph.Kill()
			}
		case sig := <-s.Signals.Orders:
			switch {
			case sig == syscall.SIGHUP:
				s.reload()
			case !stopping:
				stopping = true
				s.log.Info("stopping: what is on its way is delivered; a second signal stops at once", "signal", sig.String())
				s.tell(s.notify.Stopping())
				s.tell(s.notify.Extend(s.plan.Runtime.ShutdownTimeout + closing))
				stop()
			default:
				s.log.Warn("stopping at once", "signal", sig.String())
				s.graph.Kill()
			}
		case <-changed:
			s.log.Info("a file of the pipeline has changed")
			s.reload()
		case <-reports.live.C:
			s.draw()
		case <-reports.stats.C:
			reports.log()
		}
	}
}

// atWork says who has not stopped.
func (s *Service) atWork() []string {
	if g := s.running.Load(); g != nil {
		return g.AtWork()
	}
	return []string{"the start"}
}

// reload makes the graph run what the files say now, if that is good.
func (s *Service) reload() {
	s.tell(s.notify.Reloading())
	defer func() { s.tell(s.notify.Ready()) }()
	p, list := load.Pipeline(s.Path, s.Options)
	for _, d := range list {
		level := slog.LevelWarn
		if d.Severity == diag.Error {
			level = slog.LevelError
		}
		s.log.Log(context.Background(), level, d.Message, "code", string(d.Code), "at", d.Range.String(), "suggestion", d.Suggestion)
	}
	if p == nil {
		s.log.Error("reload refused: the pipeline goes on as it was")
		return
	}
	if p.Name != s.plan.Name {
		s.log.Error("reload refused: a new name of the pipeline means a new state directory, which needs a restart", "name", p.Name)
		return
	}
	if p.Runtime.Workers != s.plan.Runtime.Workers {
		s.log.Warn("the number of workers changes with a restart only")
	}
	if err := s.graph.Reload(p); err != nil {
		s.log.Error("reload refused: the pipeline goes on as it was", "error", err)
		return
	}
	s.plan = p
	s.told.hide(p.Secrets)
	s.limitMemory(p)
	s.watcher.Set(p.Reads)
	if s.live != nil {
		s.live.Reloaded(p)
	}
	s.log.Info("reloaded")
}

// tell is for what the service manager does not get to hear: worth a line, not
// an end.
func (s *Service) tell(err error) {
	if err != nil {
		s.log.Warn("the service manager can't be told", "error", err)
	}
}
