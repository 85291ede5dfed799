package graph

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Reload makes the graph run p. Nodes whose fingerprint is the same keep their
// component, with its connections, file handles and scripts' state. It returns
// as soon as new events take the new way: sinks that changed hand over behind
// their queues, and no dead target is waited for. On an error nothing has changed.
// Before Run has started everything, Reload waits for that.
func (g *Graph) Reload(p *plan.Plan) error {
	<-g.began
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping || !g.running.add() {
		return fmt.Errorf("reloading: the pipeline is stopping")
	}
	defer g.running.done()
	old := g.program
	g.adopt(p)
	known := maps.Clone(g.slots)
	next, err := g.compile(p, old)
	if err != nil {
		g.slots = known
		return err
	}
	for i := len(known); i < len(g.slots); i++ {
		for _, f := range g.allFeeds() {
			f.addSlot()
		}
	}
	g.budget.setMemory(p.Runtime.Memory)
	g.outfitReloaded(next, old)
	g.plan, g.program = p, next
	g.connections.follow(p)
	g.past = append(slices.DeleteFunc(g.past, (*program).forgotten), old)
	g.switchSinks(next, old)
	if err := g.switchStages(next, old); err != nil {
		g.fail(err)
	}
	g.switchSources(next, old)
	old.retire(next)
	g.pumps.Go(g.tellOrphans)
	behindReload.Pass()
	return nil
}

// adopt gives the nodes of p that have not changed the components that run.
func (g *Graph) adopt(p *plan.Plan) {
	for _, n := range p.Nodes {
		s := g.program.byName[n.Address]
		if s == nil || n.Fingerprint == "" || s.node.Fingerprint != n.Fingerprint || s.node.Type != n.Type {
			continue
		}
		n.Source, n.Transform, n.Stage, n.Sink = s.node.Source, s.node.Transform, s.node.Stage, s.node.Sink
	}
}

// outfitReloaded makes the runners of new sinks and stages and starts them.
func (g *Graph) outfitReloaded(next, old *program) {
	g.outfit(next)
	for address, r := range g.sinks {
		if old.byName[address] == nil {
			r.start()
		}
	}
}

// switchSinks puts changed components behind the queues of their addresses,
// and ends what is gone.
func (g *Graph) switchSinks(next, old *program) {
	for address, r := range g.sinks {
		s := next.byName[address]
		switch {
		case s == nil:
			r.remove(old)
			delete(g.sinks, address)
		default:
			r.follow(s)
		}
	}
}

func (g *Graph) switchStages(next, old *program) error {
	for address, r := range g.stages {
		s := next.byName[address]
		switch {
		case s == nil:
			r.remove(old)
			delete(g.stages, address)
			g.former = append(g.former, r)
		case old.byName[address] == nil:
			if err := r.start(); err != nil {
				return err
			}
		case s.node.Stage != old.byName[address].node.Stage:
			r.replace(s)
		}
	}
	return nil
}

// switchSources makes new lots take the new way. A source that changed goes
// on behind the last lot that its predecessor gave.
func (g *Graph) switchSources(next, old *program) {
	for address, f := range g.feeds { // first: who takes over must know where they stand
		if next.byName[address] == nil {
			delete(g.feeds, address)
			if !f.rename(next) {
				f.leave()
				g.leaving = append(g.leaving, f)
			}
		}
	}
	g.comeBack(next)
	for address, f := range g.feeds {
		s := next.byName[address]
		was := old.byName[address]
		switch {
		case f.tracker == nil:
			if err := f.start(); err != nil {
				g.fail(err)
			}
		case was == nil || s.node.Source != was.node.Source:
			f.end()
			betweenSources.Pass()
			f.mu.Lock()
			f.host = g.host(s) // its connection may be another one
			f.mu.Unlock()
			from := f.goOnFrom(s.node.Source)
			f.follow(s, next)
			f.followSides(next, true)
			f.run(from)
		default:
			f.follow(s, next)
			f.followSides(next, false)
		}
	}
}

