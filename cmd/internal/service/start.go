package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// errNotStarted says that the process was told to stop before there was a pipeline to run.
var errNotStarted = errors.New("stopped before the start")

// start loads the pipeline. A signal to stop is answered at once, whatever the load waits for: nothing
// has been touched yet. One to reload is kept until the pipeline runs, since what the load has read
// may be older.
func (s *Service) start(ctx context.Context) (*plan.Plan, error) {
	done := make(chan loaded, 1)
	go func() { done <- s.load() }() // it says nothing: nobody may wait for it any more
	for {
		select {
		case sig := <-s.Signals.Orders:
			if s.ordered(sig) {
				return nil, errNotStarted
			}
		case <-ctx.Done():
			return nil, errNotStarted
		case l := <-done:
			if l.err != nil {
				return nil, l.err
			}
			if err := s.Printer.Text(s.Stderr, l.found); err != nil {
				return nil, err
			}
			if l.plan == nil {
				return nil, ErrRefused
			}
			return l.plan, nil
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

// loaded is what a load gives.
type loaded struct {
	plan  *plan.Plan // nil if one finding is an error
	found diag.List
	err   error
}

func (s *Service) load() loaded {
	p, found := load.Pipeline(s.Path, s.Options)
	if p != nil && p.Runtime.TemporaryState && !s.KeepState && !s.DryRun {
		dir, err := os.MkdirTemp("", "etl-")
		if err != nil {
			return loaded{err: fmt.Errorf("making a temporary state directory: %w", err)}
		}
		// Paths below the state directory are in the plan: make it again.
		s.KeepState, s.Options.StateDir = true, dir
		p, found = load.Pipeline(s.Path, s.Options)
	}
	return loaded{plan: p, found: found}
}
