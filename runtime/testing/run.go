// Package testing runs the test blocks of a pipeline: it feeds what a test
// gives to the sources through the real graph, with sinks that only write down
// what they would have sent, and holds that against what the test expects.
package testing

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Options of a run.
type Options struct {
	World  world.World
	Log    *slog.Logger // of the components; nil discards
	Update bool         // write what came out as the new goldens
}

// Result is how one test went.
type Result struct {
	Test     *plan.Test
	Failures []Failure
	Updated  []string // goldens that Update wrote
	Trace    []Journey
	Duration time.Duration
}

// Passed says whether the test did.
func (r *Result) Passed() bool { return len(r.Failures) == 0 }

// Failure is one expectation that was not met.
type Failure struct {
	Range   diag.Range // of the expect, or of the test for what nobody expected
	Message string
	Diff    string // lines; empty where there is nothing to compare
}

// Run runs one test of p, which must have been loaded with the test's variables
// and for this test alone: components keep state.
func Run(ctx context.Context, p *plan.Plan, t *plan.Test, o Options) (*Result, error) {
	began := time.Now()
	rec := newRecorder(p, t)
	rec.mockTransforms()
	w := o.World
	w.Now = rec.clock.Now
	quiet := *p
	quiet.Runtime.Workers = 1
	g, err := graph.New(&quiet, graph.Options{
		World: w, Log: o.Log,
		DeadLetters: rec.sink(&plan.Node{Address: graph.DeadLetters}),
		Source:      rec.source,
		Sink:        func(n *plan.Node) component.Sink { return rec.sink(n) },
		Tap:         rec.tap,
	})
	if err != nil {
		return nil, err
	}
	rec.clock.graph = g
	if err := g.Run(ctx); err != nil {
		return nil, err
	}
	r := &Result{Test: t}
	c := checker{recorder: rec, result: r, update: o.Update}
	c.check()
	r.Trace = rec.journeys()
	r.Duration = time.Since(began)
	return r, nil
}

// recorder writes down what happens at every output and sink.
type recorder struct {
	plan  *plan.Plan
	test  *plan.Test
	clock *clock
	turns *turns

	mu      sync.Mutex
	outputs map[place][]*event.Event
	order   []*happening
}

// place is an output of a node, or of all nodes of a group; at a sink the empty output is what it sends.
type place struct{ address, output string }

// happening is an event at a place, in the order of time.
type happening struct {
	place place
	event *event.Event
}

func newRecorder(p *plan.Plan, t *plan.Test) *recorder {
	return &recorder{plan: p, test: t, clock: newClock(t), turns: newTurns(p, t), outputs: map[place][]*event.Event{}}
}

func (r *recorder) record(at place, e *event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outputs[at] = append(r.outputs[at], e)
	r.order = append(r.order, &happening{at, e})
}

func (r *recorder) tap(n *plan.Node, output string, e *event.Event) {
	if n.Address == graph.DeadLetters {
		return
	}
	r.record(place{n.Address, output}, e)
	if n.Group != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		at := place{n.Group, output}
		r.outputs[at] = append(r.outputs[at], e)
	}
}
