package letters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/deadletter"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

// inFlight is how many events are under way at most: so many may come twice
// after a kill.
const inFlight = 500

// Replay sends dead letters through their pipeline again.
type Replay struct {
	Plan     *plan.Plan
	World    world.World
	Log      *slog.Logger
	State    *state.Dir // nil in a dry run
	Archives []*deadletter.Archive
	Where    *Where
	// Sink makes the doubles of a dry run, which takes nothing out; nil is none.
	Sink func(*plan.Node) component.Sink

	flying chan struct{} // a token for each event under way
	wake   chan struct{} // has a token when something is to be noted

	mu      sync.Mutex
	letters map[origin]*letter
	through []*letter // that are through and not noted yet
	late    [][]string
	result  Result
}

// letter is an event and all the records that there are of it.
type letter struct {
	records  []kept
	attempts int // so far
	chosen   bool
	again    []again // how it failed this time
	stays    bool    // it failed as part of another event: its records stay as they are
	outcome  ack.Outcome
	through  bool
}

// kept is a record in an archive.
type kept struct {
	archive int // its index
	print   deadletter.Fingerprint
}

// again is a record of this time. archive is -1 if no store would get it.
type again struct {
	archive int
	text    string
}

// Result counts events.
type Result struct {
	Chosen int            // to be sent
	Went   int            // that went through
	Again  int            // that failed again
	Unable map[string]int // chosen, that can't be sent, by why
}

// Left is how many have no answer; their records are as they were.
func (r Result) Left() int { return r.Chosen - r.Went - r.Again }

// Run sends what is chosen through the pipeline. What went through is taken out
// of the archives, what failed again gets another record in its place. An event with several records is
// sent once, and all of them are settled with it. The result counts even where there is an error.
func (r *Replay) Run(ctx context.Context) (Result, error) {
	dry := r.Sink != nil
	if !dry { // what a replay that was killed has noted comes first
		if err := r.compact(); err != nil {
			return r.result, err
		}
	}
	if err := r.choose(); err != nil || r.result.Chosen == 0 {
		return r.result, err
	}
	r.late = make([][]string, len(r.Archives))
	r.wake = make(chan struct{}, 1)
	r.flying = make(chan struct{}, inFlight)
	for _, n := range r.Plan.Nodes {
		if n.Stage != nil {
			r.flying = make(chan struct{}, r.result.Chosen) // it may keep any number of events
		}
		n.Queue.Disk = false // the store is the log
		if n.Type == plan.Source || n.Required {
			n.Queue.WhenFull = plan.Block
		}
	}
	g, err := graph.New(r.Plan, graph.Options{
		World: r.World, Log: r.Log, State: r.State, Once: true,
		DeadLetters: &store{replay: r, archive: 0},
		Source:      func(n *plan.Node) component.Source { return &source{replay: r, node: n} },
		Sink:        r.double,
		Tap:         r.tap,
	})
	if err != nil {
		return r.result, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	noting := make(chan error, 1)
	ended := make(chan struct{})
	go func() { noting <- r.keepNotes(ended, stop, dry) }()
	err = g.Run(ctx)
	if errors.Is(err, graph.ErrAbandoned) {
		err = nil // their records are still there
	}
	close(ended)
	err = errors.Join(err, <-noting)
	if !dry {
		err = errors.Join(err, r.appendLate(), r.compact())
	}
	return r.result, err
}

func (r *Replay) compact() error {
	for _, a := range r.Archives {
		if err := a.Compact(); err != nil {
			return err
		}
	}
	return nil
}

// choose finds the events that are to be sent.
func (r *Replay) choose() error {
	r.letters = map[origin]*letter{}
	r.result.Unable = map[string]int{}
	unable := map[origin]bool{}
	for i, a := range r.Archives {
		_, err := a.Each(func(rec *deadletter.Record) error {
			o := originIn(rec)
			chosen := r.Where.Chooses(rec)
			if why := r.unable(rec); why != "" {
				if chosen && !unable[o] {
					unable[o] = true
					r.result.Unable[why]++
				}
				return nil
			}
			l := r.letters[o]
			if l == nil {
				l = &letter{}
				r.letters[o] = l
			}
			l.records = append(l.records, kept{i, rec.Fingerprint()})
			l.attempts = max(l.attempts, rec.Attempts, 1)
			if chosen && !l.chosen {
				l.chosen = true
				r.result.Chosen++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unable says why the event of a record can't be sent; empty if it can.
func (r *Replay) unable(rec *deadletter.Record) string {
	known := slices.ContainsFunc(r.Plan.Nodes, func(n *plan.Node) bool { return n.Type == plan.Source && n.Address == rec.Source })
	switch {
	case !known:
		return fmt.Sprintf("the pipeline has no %s", rec.Source)
	case rec.Bytes() == nil:
		return "the original bytes are not there: it stands for several events"
	case rec.Code == event.CodeLineTooLong:
		return "only the beginning of the line is there"
	}
	return ""
}

func (r *Replay) chosen(o origin) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.letters[o]
	return l != nil && l.chosen
}

// double is what stands in for the sink n: nil keeps it.
func (r *Replay) double(n *plan.Node) component.Sink {
	path := pathOf(n)
	for i, a := range r.Archives {
		if a.Path() == path {
			return &store{replay: r, archive: i}
		}
	}
	if r.Sink != nil {
		return r.Sink(n)
	}
	return nil
}

// tap sees what fails, whoever takes it.
func (r *Replay) tap(_ *plan.Node, output string, e *event.Event) {
	if output == plan.Errors {
		r.fails(-1, e)
	}
}

// fails notes that e is on its way to an archive.
func (r *Replay) fails(archive int, e *event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.letters[originOf(e)]
	if l == nil {
		return
	}
	if e.Origin().Raw() == nil { // it stands for several events
		l.stays = true
		return
	}
	if f := e.Failure(); f != nil {
		more := *f
		more.Attempts = l.attempts + max(f.Attempts, 1)
		e = e.WithFailure(&more)
	}
	text := string(deadletter.AppendRecord(nil, e))
	switch {
	case !l.through:
		l.again = append(l.again, again{archive, text})
	case archive >= 0: // of a sink that nobody waits for
		r.late[archive] = append(r.late[archive], text)
	}
}

// settled notes that an event is through.
func (r *Replay) settled(o origin, outcome ack.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.letters[o]
	l.through, l.outcome = true, outcome
	r.through = append(r.through, l)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
