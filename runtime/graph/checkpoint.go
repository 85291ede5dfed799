package graph

import (
	"slices"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
)

// checkpointInterval is how often positions are stored: what was delivered
// since is delivered again after a crash.
const checkpointInterval = time.Second

// defaults of a node that the plan does not bound.
var (
	defaultQueue = plan.Queue{MaxEvents: 10_000, MaxBytes: 16 << 20, WhenFull: plan.Block}
	defaultRetry = plan.Retry{Min: 100 * time.Millisecond, Max: 30 * time.Second}
)

// checkpoint stores where every sink stands in every source, if that changed.
// A failure is the operator's to know and the next round's to mend.
func (g *Graph) checkpoint() {
	if g.options.State == nil {
		return
	}
	g.mu.Lock()
	var all []state.Checkpoint
	for _, f := range g.allFeeds() {
		all = f.appendCheckpoints(all)
	}
	g.leaving = slices.DeleteFunc(g.leaving, (*feed).allThrough)
	g.mu.Unlock()
	beforeCheckpoint.Pass()
	if err := g.options.State.Save(all); err != nil {
		g.checkpointFailed(err)
		return
	}
	behindCheckpoint.Pass()
	g.checkpointFailed(nil)
	g.forget(all)
}

// appendCheckpoints appends where the sinks behind the source stand.
func (f *feed) appendCheckpoints(all []state.Checkpoint) []state.Checkpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tracker == nil || f.takenOver || !f.resumable() {
		return all
	}
	for _, sink := range f.sinks {
		if p, ok := f.positionOf(sink.slot); ok {
			all = append(all, state.Checkpoint{Source: f.address, Sink: sink.node.Address, Position: p})
		}
	}
	return all
}

// resumable says whether the source can be asked again. The caller has f.mu.
func (f *feed) resumable() bool {
	_, ok := f.node.Source.(component.Resumable)
	return ok
}

// checkpointFailed logs the first failure of a row, and its end.
func (g *Graph) checkpointFailed(err error) {
	switch {
	case err != nil && !g.badState:
		g.log.Error("checkpoints can't be stored; a restart would deliver again what is delivered from now on", "error", err)
	case err == nil && g.badState:
		g.log.Info("checkpoints are stored again")
	}
	g.badState = err != nil
}

// uncovered counts the events that were given up and that no checkpoint brings
// again: those of sources that can't be asked again.
func (g *Graph) uncovered() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.allFeeds() {
		if f.tracker == nil || f.resumable() && g.options.State != nil {
			continue
		}
		events, _ := f.tracker.InFlight()
		n += events
	}
	return n
}
