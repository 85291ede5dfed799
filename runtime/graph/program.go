package graph

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/queue"
)

// program is a compiled plan. It does not change: a reload makes another one.
type program struct {
	steps  []*step // in the order of the plan; step.index is the index
	byName map[string]*step
	// crews are the workers of each transform, by who calls them ("0", "1" for
	// the graph's workers, else the address of a sink or stage): one for each
	// goroutine, so that they need no locks.
	crews   map[string]crew
	tap     func(*plan.Node, string, *event.Event)
	secrets *strings.Replacer // hides the values of sensitive variables

	mu      sync.Mutex
	users   int      // jobs and answers that walk it, and pins
	pins    int      // removed sinks and stages, which may walk it yet
	retired *program // its successor; the workers that one has not taken over are closed after the last user
}

// crew is one goroutine's component.Worker of each transform, by step index.
type crew []*hand

// hand is one goroutine's worker of one transform; programs that follow each
// other share it while the transform does not change.
type hand struct{ component.Worker }

// step is one node of the program.
type step struct {
	index int
	node  *plan.Node
	stats *Counters
	// next are the steps behind each output. They are sets: a step that an
	// unchanged event can reach over two ways has multi set.
	events, rejected, errors, delivered []*step
	multi                               bool
	slot                                int          // sinks: where they are accounted for as first sink
	queue                               *queue.Queue // sinks and stages
	sifter                              *sifter      // sources; nil: nothing is known before events are made
	sieved                              plan.Sieved  // filters; nil: nothing is known of the condition
	condition                           int          // of sieved, among those of the program
}

// free is the slot of sinks that nobody waits for.
const free = 1 << 30

// hider replaces secrets, the longest of which come first.
func hider(secrets []string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "(secret)")
	}
	return strings.NewReplacer(pairs...)
}

// compile makes the program of p. Transforms that old has unchanged keep
// their workers, and with them their scripts' state.
func (g *Graph) compile(p *plan.Plan, old *program) (*program, error) {
	prog := &program{byName: map[string]*step{}, crews: map[string]crew{}, tap: g.options.Tap, secrets: hider(p.Secrets)}
	for _, n := range p.Nodes {
		prog.add(&step{node: g.double(n), stats: g.stats.counter(n.Address)})
	}
	heard := map[string]bool{} // whose errors somebody listens to
	for _, s := range prog.steps {
		for _, in := range s.node.Inputs {
			from := prog.byName[in.Node.Address]
			if from == nil {
				return nil, fmt.Errorf("%s reads from %s, which is not in the plan", s.node.Address, in)
			}
			out := from.output(in.Output)
			*out = append(*out, s)
			if in.Output == plan.Errors {
				heard[in.Node.Address] = true
			}
		}
	}
	if g.options.DeadLetters != nil {
		dead := &step{
			node:  &plan.Node{Address: DeadLetters, Type: plan.Sink, Sink: g.options.DeadLetters, Required: true, DropErrors: true, Queue: defaultQueue, Retry: defaultRetry},
			stats: g.stats.counter(DeadLetters),
		}
		for _, s := range prog.steps {
			if !heard[s.node.Address] && !s.node.DropErrors {
				s.errors = []*step{dead}
			}
		}
		prog.add(dead)
	}
	for _, s := range prog.steps {
		s.multi = len(s.node.Inputs) > 1
		if s.node.Type != plan.Sink {
			continue
		}
		if s.slot = free; s.node.Required {
			slot, ok := g.slots[s.node.Address]
			if !ok {
				slot = len(g.slots)
				g.slots[s.node.Address] = slot
			}
			s.slot = slot
		}
	}
	prog.sift(p)
	return prog, prog.hire(g, old)
}

// double is n with the component that the options give for it, if they do.
func (g *Graph) double(n *plan.Node) *plan.Node {
	d := *n
	if n.Type == plan.Source && g.options.Source != nil {
		if s := g.options.Source(n); s != nil {
			d.Source = s
		}
	}
	if n.Type == plan.Source {
		d.Source = g.spooled(&d)
	}
	if n.Type == plan.Sink && g.options.Sink != nil {
		if s := g.options.Sink(n); s != nil {
			d.Sink = s
		}
	}
	return &d
}

func (p *program) add(s *step) {
	s.index = len(p.steps)
	p.steps = append(p.steps, s)
	p.byName[s.node.Address] = s
}

func (s *step) output(name string) *[]*step {
	switch name {
	case plan.Rejected:
		return &s.rejected
	case plan.Errors:
		return &s.errors
	case plan.Delivered:
		return &s.delivered
	default:
		return &s.events
	}
}

