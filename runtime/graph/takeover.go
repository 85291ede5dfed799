package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/spool"
)

// checkpoints are where the sinks stand in the source. One that has none takes
// over those of a source of the same kind and input that is in the pipeline no
// more: it was renamed. The caller has g.mu.
func (f *feed) checkpoints() (map[string]component.Position, error) {
	state := f.g.options.State
	if queued, ok := f.node.Source.(*spool.Source); ok {
		if err := f.takeOverQueue(queued.Settings()); err != nil {
			return nil, err
		}
	}
	saved := state.Checkpoints(f.address)
	claimant, ok := f.node.Source.(component.Claimant)
	if !ok || len(saved) > 0 {
		return saved, nil
	}
	for _, c := range state.All() {
		if f.g.program.byName[c.Source] != nil || kindOf(c.Source) != kindOf(f.address) || !claimant.Claims(c.Position) {
			continue
		}
		if err := f.g.succeed(f.address, c.Source); err != nil {
			return nil, fmt.Errorf("%s: taking over the checkpoints of %s: %w", f.address, c.Source, err)
		}
		for _, l := range f.g.leaving {
			l.handOver(c.Source)
		}
		f.g.log.Info("the source takes over the checkpoints of one that is gone and read the same", "component", f.address, "from", c.Source)
		return state.Checkpoints(f.address), nil
	}
	return saved, nil
}

// takeOverQueue gives the source the queue on disk of one of the same kind and settings that is in
// the pipeline no more, unless it has one. What is cut off at any point is done by the
// next start. The caller has g.mu.
func (f *feed) takeOverQueue(settings string) error {
	own := f.g.queueOf(f.address)
	if settings == "" || own.Kept() {
		return nil
	}
	orphans, err := f.g.orphans()
	if err != nil {
		return err
	}
	for _, from := range orphans {
		old := f.g.queueOf(from)
		if f.g.program.byName[from] != nil || kindOf(from) != kindOf(f.address) || old.Settings() != settings {
			continue
		}
		if log := f.g.spools[from]; log != nil {
			delete(f.g.spools, from)
			if err := log.Close(); err != nil {
				return fmt.Errorf("%s: closing the queue of %s: %w", f.address, from, err)
			}
		}
		for _, l := range f.g.leaving {
			l.handOver(from)
		}
		if err = f.g.succeed(f.address, from); err == nil {
			err = old.Move(own)
		}
		if err != nil {
			return fmt.Errorf("%s: taking over the queue of %s: %w", f.address, from, err)
		}
		f.g.log.Info("the source takes over the queue on disk of one that is gone and had the same settings", "component", f.address, "from", from)
		return nil
	}
	return nil
}

// kindOf is the "source.file" of source.file.alerts.
func kindOf(address string) string {
	parts := strings.SplitN(address, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// leave ends a source that a reload removed, and stores where its sinks stand:
// another source may go on there.
func (f *feed) leave() {
	f.endSides()
	f.end()
	if f.g.options.State == nil {
		return
	}
	if err := f.g.options.State.Save(f.appendCheckpoints(nil)); err != nil {
		f.g.log.Warn("where the removed source stands can't be stored", "component", f.address, "error", err)
	}
}

// rename makes the feed of a source that a reload removed that of a new one of its kind which reads the same, as if
// only its settings had changed: what is on its way stays on its account, so nothing comes twice. false where none is, or the stored
// checkpoints alone can tell: a queue on disk, detached sinks, nothing read yet. The caller has g.mu.
func (f *feed) rename(next *program) bool {
	state := f.g.options.State
	if state == nil || !f.standsAlone() {
		return false
	}
	f.mu.Lock()
	at := f.emitted
	f.mu.Unlock()
	for _, s := range next.steps {
		address := s.node.Address
		heir, ok := s.node.Source.(component.Claimant)
		if !ok || f.g.feeds[address].tracker != nil || kindOf(address) != kindOf(f.address) || len(state.Checkpoints(address)) > 0 || !heir.Claims(at) {
			continue
		}
		f.leave()
		if err := f.g.succeed(address, f.address); err != nil { // the start of the heir is told the same
			return false
		}
		f.g.log.Info("the source takes over from one that is gone and read the same", "component", address, "from", f.address)
		f.take(address, s.stats)
		f.g.learnNames()
		return true
	}
	return false
}

// comeBack makes the feeds of removed sources that are in the pipeline again go on, if events of theirs are still on
// their way: the stored checkpoints know nothing of those yet. The caller has g.mu.
func (g *Graph) comeBack(next *program) {
	g.leaving = slices.DeleteFunc(g.leaving, func(f *feed) bool {
		if back := g.feeds[f.address]; back == nil || back.tracker != nil || !f.standsAlone() {
			return false
		}
		f.take(f.address, next.byName[f.address].stats)
		return true
	})
}

// standsAlone says whether the feed's account is all there is to know of where the source stands.
func (f *feed) standsAlone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, queued := f.node.Source.(*spool.Source)
	return f.began && !queued && !f.takenOver && len(f.sides) == 0
}

// take makes the feed that of address. The caller has g.mu.
func (f *feed) take(address string, stats *Counters) {
	f.mu.Lock()
	f.address, f.stats = address, stats
	f.mu.Unlock()
	f.g.feeds[address] = f
}

// handOver stops the feed's own checkpoints if it is the one at address: what
// of its events is still on its way is read again by who took over.
func (f *feed) handOver(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.takenOver = f.takenOver || f.address == address
}
