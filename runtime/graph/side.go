package graph

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// side is a detached sink's own way through the source. It stays known after
// the sink has joined again, until its last lots are acknowledged.
type side struct {
	feed   *feed
	sink   string // address
	since  time.Time
	joined atomic.Bool
	until  int64         // the feed's count of jobs done when all lots from before the detachment are
	gone   chan struct{} // closed to end the watch
}

func (s *side) detached() bool { return !s.joined.Load() }

// behind is how many bytes of the source the side has still to read, 0 where
// the source can't tell.
func (d *side) behind() int64 {
	d.feed.mu.Lock()
	source := d.feed.node.Source
	d.feed.mu.Unlock()
	p, ok := source.(component.Progress)
	if !ok {
		return 0
	}
	read, total := p.Progress()
	return max(total-read, 0)
}

// newSideFeed is a feed for slot alone, from the end of what is queued for it.
// The caller has f.mu.
func (f *feed) newSideFeed(slot int) *feed {
	d := &feed{
		g: f.g, address: f.address, stats: f.stats, host: f.host, node: f.node, program: f.program,
		skips: map[int]*skipping{}, only: slot, began: true, ended: true, emitted: f.passed, passed: f.passed,
		room: make(chan struct{}, 1), filled: make(chan struct{}, 1),
	}
	positions := make([]any, f.tracker.Slots())
	positions[slot] = f.passed
	// Where the sink is further than the end of the last lot, it has the beginning of the next one.
	if p, ok := f.tracker.Position(slot).(component.Position); ok && p.Generation == f.passed.Generation && p.Offset > f.passed.Offset {
		positions[slot] = p
		d.skips[slot] = &skipping{position: p, reached: true}
	}
	d.tracker = ack.NewTracker(positions, nil)
	return d
}

// readAgain gives the side feed a source of its own, like that of n.
func (d *feed) readAgain(n *plan.Node) error {
	again := *n
	if r, ok := n.Source.(component.Rereader); ok {
		again.Source, again.Queue = r.Again(), defaultQueue
	} else {
		source, err := n.Spec.NewSource(n.Config)
		if err != nil {
			return err
		}
		again.Source = source
	}
	again.Queue.MaxBytes = min(n.Queue.MaxBytes, sideBytes)
	d.node = &again
	return nil
}

// caughtUpWith says whether everything before p is queued.
func (d *feed) caughtUpWith(p component.Position) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.emitted.Generation == p.Generation && d.emitted.Offset >= p.Offset && d.empty()
}

// through says whether all that the feed has read is acknowledged.
func (f *feed) through() bool { return f.idle() && f.tracker.Idle() }

// allThrough says the same of the feed and of those of its detached sinks.
func (f *feed) allThrough() bool {
	for _, d := range f.sideFeeds() {
		if !d.through() {
			return false
		}
	}
	return f.through()
}

// sideFeeds are the feeds of detached sinks.
func (f *feed) sideFeeds() (feeds []*feed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.sides {
		feeds = append(append(feeds, d.feed), d.feed.before...)
	}
	return feeds
}

// sideOf is the side of the sink at address; nil if it is not detached.
func (f *feed) sideOf(address string) *side {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.sides {
		if d.sink == address && d.detached() {
			return d
		}
	}
	return nil
}

// followSides takes detached sinks along with a reload. again says that the
// source itself is another one now. The caller has g.mu.
func (f *feed) followSides(next *program, again bool) {
	f.mu.Lock()
	sides := maps.Clone(f.sides)
	node, sinks, host := f.node, f.sinks, f.host
	f.mu.Unlock()
	for slot, d := range sides {
		if !d.detached() {
			continue
		}
		stays := slices.ContainsFunc(sinks, func(s *step) bool { return s.slot == slot })
		if stays && !again {
			d.feed.mu.Lock()
			d.feed.program = next
			d.feed.mu.Unlock()
			continue
		}
		d.feed.end()
		if !stays {
			close(d.gone)
			f.mu.Lock()
			delete(f.sides, slot)
			f.mu.Unlock()
			continue
		}
		d.feed.mu.Lock()
		d.feed.program, d.feed.host = next, host
		err := d.feed.readAgain(node)
		at := d.feed.emitted
		d.feed.mu.Unlock()
		if err != nil {
			f.g.fail(fmt.Errorf("%s: reading again for %s: %w", f.address, d.sink, err))
			continue
		}
		d.feed.run([]component.Position{at})
	}
}

// endSides ends the feeds of detached sinks; what they gave goes on.
func (f *feed) endSides() {
	f.mu.Lock()
	sides := maps.Clone(f.sides)
	f.mu.Unlock()
	for _, d := range sides {
		if d.detached() {
			close(d.gone)
			d.feed.end()
		}
	}
}
