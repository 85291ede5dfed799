package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// feed is one source at work: it takes the source's lots into the queue behind
// it, has them processed by the workers, and passes the results on in order.
type feed struct {
	g       *Graph
	address string
	stats   *Counters
	host    *component.Host // of the source there is now
	tracker *ack.Tracker

	mu      sync.Mutex
	node    *plan.Node
	program *program // that new lots are processed by
	sinks   []*step  // that its events can come to first, and that count
	waiting []*job   // in order, not yet passed on
	bytes   int64
	events  int
	skips   map[int]*skipping
	from    []component.Position // where the source was told to begin
	fresh   bool                 // the source has given no lot since
	emitted component.Position   // behind the last lot
	began   bool                 // emitted is set
	room    chan struct{}
	filled  chan struct{}
	ended   bool // the source will emit no more
	passing bool // the dispatcher is at work on a job

	// only is the slot that the feed reads again for, of a detached sink; -1 for a source's own feed.
	only  int
	sides map[int]*side // detached sinks, by slot
	// before are feeds that read for only earlier and still owe something.
	before []*feed
	// passed is where the source stood behind the last lot whose events are all queued.
	passed component.Position
	done   int64 // jobs that have left waiting for good

	takenOver bool // another source has its checkpoints now
	unsure    bool // the source could not say yet what it comes to: it is asked again before it runs

	stopSource context.CancelFunc
	stopped    chan struct{} // closed when the source's Run has returned
}

func (g *Graph) newFeed(s *step) *feed {
	return &feed{
		g: g, address: s.node.Address, stats: s.stats, host: g.host(s), node: s.node,
		skips: map[int]*skipping{}, only: -1, sides: map[int]*side{},
		room: make(chan struct{}, 1), filled: make(chan struct{}, 1),
	}
}

// start opens the account at the checkpoints of the sinks and runs the source.
// The caller has g.mu.
func (f *feed) start() error {
	positions := make([]any, len(f.g.slots))
	from, err := f.stand(positions)
	if err != nil {
		return err
	}
	f.g.learnNames()
	f.program, f.sinks = f.g.program, f.g.program.behind(f.address)
	f.tracker = ack.NewTracker(positions, nil)
	if err := f.resume(from); err != nil && (f.g.options.Once || !component.IsNotYet(err)) {
		return err
	}
	f.g.pumps.Go(f.dispatch)
	f.run(from)
	return nil
}

// stand fills in where each slot stands, and lets each skip what it has.
func (f *feed) stand(positions []any) (from []component.Position, err error) {
	if f.g.options.State == nil {
		return nil, nil
	}
	saved, err := f.checkpoints()
	if _, ok := f.node.Source.(component.Resumable); !ok || err != nil {
		return nil, err
	}
	for _, sink := range f.g.program.behind(f.address) {
		if p, ok := saved[sink.node.Address]; ok {
			from = append(from, p)
			positions[sink.slot] = p
			f.skips[sink.slot] = &skipping{position: p}
		}
	}
	// A sink that has no checkpoint while others have one is new: it starts
	// with the earliest of them, and does not get what was before.
	return from, nil
}

// run runs the source from there on.
func (f *feed) run(from []component.Position) {
	ctx, cancel := context.WithCancel(f.g.sources)
	stopped := make(chan struct{})
	f.mu.Lock()
	f.stopSource, f.stopped, f.ended = cancel, stopped, false
	f.from, f.fresh = from, true
	source, host := f.node.Source, f.host
	f.mu.Unlock()
	if f.g.options.Once {
		if s, ok := source.(component.Finite); ok {
			s.Finite()
		}
	}
	f.g.running.add()
	go func() {
		defer f.g.running.done()
		defer close(stopped)
		defer cancel()
		err := f.await(ctx, from)
		if err == nil {
			f.g.atWork.do(f.address, func() { err = source.Run(ctx, host, from, f) })
		}
		f.mu.Lock()
		f.ended = true
		f.mu.Unlock()
		if err != nil && !errors.Is(err, context.Canceled) {
			f.g.fail(fmt.Errorf("%s: %w", f.address, err))
		}
	}()
}

