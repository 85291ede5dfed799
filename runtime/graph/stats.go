package graph

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Counters are one node's, since the process started; reloads do not reset
// them. All fields are safe for concurrent use.
type Counters struct {
	in, out, rejected, errors, dropped, retries atomic.Int64

	mu      sync.Mutex
	health  error
	shared  bool      // health is that of the connection
	told    bool      // the log has that it fails
	retryAt time.Time // when a target that fails is tried again; zero: it does not fail
	broken  bool      // the circuit: that try is one message
	lastAck time.Time
	// The last error of an event, for the log: one line a second, not one each.
	failedID, failedWhy string
	failures            int64
	toldFailures        int64
}

func (c *Counters) add(t tally) {
	addNonZero(&c.in, t.in)
	addNonZero(&c.out, t.out)
	addNonZero(&c.rejected, t.rejected)
	addNonZero(&c.errors, t.errors)
}

func addNonZero(a *atomic.Int64, n uint32) {
	if n != 0 {
		a.Add(int64(n))
	}
}

func (c *Counters) failed(e *event.Event, f *event.Failure) {
	c.mu.Lock()
	c.failedID, c.failedWhy = e.ID(), f.Message
	c.failures++
	c.mu.Unlock()
}

// setHealth says how the target is, and nothing to the log.
func (c *Counters) setHealth(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health, c.shared, c.told = err, false, false
}

// tell says how the target is, and returns what is to be logged of it: nothing
// of what is shared, which the connection logs.
func (c *Counters) tell(now error, shared bool) (failed, healed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health, c.shared = now, shared
	switch {
	case now == nil:
		healed, c.told = c.told, false
	case !shared:
		failed, c.told = !c.told, true
	}
	return failed, healed
}

// setConnection says how the connection of the node is. One that is well does
// not heal what the node suffers from by itself.
func (c *Counters) setConnection(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || c.shared {
		c.health, c.shared = err, err != nil
	}
}

func (c *Counters) setRetry(at time.Time, broken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retryAt, c.broken = at, broken
}

func (c *Counters) acknowledged(n int, now time.Time) {
	c.out.Add(int64(n))
	c.mu.Lock()
	c.lastAck = now
	c.mu.Unlock()
}

func (c *Counters) healthy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health == nil
}

// registry has the counters of all addresses.
type registry struct {
	mu       sync.Mutex
	counters map[string]*Counters
	drops    map[dropKey]int64 // by full queues
	discards map[dropKey]int64 // by stages, as they were told
}

type dropKey struct{ address, reason string }

func newRegistry() *registry {
	return &registry{counters: map[string]*Counters{}, drops: map[dropKey]int64{}, discards: map[dropKey]int64{}}
}

func (r *registry) counter(address string) *Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counters[address]
	if c == nil {
		c = &Counters{}
		r.counters[address] = c
	}
	return c
}

// Snapshot is what the graph is doing at one moment.
type Snapshot struct {
	Time         time.Time
	Nodes        []NodeSnapshot // in the order of the plan, the built-in dead letters last
	MemoryUsed   int64          // bytes of events in flight
	MemoryLimit  int64          // 0: none
	Workers      int
	WorkersBusy  int
	WorkersQueue int // lots that wait for a worker
	Drops        []Drop
	Connections  []ConnectionSnapshot
}

// Drop is how many events one queue, or one stage, dropped for one reason.
type Drop struct {
	Address, Reason string
	Count           int64
}

// NodeSnapshot is one node's.
type NodeSnapshot struct {
	Address string
	Type    plan.Type
	Kind    string
	// In counts events that came, Out those that went on (for a sink: that the
	// target has taken), Rejected those that a filter, script or stage dropped, Errors
	// those sent to the errors output, Dropped those that a full queue dropped.
	In, Out, Rejected, Errors, Dropped int64
	Retries                            int64     // of a sink: how often its target failed
	Unlike                             int64     // of a filter: how often its condition met values it can't compare
	Health                             error     // nil: well
	Connection                         string    // the address of the connection whose trouble Health is; "" if it is the node's own
	RetryAt                            time.Time // of a sink: when its target, which fails, is tried again; zero: it does not fail
	CircuitOpen                        bool      // of a sink: the target keeps failing, and is tried with one message
	LastAck                            time.Time
	QueueEvents, QueueMaxEvents        int
	QueueBytes, QueueMaxBytes          int64
	InFlight                           int       // of a sink: given to the target, not answered
	Detached                           time.Time // of a sink: since when it reads the source on its own; zero: it does not
	Behind                             int64     // of a detached sink: bytes of the source it has still to read
	Read, Total                        int64     // of a source with progress: bytes
	HasProgress                        bool
	Gaps, MissedBytes                  int64  // of a source: what it could not read, and for ever
	Path                               string // of a source that reads a file
	Repaired                           int64  // of a transform: characters that it had to replace
}

