package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// line is what the sinks of these tests share.
type line struct {
	book *book
	n    int
	host *component.Host
}

func (l *line) Close() error {
	l.book.note(fmt.Sprint("close ", l.n))
	return l.book.closing
}

// book notes what becomes of lines.
type book struct {
	mu      sync.Mutex
	opened  []*line
	events  []string
	refuse  error // opening fails
	closing error
}

func (b *book) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, text)
}

func (b *book) read() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.events, ", ")
}

func (b *book) open(_ context.Context, h *component.Host) (*line, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return nil, b.refuse
	}
	l := &line{book: b, n: len(b.opened) + 1, host: h}
	b.opened = append(b.opened, l)
	b.events = append(b.events, fmt.Sprintf("open %d", l.n))
	return l, nil
}

// caller is a sink that delivers over a line.
type caller struct {
	collector
	book    *book
	line    *line
	host    *component.Host
	release func() error
	clumsy  error // of Close
}

func (c *caller) Open(ctx context.Context, h *component.Host) (err error) {
	c.host = h
	c.line, c.release, err = component.Share(ctx, h, c.book.open)
	return err
}

func (c *caller) Close() error {
	_ = c.release()
	return c.clumsy
}

// callers is a plan with a sink for each name, that share bus.
func callers(source component.Source, bus *plan.Connection, sinks map[string]*caller, print string) *plan.Plan {
	p := newPipeline()
	p.add(plan.Node{Address: "source.test.numbers", Source: source, Fingerprint: "1"})
	for _, name := range []string{"a", "b", "c"} {
		if c := sinks[name]; c != nil {
			p.add(plan.Node{Address: "sink.test." + name, Sink: c, Required: true, Fingerprint: name + print, Connection: bus,
				Retry: plan.Retry{Min: 10 * time.Millisecond, Max: 20 * time.Millisecond}}, "source.test.numbers")
		}
	}
	return p.plan
}

func three(b *book) map[string]*caller {
	return map[string]*caller{"a": {book: b}, "b": {book: b}, "c": {book: b, clumsy: errors.New("can't close")}}
}

// pass lets time go by, until nobody has anything left to do.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestOneConnectionForAllWhoNameIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, b := &ticker{}, &book{}
		bus := &plan.Connection{Address: "connection.test.bus", Fingerprint: "1"}
		first := three(b)
		g, stop := startGraph(t, callers(source, bus, first, "1"), Options{})
		pass(100 * time.Millisecond)
		if s := g.Snapshot(); len(s.Connections) != 1 || s.Connections[0].Users != 3 || first["a"].line != first["c"].line {
			t.Errorf("%+v", s.Connections)
		}

		// All who use it change, the connection does not.
		second := three(b)
		same := *bus
		if err := g.Reload(callers(source, &same, second, "2")); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		for name, c := range second {
			if peers := c.host.Peers(); !slices.Equal(peers, []any{second["a"], second["b"], second["c"]}) {
				t.Errorf("peers of %s: %v", name, peers)
			}
		}
		if first["a"].line != second["b"].line || b.read() != "open 1" {
			t.Errorf("a connection that did not change: %s", b.read())
		}

		// It changes: the old one is closed behind the last who used it.
		third := three(b)
		other := &plan.Connection{Address: bus.Address, Fingerprint: "2"}
		if err := g.Reload(callers(source, other, third, "3")); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		if b.read() != "open 1, open 2, close 1" && b.read() != "open 1, close 1, open 2" || third["a"].line.n != 2 {
			t.Errorf("a connection that changed: %s", b.read())
		}

		// Nobody names it any more.
		own := three(b)
		if err := g.Reload(callers(source, nil, map[string]*caller{"a": own["a"]}, "4")); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		if !strings.HasSuffix(b.read(), "open 3") && !strings.HasSuffix(b.read(), "close 2") || own["a"].line.n != 3 {
			t.Errorf("a component of its own: %s", b.read())
		}
		if s := g.Snapshot(); len(s.Connections) != 0 {
			t.Errorf("%+v", s.Connections)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			if strings.Count(b.read(), fmt.Sprint("close ", n+1)) != 1 {
				t.Errorf("not each is closed once: %s", b.read())
			}
		}
		var got []int64
		for _, sinks := range []map[string]*caller{first, second, third, own} {
			if got = append(got, sinks["a"].numbers()...); !slices.IsSorted(got) {
				t.Fatal("not in order")
			}
		}
		for i, n := range got {
			if n != int64(i) {
				t.Fatalf("%d is missing", i)
			}
		}
	})
}

