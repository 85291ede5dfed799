// Package graph runs a plan: it compiles the nodes into a program that workers
// walk event by event without a channel in between, puts bounded queues in
// front of the sinks, and keeps the account of what is acknowledged.
//
//	source ─ lots ─▶ workers (filters, transforms) ─ in order ─▶ queue ─▶ sink ─ .delivered, .errors ─▶ …
package graph

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/spool"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

// DeadLetters is the address of the built-in dead letters, which take every
// errors output that no component listens to.
const DeadLetters = "dead_letters"

// Options are what a graph gets beside its plan.
type Options struct {
	World world.World
	Log   *slog.Logger
	// State keeps checkpoints and component state; nil keeps none, and every
	// source starts where it starts the first time.
	State *state.Dir
	// DeadLetters takes what goes to no component's errors output.
	DeadLetters component.Sink
	// Once makes sources that would follow their input stop at its end.
	Once bool
	// Source and Sink may replace the component of a node: tests and dry runs
	// do. Nil, and a nil result, keep it.
	Source func(*plan.Node) component.Source
	Sink   func(*plan.Node) component.Sink
	// Tap sees every event at every output, before it goes on. Nil: none. It is called from several goroutines.
	Tap func(node *plan.Node, output string, e *event.Event)
}

// Graph is a running pipeline.
type Graph struct {
	options     Options
	log         *slog.Logger
	budget      *budget
	workers     int
	work        *workQueue
	stats       *registry
	connections *connections

	mu      sync.Mutex // guards what a reload changes
	plan    *plan.Plan
	program *program
	past    []*program     // what came before, while somebody walks it or may yet
	slots   map[string]int // acknowledgement slot of each sink that can be a first one
	feeds   map[string]*feed
	leaving []*feed // of sources that a reload removed, until their lots are through
	sinks   map[string]*runner
	stages  map[string]*stageRunner
	former  []*stageRunner        // of stages that a reload removed: what comes to them late, they may keep
	spools  map[string]*spool.Log // queues on disk, by the source's address

	names atomic.Pointer[map[string][]string] // of sources that were renamed, by each of their names

	queued atomic.Int64 // events between a walk and their last answer

	running  *running       // feeds' sources
	atWork   atWork         // whose code runs
	began    chan struct{}  // closed when everything was started, or could not be
	pumps    sync.WaitGroup // dispatchers, workers
	outlets  sync.WaitGroup // sinks and stages
	hard     context.Context
	kill     context.CancelCauseFunc
	sources  context.Context
	stop     context.CancelFunc
	fatal    chan error
	soon     chan struct{} // asks for a checkpoint before the next second
	stopping bool
	asked    atomic.Bool // the stop was asked for, or is for an error: the input has not ended
	badState bool        // the last checkpoint could not be stored; Run's goroutine only
	logged   map[dropKey]int64
}

// New makes the graph of p; it touches nothing outside. The error is a script
// that can't be set up.
func New(p *plan.Plan, o Options) (*Graph, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.World.Now == nil {
		o.World.Now = time.Now
	}
	g := &Graph{
		options: o, log: o.Log,
		budget:  newBudget(p.Runtime.Memory),
		workers: p.Runtime.Workers,
		stats:   newRegistry(),
		slots:   map[string]int{},
		feeds:   map[string]*feed{},
		sinks:   map[string]*runner{},
		stages:  map[string]*stageRunner{},
		spools:  map[string]*spool.Log{},
		fatal:   make(chan error, 1),
		soon:    make(chan struct{}, 1),
		logged:  map[dropKey]int64{},
		running: newRunning(),
		began:   make(chan struct{}),
	}
	if g.workers <= 0 {
		g.workers = runtime.GOMAXPROCS(0)
	}
	g.work = newWorkQueue(g.workers)
	g.connections = newConnections(g)
	g.hard, g.kill = context.WithCancelCause(context.Background())
	g.sources, g.stop = context.WithCancel(g.hard)
	program, err := g.compile(p, nil)
	if err != nil {
		return nil, err
	}
	g.plan, g.program = p, program
	g.connections.follow(p)
	g.outfit(program)
	return g, nil
}

// outfit makes runners and feeds for the nodes of program that have none yet,
// and tells the program where their queues are.
func (g *Graph) outfit(program *program) {
	for _, s := range program.steps {
		address := s.node.Address
		switch {
		case s.node.Type == plan.Sink:
			if g.sinks[address] == nil {
				g.sinks[address] = g.newRunner(s)
			}
			s.queue = g.sinks[address].queue
		case s.node.Stage != nil:
			if g.stages[address] == nil {
				g.stages[address] = g.newStageRunner(s)
			}
			s.queue = g.stages[address].queue
		case s.node.Type == plan.Source:
			if g.feeds[address] == nil {
				g.feeds[address] = g.newFeed(s)
			}
		}
	}
}

// current is the program of now, acquired: the caller releases it.
func (g *Graph) current() *program {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.program.acquire()
}

// allFeeds are those of the plan, those that are leaving, and those of
// detached sinks. The caller has g.mu.
func (g *Graph) allFeeds() []*feed {
	all := slices.AppendSeq(slices.Clone(g.leaving), maps.Values(g.feeds))
	for _, f := range slices.Clone(all) {
		all = append(all, f.sideFeeds()...)
	}
	return all
}

// deliver queues what a walk of p has made, waiting where a queue is full.
func (g *Graph) deliver(p *program, out outbox) {
	n, bytes := 0, int64(0)
	for _, events := range out {
		n += len(events)
		for _, e := range events {
			bytes += e.Size()
		}
	}
	g.queued.Add(int64(n))
	g.budget.add(bytes)
	for i, events := range out {
		if len(events) > 0 {
			// What is left over after a kill is not acknowledged: it comes again.
			_, _ = p.steps[i].queue.Push(g.hard, events)
		}
	}
}

// gone takes n events of bytes bytes off the books.
func (g *Graph) gone(n int, bytes int64) {
	g.budget.add(-bytes)
	g.queued.Add(int64(-n))
}

// allStages are those of the plan, and those that are there no more.
func (g *Graph) allStages() []*stageRunner {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.AppendSeq(slices.Clone(g.former), maps.Values(g.stages))
}

// tellHealth notes how the component of n is, and logs when it stops being well, and
// when it is well again. What was ended from here says nothing about the target.
func (g *Graph) tellHealth(n *plan.Node, stats *Counters, now error) {
	if errors.Is(now, context.Canceled) {
		return
	}
	trouble, well := "the target fails; events wait and are tried again", "the target is back"
	if n.Type == plan.Source {
		trouble, well = "the source fails, and is tried again", "the source is back"
	}
	switch failed, healed := stats.tell(now, n.Connection != nil && component.IsOfConnection(now)); {
	case failed:
		g.log.Warn(trouble, "component", n.Address, "error", now)
	case healed:
		g.log.Info(well, "component", n.Address)
	}
}

// host is what the component of s gets.
func (g *Graph) host(s *step) *component.Host {
	stats := s.stats
	h := &component.Host{
		World:   g.options.World,
		Address: s.node.Address,
		Log:     g.log.With("component", s.node.Address),
		Health:  func(err error) { g.tellHealth(s.node, stats, err) },
		State:   state.Volatile(),
		Names:   g.namesOf,
	}
	if of := s.node.Connection; of != nil {
		h.Connection = &joint{g.connections, *of, stats}
		h.Peers = func() []any { return g.connections.named(*of) }
	}
	if g.options.State != nil {
		h.StateDir = g.options.State.ComponentDir(s.node.Address)
		h.State = g.options.State.Component(s.node.Address)
	}
	return h
}