// hire makes the crews of everybody who runs transforms.
func (p *program) hire(g *Graph, old *program) error {
	for i := range g.workers {
		var from []*step
		for _, s := range p.steps {
			if s.node.Type == plan.Source {
				from = append(append(from, s.events...), s.errors...)
			}
		}
		if err := p.hireFor(workerName(i), from, g, old); err != nil {
			return err
		}
	}
	for _, s := range p.steps {
		if s.node.Type == plan.Sink || s.node.Stage != nil {
			from := slices.Concat(s.events, s.delivered, s.errors)
			if err := p.hireFor(s.node.Address, from, g, old); err != nil {
				return err
			}
		}
	}
	return nil
}

// workerName is whose crew the graph's worker i uses.
func workerName(i int) string { return fmt.Sprint("worker ", i) }

// hireFor makes the crew called name, which begins to walk at from.
func (p *program) hireFor(name string, from []*step, g *Graph, old *program) error {
	c := make(crew, len(p.steps))
	p.crews[name] = c
	for _, s := range p.reach(from, map[*step]bool{}, nil) {
		if c[s.index] = old.worker(name, s.node); c[s.index] != nil {
			continue
		}
		w, err := s.node.Transform.Worker(g.host(s))
		if err != nil {
			p.close(old)
			return fmt.Errorf("%s: %w", s.node.Address, err)
		}
		c[s.index] = &hand{w}
	}
	return nil
}

// reach collects the transforms that an event can come to from steps without
// passing a queue.
func (p *program) reach(from []*step, seen map[*step]bool, found []*step) []*step {
	for _, s := range from {
		if seen[s] || s.node.Type == plan.Sink || s.node.Stage != nil {
			continue
		}
		seen[s] = true
		if s.node.Transform != nil && !s.node.Disabled {
			found = append(found, s)
		}
		found = p.reach(slices.Concat(s.events, s.rejected, s.errors), seen, found)
	}
	return found
}

// worker is the worker that p has for a node like n, if it is still good.
func (p *program) worker(name string, n *plan.Node) *hand {
	if p == nil {
		return nil
	}
	s := p.byName[n.Address]
	if s == nil || s.node.Fingerprint != n.Fingerprint || s.node.Fingerprint == "" || p.crews[name] == nil {
		return nil
	}
	return p.crews[name][s.index]
}

// programFor is the program that knows the sink or stage at address, acquired:
// the current one, or the last one before its removal, which mu guards.
func (g *Graph) programFor(address string, mu *sync.Mutex, pinned **program) *program {
	p := g.current()
	if p.byName[address] != nil {
		return p
	}
	p.release()
	mu.Lock()
	defer mu.Unlock()
	return (*pinned).acquire()
}

// acquire and release stand around each use of the program.
func (p *program) acquire() *program {
	p.mu.Lock()
	p.users++
	p.mu.Unlock()
	return p
}

func (p *program) release() {
	p.mu.Lock()
	p.users--
	p.closeIfDone()
	p.mu.Unlock()
}

// pin keeps the program for somebody who may have to walk it later, and whom
// nothing after it knows.
func (p *program) pin() *program {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users++
	p.pins++
	return p
}

// walked says whether somebody walks the program now.
func (p *program) walked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.users > p.pins
}

// forgotten says whether nobody will walk the program any more, once it has a
// successor.
func (p *program) forgotten() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.users == 0
}

// retire makes next the successor of p.
func (p *program) retire(next *program) {
	p.mu.Lock()
	p.retired = next
	p.closeIfDone()
	p.mu.Unlock()
}

func (p *program) closeIfDone() {
	if p.retired != nil && p.users == 0 {
		p.close(p.retired)
	}
}

// close closes the workers that other does not have.
func (p *program) close(other *program) {
	kept := map[*hand]bool{}
	if other != nil {
		for _, c := range other.crews {
			for _, w := range c {
				kept[w] = true
			}
		}
	}
	for _, c := range p.crews {
		for _, w := range c {
			if w != nil && !kept[w] {
				w.Close()
			}
		}
	}
}

// behind are the sinks that events of the source at address can come to first
// and that its positions wait for.
func (p *program) behind(address string) []*step {
	s := p.byName[address]
	seen := map[*step]bool{}
	var sinks []*step
	var follow func(next []*step)
	follow = func(next []*step) {
		for _, s := range next {
			if seen[s] {
				continue
			}
			seen[s] = true
			if s.node.Type == plan.Sink {
				if s.slot != free {
					sinks = append(sinks, s)
				}
				continue
			}
			follow(slices.Concat(s.events, s.rejected, s.errors))
		}
	}
	follow(slices.Concat(s.events, s.errors))
	return sinks
}