// goOnFrom is where successor is to begin: behind the last lot, or where the
// source that gave none yet was to begin. Sinks that skip what they have go on
// doing so only where successor can come to that.
func (f *feed) goOnFrom(successor component.Source) []component.Position {
	r, ok := successor.(component.Resumable)
	if !ok {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	from := f.from
	if f.began {
		from = []component.Position{f.emitted}
	}
	_, err := f.keepSkips(r, from)
	f.unsure = component.IsNotYet(err)
	return from
}

// follow makes new lots be processed by program, for the node of s.
func (f *feed) follow(s *step, next *program) {
	f.mu.Lock()
	f.node, f.program, f.sinks = s.node, next, next.behind(f.address)
	f.mu.Unlock()
	wake(f.room) // the bounds may be wider
}

// end stops the source; what it has given goes on.
func (f *feed) end() {
	f.mu.Lock()
	stop, stopped := f.stopSource, f.stopped
	f.mu.Unlock()
	if stop == nil {
		return
	}
	stop()
	<-stopped
}

// addSlot makes room for a sink that came with a reload: it gets what is read
// from now on.
func (f *feed) addSlot() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tracker == nil {
		return // not started: it will count the slots then
	}
	var position any
	if f.began {
		position = f.emitted
	}
	f.tracker.AddSlot(position)
}

// follow makes the sink of s take over, unless it is at work already.
func (r *runner) follow(s *step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	latest := r.step
	if r.next != nil {
		latest = r.next
	}
	if latest.node.Sink == s.node.Sink {
		return
	}
	r.next = s
	if r.wait != nil {
		r.wait()
	}
}

// remove ends a sink that is in the pipeline no more. p is the last program
// that knows it, and stays for the answers that may still come.
func (r *runner) remove(p *program) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removed, r.pinned = true, p.pin()
	if r.wait != nil {
		r.wait()
	}
}

// bury sends what a removed sink still had to the dead letters: nobody else
// will take it.
func (r *runner) bury() {
	left, payloads := r.window.recallEvents()
	r.g.budget.add(-payloads)
	n := len(left)
	r.g.sendToDeadLetters(r, left)
	for {
		late := r.g.walksTo(r) // before the queue is looked at: what is pushed until then is seen
		events := r.queue.TakeAll()
		n += len(events)
		r.g.sendToDeadLetters(r, events)
		if !late && len(events) == 0 {
			break
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-r.g.hard.Done():
			return
		}
	}
	if n > 0 {
		r.g.log.Warn("the sink was removed; what it had not delivered is in the dead letters", "component", r.address, "events", n)
	}
}

// sendToDeadLetters queues events for the built-in dead letters, in the slot
// of the sink they were for.
func (g *Graph) sendToDeadLetters(r *runner, events []*event.Event) {
	if len(events) == 0 {
		return
	}
	p := g.current()
	defer p.release()
	dead := p.byName[DeadLetters]
	if dead == nil {
		r.giveUp(events)
		return
	}
	out := make(outbox, len(p.steps))
	bytes := int64(0)
	for _, e := range events {
		bytes += e.Size()
		f := event.Failf("sink_removed", "%s was removed from the pipeline before it had delivered the event", r.address)
		d := e.WithFailure(failure(f, r.address, g.options.World.Now()))
		d.Hold()
		out[dead.index] = append(out[dead.index], d)
	}
	dead.stats.in.Add(int64(len(events)))
	g.deliver(p, out)
	for _, e := range events {
		e.Release(ack.Rejected)
	}
	g.gone(len(events), bytes)
}

// walksTo says whether somebody still walks a program that leads to a removed
// sink: a lot from before the reload, or the answers of another sink.
func (g *Graph) walksTo(r *runner) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.past, func(p *program) bool {
		s := p.byName[r.address]
		return s != nil && s.queue == r.queue && p.walked()
	})
}

func (g *Graph) drainTimeout() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.plan.Runtime.DrainTimeout
}
