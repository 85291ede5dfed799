package agents

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// fakeManager is a reader that a test holds in its hands.
type fakeManager struct {
	mu       sync.Mutex
	agents   []agent
	err      error
	replaced bool
	reads    int
	detailed []int64 // ids that details were asked of
	moved    bool
	slow     time.Duration // of a read
	wake     chan struct{}
}

func (f *fakeManager) Changed(context.Context) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.moved || f.err != nil, f.err
}

func (f *fakeManager) Readings(_ context.Context, dst []reading) ([]reading, bool, error) {
	f.mu.Lock()
	defer func() {
		slow := f.slow
		f.mu.Unlock()
		time.Sleep(slow)
	}()
	f.reads++
	if f.err != nil {
		return dst, false, f.err
	}
	f.moved = false
	for _, a := range f.agents {
		dst = append(dst, a.reading)
	}
	replaced := f.replaced
	f.replaced = false
	return dst, replaced, nil
}

func (f *fakeManager) Details(_ context.Context, ids []int64) (map[int64]details, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	f.detailed = append(f.detailed, ids...)
	found := map[int64]details{}
	for _, a := range f.agents {
		if slices.Contains(ids, a.ID) {
			found[a.ID] = a.details
		}
	}
	return found, nil
}

func (f *fakeManager) Close() {}

func (f *fakeManager) Watch(*component.Host) (<-chan struct{}, func(), error) {
	if f.wake == nil {
		return nil, nil, errors.New("it can't be woken")
	}
	return f.wake, func() {}, nil
}

// set makes the fleet what it is from now on, in the order of ids.
func (f *fakeManager) set(agents ...agent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents, f.moved = slices.Clone(agents), true
	slices.SortFunc(f.agents, func(a, b agent) int { return int(a.ID - b.ID) })
}

func (f *fakeManager) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// one is an agent of the tests.
func one(id int64, s status) agent {
	a := agent{reading: reading{ID: id, Added: 1_700_000_000 + id, Status: s}, details: details{Name: "agent-" + shownID(id), IP: "10.0.0.1"}}
	switch s {
	case active, pending:
		a.Keepalive = 1_750_000_000
	case disconnected:
		a.Keepalive, a.Disconnected, a.Code = 1_750_000_000, 1_750_000_900, 4
	}
	return a
}

// rig is a source under test, its world and what it has given.
type rig struct {
	t      testing.TB
	source *source
	host   *component.Host
	log    *logged

	mu     sync.Mutex
	lots   []component.Position
	events []given
	health []string
	full   bool // nothing is taken
	slow   bool // sinks are not through with what is taken before release
	held   []func()
	taken  chan struct{}
}

// given is an event that came out.
type given struct {
	number int64
	at     time.Time // that it came
	raw    string
	*agentEvent
	whole map[string]any // of one that is about no agent
}

// logged keeps what is logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// newRig is a rig whose source asks r and keeps its state in files.
func newRig(t testing.TB, r reader, files *worldtest.World) *rig {
	w := files.World
	return newRigIn(t, func(*component.Host) (reader, error) { return r, nil }, w, "/state")
}

func newRigIn(t testing.TB, open func(*component.Host) (reader, error), w world.World, state string) *rig {
	g := &rig{t: t, log: &logged{}, taken: make(chan struct{}, 1)}
	g.source = &source{address: "source.wazuh_agents.fleet", node: "manager-1", poll: 5 * time.Second, flaps: time.Hour, open: open}
	g.host = &component.Host{
		World: w, Address: g.source.address, StateDir: state,
		Log: slog.New(slog.NewTextHandler(g.log, nil)),
		Health: func(err error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			text := ""
			if err != nil {
				text = err.Error()
			}
			if len(g.health) == 0 || g.health[len(g.health)-1] != text {
				g.health = append(g.health, text)
			}
		},
	}
	return g
}

// again is the same source in a new process, with the same state.
func (g *rig) again() *rig {
	next := newRigIn(g.t, g.source.open, g.host.World, g.host.StateDir)
	s := g.source
	next.source = &source{address: s.address, node: s.node, poll: s.poll, pictures: s.pictures, beat: s.beat, flaps: s.flaps, open: s.open}
	return next
}