// Emit takes a lot of the source: component.Output.
func (f *feed) Emit(ctx context.Context, lot *component.Lot) error {
	if err := f.g.budget.wait(ctx); err != nil {
		return err
	}
	for {
		f.mu.Lock()
		if f.fits(lot) {
			break
		}
		policy := f.queue().WhenFull
		var dropped *job
		switch policy {
		case plan.DropNewest:
			dropped = f.open(lot)
		case plan.DropOldest:
			dropped = f.takeOldest()
		}
		f.mu.Unlock()
		if dropped != nil {
			f.giveUp(dropped, policy)
			if policy == plan.DropNewest {
				return nil
			}
			continue
		}
		select {
		case <-f.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	j := f.open(lot)
	f.waiting = append(f.waiting, j)
	f.bytes += j.bytes
	f.events += j.events
	f.mu.Unlock()
	f.g.work.put(j)
	wake(f.filled)
	return nil
}

// fits says whether the queue has room for lot; one alone always has.
func (f *feed) fits(lot *component.Lot) bool {
	q := f.queue()
	return len(f.waiting) == 0 || f.events+len(lot.Lines) <= q.MaxEvents && f.bytes+held(lot) <= q.MaxBytes
}

// queue bounds what waits in memory. The caller has f.mu.
func (f *feed) queue() plan.Queue {
	if f.node.Queue.Disk { // its other bounds are those of the log
		return plan.Queue{MaxEvents: f.node.Queue.MaxEvents, MaxBytes: defaultQueue.MaxBytes, WhenFull: plan.Block}
	}
	return f.node.Queue
}

// open starts the account of a lot and makes its job. The caller has f.mu.
func (f *feed) open(lot *component.Lot) *job {
	if !f.began && f.only < 0 && len(lot.Lines) > 0 {
		f.begin(lot)
	}
	if f.fresh {
		f.fresh = false
		f.checkResumed(lot)
	}
	f.began, f.emitted = true, lot.Position
	j := &job{
		feed: f, address: f.address, program: f.program.acquire(), lot: lot,
		bytes: held(lot), events: len(lot.Lines),
		done: make(chan struct{}),
	}
	j.skip = f.skipped(lot)
	j.account = f.tracker.Open(lot.Position, j.events, j.bytes, j.skip.held(lot.Position), lot.Settled)
	f.g.budget.add(j.bytes)
	return j
}

// checkResumed looks whether the first lot is of one of the generations that
// the source was told to go on in. If it is not, and not because one of them is gone that was
// before, what sinks have already may never come by, and none skips: twice is better than
// never. The caller has f.mu.
func (f *feed) checkResumed(lot *component.Lot) {
	if len(f.skips) == 0 || slices.ContainsFunc(f.from, func(p component.Position) bool { return p.Generation == lot.Stream.Generation }) {
		return
	}
	if r, ok := f.node.Source.(component.Resumable); ok {
		if all, err := f.keepSkips(r, f.from); !all && err == nil {
			return
		}
	}
	f.g.log.Warn("the source did not go on where its sinks stand: they get everything from here on", "component", f.address)
	clear(f.skips)
}

// held is what a lot may come to hold, in bytes, if all its lines are kept.
func held(lot *component.Lot) int64 {
	return int64(len(lot.Data) + len(lot.Lines)*event.Overhead)
}

// begin gives the slots that have no position the one before the first lot:
// from then on every sink has a checkpoint of its own.
func (f *feed) begin(lot *component.Lot) {
	p := lot.Position
	p.Generation, p.Offset = lot.Generation(), lot.Offset(0)
	f.tracker.Begin(p)
	f.passed = p
	wake(f.g.soon)
}

// skipped says which slots have events of lot already.
func (f *feed) skipped(lot *component.Lot) skips {
	if len(f.skips) == 0 && len(f.sides) == 0 {
		return nil
	}
	var s skips
	for slot, side := range f.sides {
		if side.detached() {
			s = s.with(slot, math.MaxInt64, f.tracker.Slots())
		}
	}
	for slot, skipping := range f.skips {
		offset, over := skipping.before(lot.Generation())
		if over || len(lot.Lines) > 0 && lot.Offset(0) >= offset {
			delete(f.skips, slot)
			continue
		}
		s = s.with(slot, offset, f.tracker.Slots())
	}
	return s
}

// takeOldest takes the oldest job that no worker has begun out of the queue.
func (f *feed) takeOldest() *job {
	for i, j := range f.waiting {
		if j.state.CompareAndSwap(jobWaiting, jobDropped) {
			f.waiting = slices.Delete(f.waiting, i, i+1)
			f.done++
			f.bytes -= j.bytes
			f.events -= j.events
			return j
		}
	}
	return nil
}

// giveUp ends a lot that a full queue drops.
func (f *feed) giveUp(j *job, policy plan.WhenFull) {
	f.g.drop(f.stats, f.address, string(policy), int64(j.events))
	f.g.budget.add(-j.bytes)
	f.finish(j)
}

// finish ends the processing of a job's lot.
func (f *feed) finish(j *job) {
	j.account.Processed()
	j.lot.Free()
	j.lot = nil
	j.program.release()
}

// dispatch passes the results of the jobs on in the order of their lots.
func (f *feed) dispatch() {
	for {
		f.mu.Lock()
		var j *job
		if len(f.waiting) > 0 && f.waiting[0].state.Load() != jobWaiting {
			j = f.waiting[0]
			f.passing = true
		}
		f.mu.Unlock()
		if j == nil {
			select {
			case <-f.filled:
				continue
			case <-f.g.hard.Done():
				return
			}
		}
		f.pass(j)
	}
}

// pass queues what came of a job.
func (f *feed) pass(j *job) {
	<-j.done
	f.mu.Lock()
	f.waiting[0] = nil
	f.waiting = f.waiting[1:]
	f.bytes -= j.bytes
	f.events -= j.events
	f.mu.Unlock()
	wake(f.room)
	if !j.aborted { // else the lot stays open: its positions do not move
		f.g.deliver(j.program, f.keepUp(j))
		f.g.budget.add(-j.bytes)
		position := j.lot.Position
		f.finish(j)
		f.mu.Lock()
		f.passed = position
		f.mu.Unlock()
	}
	f.mu.Lock()
	f.passing = false
	f.done++
	f.mu.Unlock()
}

// idle says whether no lot is on its way to a queue.
func (f *feed) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended && f.empty()
}

// empty says whether all that the source has given is queued. The caller has f.mu.
func (f *feed) empty() bool { return len(f.waiting) == 0 && !f.passing }

// position is where the source stands behind the last lot it gave.
func (f *feed) position() (component.Position, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.emitted, f.began
}

// wake leaves a token in c.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
