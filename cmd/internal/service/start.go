package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// errNotStarted says that the process was told to stop before there was a pipeline to run.
var errNotStarted = errors.New("stopped before the start")

// start loads the pipeline. A signal to stop is answered at once, whatever the load waits for: nothing
// has been touched yet. One to reload is kept until the pipeline runs, since what the load has read
// may be older.
func (s *Service) start(ctx context.Context) (*plan.Plan, error) {
	type loaded struct {
		plan *plan.Plan
		err  error
	}
	done := make(chan loaded, 1)
	go func() {
		p, err := s.load()
		done <- loaded{p, err}
	}()
	for {
		select {
		case sig := <-s.Signals.Orders:
			if s.ordered(sig) {
				return nil, errNotStarted
			}
		case <-ctx.Done():
			return nil, errNotStarted
		case l := <-done:
			return l.plan, l.err
		}
	}
}

// ordered notes what a signal orders before there is a pipeline, and says whether it is to stop.
func (s *Service) ordered(sig os.Signal) (stop bool) {
	if sig == syscall.SIGHUP {
		s.outdated = true
		return false
	}
	s.log = s.logTo(s.told)
	s.log.Info("stopping: the pipeline is not loaded yet, nothing was read", "signal", sig.String())
	s.tell(s.notify.Stopping())
	return true
}

// load loads the pipeline and prints what is wrong with it.
func (s *Service) load() (*plan.Plan, error) {
	p, list := load.Pipeline(s.Path, s.Options)
	if p != nil && p.Runtime.TemporaryState && !s.KeepState && !s.DryRun {
		dir, err := os.MkdirTemp("", "etl-")
		if err != nil {
			return nil, fmt.Errorf("making a temporary state directory: %w", err)
		}
		// Paths below the state directory are in the plan: make it again.
		s.KeepState, s.Options.StateDir = true, dir
		p, list = load.Pipeline(s.Path, s.Options)
	}
	if err := s.Printer.Text(s.Stderr, list); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, ErrRefused
	}
	return p, nil
}
