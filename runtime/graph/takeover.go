package graph

import (
	"fmt"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
)

// checkpoints are where the sinks stand in the source. One that has none takes
// over those of a source of the same kind and input that is in the pipeline no
// more: it was renamed. The caller has g.mu.
func (f *feed) checkpoints() (map[string]component.Position, error) {
	state := f.g.options.State
	saved := state.Checkpoints(f.address)
	claimant, ok := f.node.Source.(component.Claimant)
	if !ok || len(saved) > 0 {
		return saved, nil
	}
	for _, c := range state.All() {
		if f.g.program.byName[c.Source] != nil || kindOf(c.Source) != kindOf(f.address) || !claimant.Claims(c.Position) {
			continue
		}
		if err := state.Move(c.Source, f.address); err != nil {
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

// handOver stops the feed's own checkpoints if it is the one at address: what
// of its events is still on its way is read again by who took over.
func (f *feed) handOver(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.takenOver = f.takenOver || f.address == address
}
