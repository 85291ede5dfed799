package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Run runs the graph until ctx is done or all sources have come to an end, and
// then drains it: what is on its way gets plan.Runtime.ShutdownTimeout after ctx
// is done. Kill ends the drain at once. The error says what stopped it, or wraps
// ErrAbandoned.
func (g *Graph) Run(ctx context.Context) error {
	g.running.add() // the start itself: a source may end before the next begins
	err := g.start()
	close(g.began)
	g.running.done()
	if err != nil {
		g.kill(err)
		<-g.running.ended
		g.close()
		return err
	}
	ticker := time.NewTicker(checkpointInterval)
	defer ticker.Stop()
	// A process that is killed again and again within its first second must get on too.
	early := time.NewTicker(checkpointInterval / 5)
	defer early.Stop()
	begin := time.Now()
	var failed error
	for waiting := true; waiting; {
		select {
		case <-ticker.C:
			g.tick()
		case <-g.soon:
			g.checkpoint()
		case <-early.C:
			g.checkpoint()
			if time.Since(begin) > checkpointInterval {
				early.Stop()
			}
		case <-ctx.Done():
			waiting = false
			g.asked.Store(true)
		case failed = <-g.fatal:
			waiting = false
			g.asked.Store(true)
		case <-g.running.ended:
			waiting = false
		}
	}
	g.mu.Lock()
	g.stopping = true
	timeout := g.plan.Runtime.ShutdownTimeout
	g.mu.Unlock()

	beforeStop.Pass()
	g.stop()
	<-g.running.ended
	g.drain(ctx, failed, timeout, ticker.C)
	behindDrain.Pass()
	g.kill(errStopped)
	g.close()
	g.tick()
	behindStop.Pass()
	if failed == nil {
		select {
		case failed = <-g.fatal: // it came while the graph was drained
		default:
		}
	}
	if failed != nil {
		return failed
	}
	if n := g.uncovered(); n > 0 {
		return fmt.Errorf("%w: %d events were on their way that no checkpoint covers", ErrAbandoned, n)
	}
	return nil
}

// tick is what is due every second.
func (g *Graph) tick() {
	g.checkpoint()
	g.logDrops()
	g.logFailures()
}

var errStopped = errors.New("stopped")

// Kill ends a drain at once: what is on its way is abandoned, and covered by
// the checkpoints where its source has any.
func (g *Graph) Kill() { g.kill(errStopped) }

// start opens everything, sinks first, so that no event waits for a start.
func (g *Graph) start() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.sinks {
		if err := r.open(g.hard); err != nil {
			return err
		}
	}
	for _, r := range g.sinks {
		r.start()
	}
	for _, s := range g.stages {
		if err := s.start(); err != nil {
			return err
		}
	}
	for i := range g.workers {
		g.pumps.Go(func() { g.worker(i) })
	}
	for _, f := range g.feeds {
		if err := f.start(); err != nil {
			return err
		}
	}
	g.pumps.Go(g.tellOrphans)
	return nil
}

// drain waits until nothing is on its way. A stop that was asked for, or an
// error, gives it only timeout; input that has ended waits for its sinks.
func (g *Graph) drain(ctx context.Context, failed error, timeout time.Duration, tick <-chan time.Time) {
	var deadline <-chan time.Time
	limit := func() {
		if deadline == nil {
			deadline = time.After(timeout)
		}
	}
	if failed != nil {
		limit()
	}
	done := ctx.Done()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	flushed := false
	for {
		if g.idle() {
			if stages := g.allStages(); len(stages) == 0 || flushed && !slices.ContainsFunc(stages, (*stageRunner).hadToFlush) {
				return
			} else { // again, until no stage gives another something to keep
				for _, s := range stages {
					s.orderFlush()
				}
				flushed = true
			}
		}
		select {
		case <-poll.C:
		case <-tick:
			g.tick()
		case <-done:
			done = nil
			limit()
		case <-deadline:
			return
		case <-g.hard.Done():
			return
		}
	}
}

// idle says whether no event is on its way to anybody who must have it or can
// take it: receipts for a target that fails hold up no end.
func (g *Graph) idle() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.allFeeds() {
		if !f.idle() {
			return false
		}
	}
	hopeless := 0
	for _, r := range g.sinks {
		hopeless += r.hopeless()
	}
	// What an event becomes is counted before the event itself is gone, so
	// that behind idle sources zero means that all is done.
	return g.queued.Load() <= int64(hopeless)
}

// close waits for every goroutine and closes the components.
func (g *Graph) close() {
	g.work.close()
	g.pumps.Wait()
	g.outlets.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.sinks {
		r.close()
		r.leave()
	}
	g.program.close(nil)
	g.connections.close()
	g.closeSpools()
}

// fail stops the graph with err; the first one counts.
func (g *Graph) fail(err error) {
	select {
	case g.fatal <- err:
	default:
	}
}

// ErrAbandoned is wrapped by Run's error when events were given up that no
// checkpoint covers.
var ErrAbandoned = errors.New("events abandoned")
