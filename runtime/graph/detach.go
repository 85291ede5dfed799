package graph

import (
	"fmt"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// The file is the log. A sink that falls further behind than its queue holds
// does not stop the others: it is detached, and a feed of its own (a side)
// reads the source again for it, from where its queue ends. When that has
// caught up, the sink joins the source's own feed again.
//
// While a sink is detached, its position in the source's account is frozen at
// the lot it was detached at, and the side keeps account for it. Both are
// asked for the checkpoint: the source's until it is through with the lots
// before the detachment, the side's from then until it is idle.

const (
	// patience is how long a full queue may hold up the others before its sink is detached.
	patience = 250 * time.Millisecond
	// joinInterval is how often a side looks whether it has caught up.
	joinInterval = 10 * time.Millisecond
	// sideBytes is how much a side reads ahead of its sink's queue.
	sideBytes = 1 << 20
)

// keepUp queues a job's events for sinks that can be detached, and returns
// the rest of what is to be queued. A sink without room is detached.
func (f *feed) keepUp(j *job) outbox {
	if f.only >= 0 {
		return j.out
	}
	for i, events := range j.out {
		if len(events) == 0 {
			continue
		}
		s := j.program.steps[i]
		detached := f.isDetached(s.slot) // and stays so, though a reload may leave no other sink
		if s.node.Type != plan.Sink || !detached && !f.detachable(j.program, s) {
			continue
		}
		if detached || !f.enqueue(j, s, events) {
			discard(events)
		}
		j.out[i] = nil
	}
	return j.out
}

// enqueue queues events of j for the sink of s. If it is false the sink is
// detached, and has got none of them.
func (f *feed) enqueue(j *job, s *step, events []*event.Event) bool {
	bytes := sizeOf(events)
	f.g.queued.Add(int64(len(events)))
	f.g.budget.add(bytes)
	switch {
	case s.queue.PushAll(f.g.hard, events, patience):
		return true
	case f.g.hard.Err() != nil: // they are not acknowledged: they come again
		f.g.gone(len(events), bytes)
		return true
	case f.g.running.during(func() { f.detach(j, s, true) }):
	case f.g.asked.Load():
		f.detach(j, s, false)
	default: // the input has ended: there is nothing more to read, and nobody to be held up
		_, _ = s.queue.Push(f.g.hard, events)
		return true
	}
	f.g.gone(len(events), bytes)
	return false
}

// discard lets go of events of a detached sink: its side reads them again, or the next start does.
func discard(events []*event.Event) {
	for _, e := range events {
		e.Release(ack.Accepted)
	}
}

func sizeOf(events []*event.Event) (n int64) {
	for _, e := range events {
		n += e.Size()
	}
	return n
}

// detachable says whether s may be detached: the source can be read again, and
// there is another sink that would wait for it.
func (f *feed) detachable(p *program, s *step) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.slot == free || s.queue.Limits().WhenFull != plan.Block || f.node.Spec == nil || !f.resumable() {
		return false
	}
	others := 0
	for _, o := range f.sinks {
		if o.node.Address != s.node.Address && o.node.Address != DeadLetters {
			others++
		}
	}
	return others > 0 && p.direct(f.address, s)
}

// direct says whether events come from the source at address to s on ways
// without a stage only: what a stage has seen it must not see again.
func (p *program) direct(address string, s *step) bool {
	behindStage := map[*step]bool{}
	var follow func(next []*step, staged bool)
	follow = func(next []*step, staged bool) {
		for _, n := range next {
			if staged {
				if behindStage[n] {
					continue
				}
				behindStage[n] = true
			}
			if n.node.Type != plan.Sink {
				follow(n.events, staged || n.node.Stage != nil)
				follow(n.rejected, staged)
				follow(n.errors, staged || n.node.Stage != nil)
			}
		}
	}
	follow(p.byName[address].events, false)
	follow(p.byName[address].errors, false)
	return !behindStage[s]
}

func (f *feed) isDetached(slot int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sides[slot]
	return s != nil && s.detached()
}

// detach gives the sink of s, whose queue has no room for the events of j, a
// side that begins at j's lot. If nothing reads any more, for the stop was asked
// for, the side only keeps the place where the next start goes on: what is behind
// it must not come to the queue, though there may be room soon.
func (f *feed) detach(j *job, s *step, reads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.sides[s.slot]
	d := &side{sink: s.node.Address, since: f.g.options.World.Now(), gone: make(chan struct{})}
	d.feed = f.newSideFeed(s.slot)
	if old != nil { // joined before, and still owes something: that comes first
		d.feed.before = append(old.feed.before, old.feed)
	}
	if reads {
		if err := d.feed.readAgain(f.node); err != nil {
			f.g.fail(fmt.Errorf("%s: reading again for %s: %w", f.address, s.node.Address, err))
			reads = false
		}
	}
	beforeDetach.Pass()
	f.tracker.Freeze(s.slot, j.account)
	f.sides[s.slot] = d
	d.until = f.done + 1 + int64(len(f.waiting)) // j itself, and those that were opened without skipping
	said := "the sink has no room left: it is detached, and reads on from its own place in the source"
	if !reads {
		said = "the sink has no room left: what it has not taken is left to the next start"
	}
	f.g.log.Info(said, "component", s.node.Address, "source", f.address, "offset", f.passed.Offset)
	if reads {
		f.g.pumps.Go(d.feed.dispatch)
		d.feed.run([]component.Position{f.passed})
		f.g.pumps.Go(func() { f.watch(d, s.slot) })
	}
	behindDetach.Pass()
}

// watch joins the side's sink again when it has caught up.
func (f *feed) watch(d *side, slot int) {
	ticker := time.NewTicker(joinInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-d.gone:
			return
		case <-f.g.hard.Done():
			return
		}
		if f.join(d, slot) {
			f.g.log.Info("the sink has caught up", "component", d.sink, "source", f.address,
				"after", f.g.options.World.Now().Sub(d.since).Round(time.Second))
			return
		}
	}
}

// join makes the sink take part in the source's own feed again, if its side
// stands where that does, or further, and all that it read is queued. The lots
// that were opened before the detachment must have passed: they still bring
// the sink's events, which would no longer be discarded. While join looks, no
// lot is opened.
func (f *feed) join(d *side, slot int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done < d.until || !d.feed.caughtUpWith(f.emitted) || !f.tracker.Reached(slot) {
		return false
	}
	d.feed.end()
	at, _ := d.feed.position()
	if !d.feed.caughtUpWith(f.emitted) { // it gave another lot meanwhile
		d.feed.run([]component.Position{at})
		return false
	}
	beforeJoin.Pass()
	f.tracker.Thaw(slot, at)
	f.skips[slot] = &skipping{position: at, reached: true}
	d.joined.Store(true)
	behindJoin.Pass()
	return true
}

// positionOf is where slot stands, in the account of whoever keeps the oldest
// lot that is not done: the feeds of earlier detachments, then the source's own
// up to the last detachment, then the side. The caller has f.mu, for all slots
// of a checkpoint: positions of different moments do not belong together.
func (f *feed) positionOf(slot int) (component.Position, bool) {
	account := f.tracker
	if d := f.sides[slot]; d != nil {
		d.feed.before = slices.DeleteFunc(d.feed.before, (*feed).through)
		switch {
		case len(d.feed.before) > 0:
			account = d.feed.before[0].tracker
		case !f.tracker.Reached(slot):
		case d.detached() || !d.feed.through():
			account = d.feed.tracker
		default:
			delete(f.sides, slot)
		}
	}
	p, ok := account.Position(slot).(component.Position)
	return p, ok
}