// One that can't be opened is not kept, and what can't be closed is only told.
func TestAConnectionThatCantBeOpenedOrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		source, b := &ticker{}, &book{}
		bus := &plan.Connection{Address: "connection.test.bus", Fingerprint: "1"}
		plain := callers(source, bus, map[string]*caller{"a": {book: b}}, "1")
		g, stop := startGraph(t, plain, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		pass(100 * time.Millisecond)
		b.mu.Lock()
		b.refuse, b.closing = errors.New("no such host"), errors.New("still busy")
		b.mu.Unlock()
		sinks := map[string]*caller{"a": {book: b}, "b": {book: b}}
		if err := g.Reload(callers(source, &plan.Connection{Address: bus.Address, Fingerprint: "2"}, sinks, "2")); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		b.mu.Lock()
		b.refuse = nil
		b.mu.Unlock()
		pass(time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if sinks["a"].line == nil || sinks["a"].line != sinks["b"].line {
			t.Error("not shared after it failed at first")
		}
		if strings.Count(log.String(), "still busy") != 2 {
			t.Errorf("closing failed twice:\n%s", log.String())
		}
		if b.read() != "open 1, close 1, open 2, close 2" {
			t.Error(b.read())
		}
	})
}

// What happens to the connection is told once, by its name, and is the health
// of all who use it; what happens to one of them is that one's.
func TestTheHealthOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		source, b := &ticker{}, &book{}
		sinks := three(b)
		down := errors.New("connection refused")
		var mu sync.Mutex
		var now error
		fail := func(int64) error {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		set := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			now = err
		}
		for _, s := range sinks {
			s.fail = fail
		}
		bus := &plan.Connection{Address: "connection.test.bus", Fingerprint: "1"}
		g, stop := startGraph(t, callers(source, bus, sinks, "1"), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		pass(100 * time.Millisecond)
		host := sinks["a"].line.host
		if host.Address != bus.Address {
			t.Errorf("the host is that of %s", host.Address)
		}

		set(component.OfConnection(fmt.Errorf("publishing: %w", down))) // before the connection says so
		pass(100 * time.Millisecond)
		host.Health(fmt.Errorf("asking: %w", context.Canceled))
		host.Health(down)
		pass(100 * time.Millisecond)
		host.Health(errors.New("still refused"))
		s := g.Snapshot()
		if s.Connections[0].Health == nil {
			t.Error("the connection is well")
		}
		for _, n := range s.Nodes {
			if want := strings.HasPrefix(n.Address, "sink."); (n.Health != nil) != want || (n.Connection == bus.Address) != want {
				t.Errorf("%s: %v by %q", n.Address, n.Health, n.Connection)
			}
		}
		set(nil)
		host.Health(nil)
		synctest.Wait()
		if n := g.Snapshot().Nodes[1]; n.Health != nil || n.Connection != "" {
			t.Errorf("%v by %q", n.Health, n.Connection)
		}
		pass(100 * time.Millisecond)
		if n := strings.Count(log.String(), "fails"); n != 1 || !strings.Contains(log.String(), `msg="the connection fails; all that use it wait" component=connection.test.bus users=3 error="connection refused"`) {
			t.Errorf("told %d times:\n%s", n, log.String())
		}
		if n := strings.Count(log.String(), "back"); n != 1 || !strings.Contains(log.String(), `msg="the connection is back" component=connection.test.bus`) {
			t.Errorf("back %d times:\n%s", n, log.String())
		}

		// The trouble of one sink is its own.
		log.Reset()
		sinks["b"].host.Health(errors.New("no such stream"))
		host.Health(nil)
		if n := g.Snapshot().Nodes[2]; n.Address != "sink.test.b" || n.Health == nil || n.Connection != "" {
			t.Errorf("%+v", n)
		}
		sinks["b"].host.Health(nil)
		if text := log.String(); strings.Count(text, "component=sink.test.b") != 2 || strings.Contains(text, "connection.test") {
			t.Errorf("told:\n%s", text)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}