// start runs the source from positions on, until stop is called.
func (g *rig) start(from ...component.Position) (stop func()) {
	g.t.Helper()
	if len(from) > 0 {
		if _, err := g.source.Resume(g.host, from); err != nil {
			g.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.source.Run(ctx, g.host, from, g) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			g.t.Error(err)
		}
	})
}

// Emit is component.Output.
func (g *rig) Emit(ctx context.Context, lot *component.Lot) error {
	for {
		g.mu.Lock()
		if !g.full {
			break
		}
		g.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	defer g.mu.Unlock()
	for _, l := range lot.Lines {
		raw := string(lot.Data[l.Start:l.End])
		e := given{number: l.Offset, at: time.Now(), raw: raw, agentEvent: &agentEvent{}}
		if err := json.Unmarshal([]byte(raw), e.agentEvent); err != nil {
			g.t.Errorf("%v in %s", err, raw)
		}
		if e.AgentID == "" {
			if err := json.Unmarshal([]byte(raw), &e.whole); err != nil {
				g.t.Errorf("%v in %s", err, raw)
			}
		}
		if n := len(g.events); n > 0 && g.events[n-1].number >= e.number {
			g.t.Errorf("number %d behind %d", e.number, g.events[n-1].number)
		}
		g.events = append(g.events, e)
	}
	g.lots = append(g.lots, lot.Position)
	if settled, n := lot.Settled, len(lot.Lines); settled != nil {
		through := func() { settled(make([]ack.Outcome, n)) }
		if g.held = append(g.held, through); !g.slow {
			g.release()
		}
	}
	lot.Free()
	select {
	case g.taken <- struct{}{}:
	default:
	}
	return nil
}

// block makes the pipeline full, or take again.
func (g *rig) block(full bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.full = full
}

// release lets all sinks be through with what was taken. The caller has g.mu.
func (g *rig) release() {
	for _, through := range g.held {
		through()
	}
	g.held = nil
}

// have is what came out of the kinds, all but snapshots and heartbeats if none is named.
func (g *rig) have(kinds ...eventType) []given {
	g.mu.Lock()
	defer g.mu.Unlock()
	var some []given
	for _, e := range g.events {
		if slices.Contains(kinds, e.EventType) || len(kinds) == 0 && e.EventType != typeSnapshot && e.EventType != typeHeartbeat {
			some = append(some, e)
		}
	}
	return some
}

// words are changes as "disconnected 001 Active Disconnected".
func words(events []given) []string {
	list := []string{}
	for _, e := range events {
		if e.EventType == typeManagerRestart {
			list = append(list, "manager_restart")
			continue
		}
		list = append(list, strings.Join([]string{string(e.EventType), e.AgentID, e.Previous.String(), e.Current.String()}, " "))
	}
	return list
}

func (g *rig) want(want ...string) {
	g.t.Helper()
	if got := words(g.have()); !slices.Equal(got, want) {
		g.t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// wait waits, for a real reader, until done.
func (g *rig) wait(what string, done func() bool) {
	g.t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			g.t.Fatalf("%s: not yet; %q, health %q, log %s", what, words(g.have()), g.health, g.log.text.String())
		}
		select {
		case <-g.taken:
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// last is where a sink that has everything stands.
func (g *rig) last() component.Position {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lots[len(g.lots)-1]
}

func (g *rig) healthIs() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.health) == 0 {
		return ""
	}
	return g.health[len(g.health)-1]
}

// valid holds what came out to the schema.
func (g *rig) valid() {
	g.t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(filepath.Join("..", "..", "schemas", "agent-event.json"))
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.events {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(e.raw))
		if err == nil {
			err = schema.Validate(document)
		}
		if err != nil {
			g.t.Errorf("%v in %s", err, e.raw)
		}
	}
}

// schemaOf is the SQL of the manager's database, of a version in schemas/.
func schemaOf(t testing.TB, version string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "schemas", "global-"+version+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