// Snapshot takes one.
func (g *Graph) Snapshot() Snapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Snapshot{Time: g.options.World.Now(), Workers: g.workers, Connections: g.connections.snapshot()}
	s.MemoryUsed, s.MemoryLimit = g.budget.usage()
	s.WorkersBusy, s.WorkersQueue = g.work.load()
	for _, step := range g.program.steps {
		s.Nodes = append(s.Nodes, g.nodeSnapshot(step))
	}
	g.stats.mu.Lock()
	defer g.stats.mu.Unlock()
	for _, drops := range []map[dropKey]int64{g.stats.drops, g.stats.discards} {
		for k, n := range drops {
			s.Drops = append(s.Drops, Drop{k.address, k.reason, n})
		}
	}
	slices.SortFunc(s.Drops, func(a, b Drop) int {
		if a.Address != b.Address {
			return cmpString(a.Address, b.Address)
		}
		return cmpString(a.Reason, b.Reason)
	})
	return s
}

func (g *Graph) nodeSnapshot(s *step) NodeSnapshot {
	c := s.stats
	n := NodeSnapshot{
		Address: s.node.Address, Type: s.node.Type, Kind: s.node.Kind,
		In: c.in.Load(), Out: c.out.Load(), Rejected: c.rejected.Load(), Errors: c.errors.Load(),
		Dropped: c.dropped.Load(), Retries: c.retries.Load(),
	}
	if u, ok := s.node.Where.(interface{ Unlike() int64 }); ok {
		n.Unlike = u.Unlike()
	}
	if r, ok := s.node.Transform.(component.Repairing); ok {
		n.Repaired = r.Repaired()
	}
	c.mu.Lock()
	n.Health, n.LastAck = c.health, c.lastAck
	if c.shared && s.node.Connection != nil {
		n.Connection = s.node.Connection.Address
	}
	n.RetryAt, n.CircuitOpen = c.retryAt, c.broken
	c.mu.Unlock()
	if r := g.stages[s.node.Address]; r != nil {
		n.QueueEvents, n.QueueBytes = r.queue.Len()
		limits := r.queue.Limits()
		n.QueueMaxEvents, n.QueueMaxBytes = limits.MaxEvents, limits.MaxBytes
	}
	if r := g.sinks[s.node.Address]; r != nil {
		n.QueueEvents, n.QueueBytes = r.queue.Len()
		limits := r.queue.Limits()
		n.QueueMaxEvents, n.QueueMaxBytes = limits.MaxEvents, limits.MaxBytes
		n.InFlight = r.window.len()
	}
	for _, f := range g.feeds {
		if d := f.sideOf(s.node.Address); d != nil {
			n.Detached, n.Behind = d.since, n.Behind+d.behind()
		}
	}
	if f := g.feeds[s.node.Address]; f != nil {
		f.mu.Lock()
		n.QueueEvents, n.QueueBytes = f.events, f.bytes
		n.QueueMaxEvents, n.QueueMaxBytes = f.queue().MaxEvents, f.queue().MaxBytes
		n.Path = f.emitted.Path
		source := f.node.Source
		f.mu.Unlock()
		if p, ok := source.(component.Progress); ok {
			n.Read, n.Total = p.Progress()
			n.HasProgress = true
		}
		if m, ok := source.(component.Gaps); ok {
			n.Gaps, n.MissedBytes = m.Missed()
		}
	}
	return n
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// drop counts events that a full queue dropped.
func (g *Graph) drop(c *Counters, address, reason string, n int64) {
	c.dropped.Add(n)
	g.stats.mu.Lock()
	g.stats.drops[dropKey{address, reason}] += n
	g.stats.mu.Unlock()
}

// discard counts events that a stage dropped as its configuration says: no
// loss, and nothing to warn of.
func (g *Graph) discard(address, reason string, n int64) {
	g.stats.mu.Lock()
	g.stats.discards[dropKey{address, reason}] += n
	g.stats.mu.Unlock()
}

// logDrops logs what was dropped since the last call, with the exact count for
// each queue and policy: it is called once a second.
func (g *Graph) logDrops() {
	g.stats.mu.Lock()
	drops := maps.Clone(g.stats.drops)
	g.stats.mu.Unlock()
	for k, n := range drops {
		if since := n - g.logged[k]; since > 0 {
			g.log.Warn("events dropped", "component", k.address, "reason", k.reason, "events", since, "total", n)
			g.logged[k] = n
		}
	}
}

// logFailures logs the errors of events since the last call: their exact count
// for each component, and the last of them.
func (g *Graph) logFailures() {
	for address, c := range g.stats.all() {
		c.mu.Lock()
		since, id, why := c.failures-c.toldFailures, c.failedID, c.failedWhy
		c.toldFailures = c.failures
		c.mu.Unlock()
		if since > 0 {
			g.log.Warn("events failed and went to the errors output", "component", address, "events", since, "last_event_id", id, "last_reason", why)
		}
	}
}

func (r *registry) all() map[string]*Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counters)
}
