package nats

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// numbers is a source of {"n":1}, {"n":2}, …, twenty each millisecond, that ends at `last`.
type numbers struct{ last *atomic.Int64 }

func (s numbers) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	stream := &event.Stream{Source: "source.numbers.n", Generation: "g"}
	for n := int64(1); n <= s.last.Load(); {
		lot := component.NewLot()
		lot.Stream = stream
		for range 20 {
			at := len(lot.Data)
			lot.Data = fmt.Appendf(lot.Data, `{"n":%d}`, n)
			lot.Lines = append(lot.Lines, component.Line{Start: at, End: len(lot.Data), Offset: n})
			n++
		}
		lot.Position = component.Position{Generation: "g", Offset: n}
		if out.Emit(ctx, lot) != nil {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// pipe is a pipeline of the tests at work, with a source of numbers.
type pipe struct {
	t     testing.TB
	file  string
	specs []*component.Spec
	last  atomic.Int64
	dials atomic.Int64
	graph *graph.Graph
	ended chan error

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *pipe) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

func (p *pipe) told() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func newPipe(t testing.TB) *pipe {
	p := &pipe{t: t, file: filepath.Join(t.TempDir(), "p.hcl"), ended: make(chan error, 1)}
	p.last.Store(1 << 40)
	p.specs = append(Specs(), &component.Spec{
		Role: component.RoleSource, Kind: "numbers",
		NewSource: func(*component.Config) (component.Source, error) { return numbers{&p.last}, nil },
	})
	return p
}

func (p *pipe) read(text string) (*plan.Plan, diag.List) {
	p.t.Helper()
	if err := os.WriteFile(p.file, []byte("source \"numbers\" \"n\" {\n}\n"+text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return lang.Load(p.file, lang.Options{Mode: lang.Run, Specs: p.specs, StateDir: p.t.TempDir()})
}

func (p *pipe) load(text string) *plan.Plan {
	p.t.Helper()
	loaded, list := p.read(text)
	if loaded == nil {
		p.t.Fatal(list)
	}
	return loaded
}

func (p *pipe) start(text string) {
	p.t.Helper()
	w := world.OS()
	dial := w.Dial
	w.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			p.dials.Add(1)
		}
		return conn, err
	}
	g, err := graph.New(p.load(text), graph.Options{World: w, Log: slog.New(slog.NewTextHandler(p, nil))})
	if err != nil {
		p.t.Fatal(err)
	}
	p.graph = g
	go func() { p.ended <- g.Run(p.t.Context()) }()
}

func (p *pipe) reload(text string) {
	p.t.Helper()
	if err := p.graph.Reload(p.load(text)); err != nil {
		p.t.Fatal(err)
	}
}

// finish lets the source come to its end, and waits until all of that is delivered.
func (p *pipe) finish() (last int) {
	p.t.Helper()
	for _, n := range p.graph.Snapshot().Nodes {
		if n.Type == plan.Source {
			p.last.Store(n.In + 1000)
		}
	}
	if err := <-p.ended; err != nil {
		p.t.Fatal(err)
	}
	for _, n := range p.graph.Snapshot().Nodes {
		if n.Type == plan.Source {
			last = int(n.In)
		}
	}
	return last
}

// more waits until each sink has delivered n more.
func (p *pipe) more(n int64) {
	p.t.Helper()
	before := map[string]int64{}
	for _, s := range p.graph.Snapshot().Nodes {
		before[s.Address] = s.Out
	}
	for _, address := range []string{"sink.nats.a", "sink.nats.b", "sink.nats.c"} {
		eventually(p.t, address+" delivers", func() bool {
			for _, s := range p.graph.Snapshot().Nodes {
				if s.Address == address {
					return s.Out >= before[address]+n
				}
			}
			return false
		})
	}
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// three is a connection and three sinks that use it; more stands in the one and the others.
func three(url, connection, sinks string) string {
	text := fmt.Sprintf("connection \"nats\" \"bus\" {\n  url = %q\n%s}\n", url, connection)
	for _, name := range []string{"a", "b", "c"} {
		text += fmt.Sprintf(`
sink "nats" %q {
  from       = source.numbers.n
  connection = connection.nats.bus
  subject    = "%s.x"
  queue {
    max_events = 500
  }
  retry {
    min = "10ms"
    max = "50ms"
  }
%s}
`, name, name, sinks)
	}
	return text
}

func holdThree(t testing.TB, url string, n int) {
	t.Helper()
	j := js(t, url)
	defer j.Conn().Close()
	for _, name := range []string{"a", "b", "c"} {
		st, err := j.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := st.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if int(info.State.Msgs) != n {
			t.Errorf("stream %s has %d messages of %d", name, info.State.Msgs, n)
		}
		for _, at := range []int{1, n / 3, n / 2, n} { // once and in order: number k is message k
			m, err := st.GetMsg(t.Context(), uint64(at))
			if err != nil || string(m.Data) != fmt.Sprintf(`{"n":%d}`, at) {
				t.Errorf("message %d of stream %s: %v, %v", at, name, m, err)
			}
		}
	}
}

func streamsOfThree(t testing.TB, url string) {
	t.Helper()
	j := js(t, url)
	defer j.Conn().Close()
	for _, name := range []string{"a", "b", "c"} {
		stream(t, j, jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, Storage: jetstream.FileStorage})
	}
}

// Three sinks of one connection block have one TCP connection. It stays while
// its sinks change, and is replaced when it changes itself; nothing is lost by that.
func TestOneConnectionOfThreeSinks(t *testing.T) {
	f := serve(t, nil)
	streamsOfThree(t, f.url())
	eventually(t, "the test's own connection ends", func() bool { return f.NumClients() == 0 })
	p := newPipe(t)
	p.start(three(f.url(), "", ""))
	p.more(1000)
	want(t, "connections", fmt.Sprint(p.dials.Load(), " ", f.NumClients()), "1 1")

	p.reload(three(f.url(), "", "  headers = { X = \"{{ n }}\" }\n"))
	p.more(1000)
	want(t, "connections after all sinks have changed", fmt.Sprint(p.dials.Load(), " ", f.NumClients()), "1 1")

	p.reload(three(f.url(), "  inbox_prefix = \"etl\"\n", ""))
	p.more(1000)
	want(t, "connections made when it has changed", p.dials.Load(), 2)
	eventually(t, "the old connection ends", func() bool { return f.NumClients() == 1 })
	holdThree(t, f.url(), p.finish())
	eventually(t, "the connection ends with the pipeline", func() bool { return f.NumClients() == 0 })
}

// The server goes away under three sinks: nothing is lost, nothing is there
// twice, and the log has it once, by the connection's name.
func TestAServerKilledUnderThreeSinks(t *testing.T) {
	f := serve(t, nil)
	streamsOfThree(t, f.url())
	p := newPipe(t)
	p.start(three(f.url(), "", ""))
	const times = 3
	for range times {
		p.more(2000)
		f.stop()
		eventually(t, "the connection is down", func() bool {
			c := p.graph.Snapshot().Connections
			return len(c) == 1 && c[0].Health != nil && c[0].Users == 3
		})
		f.start(t)
	}
	p.more(2000)
	holdThree(t, f.url(), p.finish())
	for _, text := range []string{"the connection fails", "the connection is back"} {
		if n := strings.Count(p.told(), text); n != times {
			t.Errorf("%q is told %d times for %d restarts", text, n, times)
		}
	}
	// A server that stops has no JetStream before it has no connections, and on a slow machine an answer may take too long.
	for line := range strings.Lines(p.told()) {
		if strings.Contains(line, "component=sink") && !strings.Contains(line, "no stream takes") &&
			!strings.Contains(line, "no answer within") && !strings.Contains(line, "the target is back") {
			t.Errorf("told by a sink: %s", line)
		}
	}
}

// One stream that is made as the error says takes what all sinks of the connection send.
func TestOneStreamByTheAdviceServesAll(t *testing.T) {
	f := serve(t, nil)
	sink := func(name, subject, more string) string {
		return fmt.Sprintf("sink \"nats\" %q {\n  from       = source.numbers.n\n  connection = connection.nats.bus\n  subject    = %q\n%s\n}\n", name, subject, more)
	}
	text := fmt.Sprintf("connection \"nats\" \"bus\" {\n  url = %q\n}\n", f.url()) +
		sink("status", "w.agent.{{ n }}.status", "") +
		sink("connections", "w.agent.{{ n }}.{{ n }}", "") + // takes those of status too: a stream can't have both
		sink("snapshots", "w.agent.a{{ n }}.snapshot", "") +
		sink("batches", "w.security.agent_events", "") +
		sink("beats", "w.manager.{{ n }}.heartbeat", "") +
		sink("core", "w.core", "jetstream = false") +
		sink("elsewhere", "elsewhere.{{ n }}", "stream = \"E\"")
	stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "E", Subjects: []string{"elsewhere.*"}})
	p := newPipe(t)
	p.start(text)
	err := <-p.ended // the subject that is known at the start has no stream
	said := regexp.MustCompile(`nats stream add NAME --subjects="([^"]*)"`).FindStringSubmatch(fmt.Sprint(err))
	if said == nil {
		t.Fatal(err)
	}
	want(t, "subjects", said[1], "w.security.agent_events,w.agent.*.*,w.manager.*.heartbeat")

	stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "W", Subjects: strings.Split(said[1], ",")})
	p = newPipe(t)
	p.last.Store(100)
	p.start(text)
	if err := <-p.ended; err != nil {
		t.Fatal(err)
	}
	if strings.Contains(p.told(), "no stream takes") {
		t.Error(p.told())
	}
}

