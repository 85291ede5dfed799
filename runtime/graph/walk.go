package graph

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

// walk takes events through the steps of a program, depth first, up to the
// queues in front of sinks and stages. It belongs to one goroutine.
//
// An event that is looked at in place (scratch) is copied only when something
// other than a filter wants it: what filters drop costs nothing.
type walk struct {
	program *program
	crew    crew
	now     func() time.Time
	out     outbox
	counts  []tally // by step index; added to the shared counters after each lot
	skip    skips   // sinks that have this lot's events already
	at      int64   // where this line stands among the lot's positions
	only    int     // the slot that events are for; -1: all

	sifter *sifter // what is known of the lot under way; nil: nothing
	found  sieve.Found
	can    sieve.Row // conditions that can be true for scratch
	passed uint32    // lines that were passed over

	scratch *event.Event // the recycled event under way; nil when walking kept ones
	kept    *event.Event // scratch's copy, once there is one
	slab    event.Slab
	made    []*event.Event     // by the transforms under way, of each behind those of the one before
	collect func(*event.Event) // adds to made
	seen    []visit            // of steps with several inputs, by this source event
	serial  uint32
}

type visit struct {
	step   *step
	serial uint32
}

// tally is what one lot adds to a node's counters.
type tally struct{ in, out, rejected, errors uint32 }

// add adds t n times.
func (c *tally) add(t tally, n uint32) {
	c.in += n * t.in
	c.out += n * t.out
	c.rejected += n * t.rejected
	c.errors += n * t.errors
}

// outbox is what goes to the queues, by step index.
type outbox [][]*event.Event

// begin readies w for a lot or batch under p.
func (w *walk) begin(p *program, c crew, skip skips, only int) {
	if w.program != p {
		w.program, w.crew = p, c
		w.counts = make([]tally, len(p.steps))
		w.out = make(outbox, len(p.steps))
	}
	if w.collect == nil {
		w.collect = func(e *event.Event) { w.made = append(w.made, e) }
	}
	w.skip, w.only, w.sifter = skip, only, nil
}

// end adds the counts of the lot and returns what is to be queued.
func (w *walk) end() outbox {
	w.countPassed()
	for i := range w.counts {
		if c := &w.counts[i]; *c != (tally{}) {
			// What a detached sink reads again has been counted before it.
			if s := w.program.steps[i]; w.only < 0 || s.node.Type == plan.Sink {
				s.stats.add(*c)
			}
			*c = tally{}
		}
	}
	out := w.out
	w.out = make(outbox, len(w.program.steps))
	return out
}

// next readies w for the next event. scratch is it if it is a recycled one,
// else nil.
func (w *walk) next(scratch *event.Event) {
	w.seen, w.serial, w.made = w.seen[:0], 0, w.made[:0]
	w.scratch, w.kept = scratch, nil
}

// send gives e to every step of next. serial names the event among those that
// came of one source event.
func (w *walk) send(from *step, output string, next []*step, e *event.Event, serial uint32) {
	if w.program.tap != nil {
		w.program.tap(from.node, output, w.keep(e))
	}
	for _, s := range next {
		if s.multi && w.visited(s, serial) {
			continue
		}
		w.step(s, e, serial)
	}
}

// visited says whether the event has come to s before: a list of inputs is a set.
func (w *walk) visited(s *step, serial uint32) bool {
	v := visit{s, serial}
	for _, o := range w.seen {
		if o == v {
			return true
		}
	}
	w.seen = append(w.seen, v)
	return false
}

func (w *walk) step(s *step, e *event.Event, serial uint32) {
	c := &w.counts[s.index]
	switch {
	case s.node.Type == plan.Sink:
		if w.only >= 0 && s.slot != w.only || s.slot != free && w.skip.has(s.slot, w.at) {
			return
		}
		c.in++
		e = w.keep(e).ForSlot(s.slot)
		e.Hold()
		w.out[s.index] = append(w.out[s.index], e)
	case s.node.Stage != nil && !s.node.Disabled:
		if w.only >= 0 {
			return // no sink behind a stage is ever detached
		}
		c.in++
		e = w.keep(e)
		e.HoldAll()
		w.out[s.index] = append(w.out[s.index], e)
	case s.node.Disabled:
		c.in++
		c.out++
		w.send(s, plan.Events, s.events, e, serial)
	case s.node.Type == plan.Filter:
		c.in++
		switch ok, err := w.holds(s, e); {
		case err != nil:
			w.fail(s, e, err)
		case ok:
			c.out++
			w.send(s, plan.Events, s.events, e, serial)
		default:
			c.rejected++
			if len(s.rejected) > 0 || w.program.tap != nil {
				w.send(s, plan.Rejected, s.rejected, e, serial)
			}
		}
	default:
		c.in++
		w.transform(s, e, serial)
	}
}

func (w *walk) transform(s *step, e *event.Event, serial uint32) {
	c := &w.counts[s.index]
	e = w.keep(e)
	from := len(w.made)
	err := process(w.crew[s.index], e, w.collect)
	if err != nil {
		w.made = w.made[:from]
		w.fail(s, e, err)
		return
	}
	to := len(w.made)
	if from == to {
		c.rejected++
	}
	for i := from; i < to; i++ {
		d := w.made[i]
		c.out++
		n := serial
		if d != e {
			w.serial++
			n = w.serial
		}
		w.send(s, plan.Events, s.events, d, n)
	}
	clear(w.made[from:to])
	w.made = w.made[:from]
}

// process calls a worker. A component that panics costs its event, not the
// pipeline.
func process(worker component.Worker, e *event.Event, out func(*event.Event)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = crashed(r)
		}
	}()
	return worker.Process(e, out)
}

// crashed is the failure of an event that made a component panic.
func crashed(r any) *event.Failure {
	f := event.Failf("panic", "the component crashed: %v", r)
	f.Trace = string(debug.Stack())
	return f
}

// fail sends e to the errors output of s. What a script or a target says may
// be made of a secret: it would be kept, and sent on, with the reason.
func (w *walk) fail(s *step, e *event.Event, err error) {
	w.counts[s.index].errors++
	f := failure(err, s.node.Address, w.now())
	f.Message, f.Trace = w.program.secrets.Replace(f.Message), w.program.secrets.Replace(f.Trace)
	e = w.keep(e).WithFailure(f)
	if w.only < 0 {
		s.stats.failed(e, f)
	}
	w.serial++
	w.send(s, plan.Errors, s.errors, e, w.serial)
}

// keep makes e an event that may live on.
func (w *walk) keep(e *event.Event) *event.Event {
	if e != w.scratch || e == nil {
		return e
	}
	if w.kept == nil {
		w.kept = e.Keep(&w.slab)
	}
	return w.kept
}

// failure makes any error a *event.Failure of the component at address.
func failure(err error, address string, now time.Time) *event.Failure {
	var f *event.Failure
	if errors.As(err, &f) {
		c := *f
		f = &c
	} else {
		f = &event.Failure{Code: "error", Message: fmt.Sprint(err)}
	}
	if f.Component == "" {
		f.Component = address
	}
	if f.Time.IsZero() {
		f.Time = now
	}
	return f
}
