package graph

import (
	"maps"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/spool"
	"github.com/wazuh-etl/etl/runtime/state"
)

// spooled is the source of n behind its queue on disk, if it has one and there
// is a place to keep it. The log belongs to the address: it outlives the
// component. The caller has g.mu, or is New.
func (g *Graph) spooled(n *plan.Node) component.Source {
	if !n.Queue.Disk || n.Source == nil || g.options.State == nil {
		return n.Source
	}
	if _, ok := n.Source.(component.Resumable); ok {
		return n.Source // it has been wrapped, or needs no queue
	}
	log := g.spools[n.Address]
	if log == nil {
		stats := g.stats.counter(n.Address)
		log = spool.New(n.Queue, func(reason string, count int64) { g.drop(stats, n.Address, reason, count) })
		g.spools[n.Address] = log
	}
	log.SetLimits(n.Queue)
	return spool.Wrap(n.Source, log, n.Settings)
}

// forget tells the sources that keep what they give which of it nobody needs
// any more, after checkpoints are stored.
func (g *Graph) forget(stored []state.Checkpoint) {
	g.mu.Lock()
	feeds := slices.Collect(maps.Values(g.feeds))
	g.mu.Unlock()
	for _, f := range feeds {
		f.mu.Lock()
		source, ok := f.node.Source.(component.Forgetter)
		sinks, earliest := len(f.sinks), f.emitted
		settled := ok && f.tracker != nil && f.began && (sinks > 0 || f.tracker.Idle())
		f.mu.Unlock()
		if !settled {
			continue
		}
		for _, c := range stored {
			if c.Source != f.address {
				continue
			}
			sinks--
			if c.Generation != earliest.Generation {
				earliest.Offset = 0 // of a log that is gone: it does not know what it has
			}
			earliest.Offset = min(earliest.Offset, c.Offset)
		}
		if sinks <= 0 { // all of them have a position
			source.Forget(earliest)
		}
	}
}

// closeSpools closes the queues on disk.
func (g *Graph) closeSpools() {
	for address, log := range g.spools {
		if err := log.Close(); err != nil {
			g.log.Error("the queue on disk could not be closed", "component", address, "error", err)
		}
	}
}
