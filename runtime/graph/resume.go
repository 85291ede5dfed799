package graph

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// resume lets only those sinks skip what they have whose positions the source comes to from the earliest of from; the
// others get everything from there on. An error of component.NotYet leaves this to await.
// The source has given nothing yet, or the caller has f.mu.
func (f *feed) resume(from []component.Position) error {
	r, ok := f.node.Source.(component.Resumable)
	if f.unsure = false; !ok || len(from) == 0 {
		return nil
	}
	was := maps.Clone(f.skips)
	if _, err := f.keepSkips(r, from); err != nil {
		f.unsure = component.IsNotYet(err)
		return fmt.Errorf("%s: resuming: %w", f.address, err)
	}
	for _, s := range f.sinks {
		if p := was[s.slot]; p != nil && f.skips[s.slot] == nil {
			f.g.log.Warn("a checkpoint can't be found in the input: the sink gets everything from the earliest one that can",
				"component", f.address, "slot", s.node.Address, "generation", p.position.Generation, "offset", p.position.Offset)
			if !f.began {
				f.tracker.Forget(s.slot)
			}
		}
	}
	return nil
}

// await resumes as soon as the source can say what it comes to, if it could not yet.
func (f *feed) await(ctx context.Context, from []component.Position) error {
	for told := false; ; told = true {
		f.mu.Lock()
		unsure, err := f.unsure, error(nil)
		if unsure {
			err = f.resume(from)
		}
		f.mu.Unlock()
		switch {
		case err == nil && told:
			f.host.Health(nil)
			return nil
		case !component.IsNotYet(err):
			return err
		}
		if f.host.Health(err); !told {
			f.g.log.Warn("the source can't go on where its sinks stand yet, trying again", "component", f.address, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// keepSkips lets only those sinks go on skipping what they have whose positions r comes to,
// if it goes on from the earliest of from. all says that it comes to each of from and of those. The caller has f.mu.
func (f *feed) keepSkips(r component.Resumable, from []component.Position) (all bool, err error) {
	asked := slices.Clone(from)
	var slots []int
	for slot, s := range f.skips {
		slots, asked = append(slots, slot), append(asked, s.position)
	}
	reachable, err := r.Resume(f.host, asked)
	if component.IsNotYet(err) {
		return false, err
	}
	for i, slot := range slots {
		if err != nil || !reachable[len(from)+i] {
			delete(f.skips, slot)
		}
	}
	return err == nil && !slices.Contains(reachable, false), err
}
