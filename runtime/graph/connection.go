package graph

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
)

// connections are the connection blocks at run time, each with what its
// components share: opened by the first that asks, and closed when the plan has
// the connection no more, or with other settings, and the last has let go of it.
type connections struct {
	g       *Graph
	closing sync.WaitGroup

	mu   sync.Mutex
	live map[plan.Connection]*connection
	plan *plan.Plan // the one that is followed
}

// connection is one block with one set of settings: after a reload that changes
// them there are two, until nobody uses the older one. connections.mu guards it.
type connection struct {
	plan.Connection
	current bool              // the plan has it
	users   map[*Counters]int // how often each node uses it
	shared  map[any]*shared   // by what component.Share is asked for
	trouble error
}

// shared is one thing that components share.
type shared struct {
	opening chan struct{} // has a token while somebody opens it
	value   io.Closer     // nil: it is not open
	users   int
}

func newConnections(g *Graph) *connections {
	return &connections{g: g, live: map[plan.Connection]*connection{}}
}

// follow makes the connections of p stay open without users, and those that
// are p's no more close with the last one. No p has none.
func (cs *connections) follow(p *plan.Plan) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.plan = p
	for _, c := range cs.live {
		c.current = false
	}
	if p != nil {
		for _, n := range p.Nodes {
			if n.Connection != nil {
				cs.get(*n.Connection).current = true
			}
		}
	}
	for _, c := range cs.live {
		cs.tidy(c)
	}
}

// named are the components that name a connection in the plan.
func (cs *connections) named(of plan.Connection) (all []any) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.plan == nil {
		return nil
	}
	for _, n := range cs.plan.Nodes {
		if n.Connection == nil || *n.Connection != of {
			continue
		}
		for _, c := range []any{n.Source, n.Transform, n.Stage, n.Sink} {
			if c != nil {
				all = append(all, c)
			}
		}
	}
	return all
}

// get is the connection of that name and settings. The caller has cs.mu.
func (cs *connections) get(of plan.Connection) *connection {
	c := cs.live[of]
	if c == nil {
		c = &connection{Connection: of, users: map[*Counters]int{}, shared: map[any]*shared{}}
		cs.live[of] = c
	}
	return c
}

// tidy closes what nobody wants of c any more: on a goroutine of its own, for
// a target that does not answer holds up no reload. The caller has cs.mu.
func (cs *connections) tidy(c *connection) {
	if c.current {
		return
	}
	for key, s := range c.shared {
		if s.users > 0 {
			continue
		}
		delete(c.shared, key)
		if s.value != nil {
			cs.closing.Go(func() { cs.end(c.Address, s.value) })
		}
	}
	if len(c.shared) == 0 {
		delete(cs.live, c.Connection)
	}
}

func (cs *connections) end(address string, value io.Closer) {
	if err := value.Close(); err != nil {
		cs.g.log.Warn("closing the connection", "component", address, "error", err)
	}
}

// close closes all there is, after the last component, and waits for that.
func (cs *connections) close() {
	cs.mu.Lock()
	for _, c := range cs.live {
		for _, s := range c.shared {
			s.users = 0 // who has not let go of it by now never will
		}
	}
	cs.mu.Unlock()
	cs.follow(nil)
	cs.closing.Wait()
}

// joint is where one node meets its connection: component.Connection.
type joint struct {
	*connections
	of    plan.Connection
	stats *Counters // the node's
}

// Join is component.Connection's.
func (j *joint) Join(ctx context.Context, key any, open func(context.Context, *component.Host) (io.Closer, error)) (io.Closer, func(), error) {
	c, s := j.enter(key)
	leave := sync.OnceFunc(func() { j.leave(c, s) })
	select {
	case s.opening <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, nil, ctx.Err()
	}
	defer func() { <-s.opening }()
	if s.value == nil {
		value, err := open(ctx, j.host(c))
		if err != nil {
			leave()
			return nil, nil, err
		}
		j.mu.Lock()
		s.value = value
		j.mu.Unlock()
	}
	return s.value, leave, nil
}

// enter counts the node among the users. It is as well as the connection is.
func (j *joint) enter(key any) (*connection, *shared) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.get(j.of)
	s := c.shared[key]
	if s == nil {
		s = &shared{opening: make(chan struct{}, 1)}
		c.shared[key] = s
	}
	s.users++
	c.users[j.stats]++
	if c.trouble != nil {
		j.stats.setConnection(c.trouble)
	}
	return c, s
}

func (j *joint) leave(c *connection, s *shared) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s.users--
	if c.users[j.stats]--; c.users[j.stats] == 0 {
		delete(c.users, j.stats)
	}
	j.tidy(c)
}

// host is what opens c.
func (cs *connections) host(c *connection) *component.Host {
	h := &component.Host{
		World:   cs.g.options.World,
		Address: c.Address,
		Log:     cs.g.log.With("component", c.Address),
		Health:  func(err error) { cs.tell(c, err) },
		State:   state.Volatile(),
	}
	if cs.g.options.State != nil {
		h.StateDir = cs.g.options.State.ComponentDir(c.Address)
		h.State = cs.g.options.State.Component(c.Address)
	}
	return h
}

// tell notes how c is, for all who use it, and logs once that it fails or is
// back. What is being replaced has nothing to say about the address.
func (cs *connections) tell(c *connection, now error) {
	if errors.Is(now, context.Canceled) {
		return
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.trouble = now
	for stats := range c.users {
		stats.setConnection(now)
	}
	if !c.current {
		return
	}
	switch failed, healed := cs.g.stats.counter(c.Address).tell(now, false); {
	case failed:
		cs.g.log.Warn("the connection fails; all that use it wait", "component", c.Address, "users", len(c.users), "error", now)
	case healed:
		cs.g.log.Info("the connection is back", "component", c.Address)
	}
}

// ConnectionSnapshot is one connection block of the plan.
type ConnectionSnapshot struct {
	Address string
	Users   int   // components that have it open
	Health  error // nil: well, or not needed yet
}

// snapshot is those of the plan that components share, by address.
func (cs *connections) snapshot() (all []ConnectionSnapshot) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, c := range cs.live {
		if c.current && len(c.users) > 0 {
			all = append(all, ConnectionSnapshot{Address: c.Address, Users: len(c.users), Health: c.trouble})
		}
	}
	slices.SortFunc(all, func(a, b ConnectionSnapshot) int { return cmpString(a.Address, b.Address) })
	return all
}