func TestDisjoint(t *testing.T) {
	for in, wanted := range map[string]string{
		"a":                       "a",
		"a,a":                     "a",
		"a,b,a.b":                 "a,b,a.b",
		"a.*,a.b":                 "a.*",
		"a.b,*.b,a.*":             "*.*",
		"a.b,c.d,a.*,*.d":         "*.*",
		"a.*.c,a.b.*,x":           "a.*.*,x",
		"w.x.*.s,w.y.*.s,w.y.*.t": "w.x.*.s,w.y.*.s,w.y.*.t",
	} {
		want(t, in, strings.Join(disjoint(strings.Split(in, ",")), ","), wanted)
	}
}

// What is wrong in a connection is told at its place, and once.
func TestErrorsStandInTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		attribute, says string
		line            int
	}{
		"two logins":        {"  token = \"x\"\n  username = \"u\"\n", "two logins", 5},
		"no such prefix":    {"  inbox_prefix = \"a.>\"\n", "inbox_prefix", 5},
		"seed that is none": {"  jwt = \"j\"\n  seed = \"s\"\n", "no NKey seed", 6},
		"a missing file":    {"  creds_file = \"nowhere\"\n", "no file", 5},
		"a bad file":        {"  creds_file = \"p.hcl\"\n", "p.hcl", 5},
		"unknown":           {"  urls = \"x\"\n", "urls", 5},
	} {
		t.Run(name, func(t *testing.T) {
			text := three("nats://127.0.0.1:1", c.attribute, "")
			_, list := newPipe(t).read(text)
			found := 0
			for _, d := range list {
				if d.Severity != diag.Warning {
					found++
					if !strings.Contains(d.Message, c.says) || d.Range.Start.Line != c.line {
						t.Errorf("line %d: %s", d.Range.Start.Line, d.Message)
					}
				}
			}
			want(t, "errors", found, 1)
		})
	}
}
