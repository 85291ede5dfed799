package window_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/builtin/window"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// machine is a pipeline with a file in front and a target behind, over several
// lives of the process.
type machine struct {
	t        *testing.T
	world    *worldtest.World
	pipeline string

	mu   sync.Mutex
	down bool // the target
	got  []*event.Event
}

// newMachine is one with a transform of kind.
func newMachine(t *testing.T, kind, attributes string) *machine {
	m := &machine{t: t, world: worldtest.New()}
	m.pipeline = fmt.Sprintf("source \"file\" \"in\" {\n  path = \"/in.jsonl\"\n  start_at = \"beginning\"\n}\ntransform %q \"x\" {\n  from = source.file.in\n%s\n}\nsink \"target\" \"out\" { from = transform.%s.x }\n", kind, attributes, kind)
	m.write("/p.hcl", m.pipeline)
	if err := m.world.FS.MkdirAll("/state", 0o755); err != nil {
		t.Fatal(err)
	}
	return m
}

// write appends text to a file.
func (m *machine) write(name, text string) {
	m.t.Helper()
	f, err := m.world.FS.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		m.t.Fatal(err)
	}
}

// target is the sink.
type target struct{ *machine }

func (target) Encode(*component.Message) error             { return nil }
func (target) Open(context.Context, *component.Host) error { return nil }
func (target) Close() error                                { return nil }
func (g target) Deliver(_ context.Context, messages []*component.Message) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.down {
		return errors.New("down")
	}
	for _, m := range messages {
		g.got = append(g.got, m.Event)
		m.Done()
	}
	return nil
}

// start begins a life of the process. stop ends it in order, kill as kill -9
// does: whatever it writes from then on is not there afterwards.
func (m *machine) start() (stop, kill func()) {
	m.t.Helper()
	specs := append(append(window.Specs(), file.Specs()...), &component.Spec{
		Role: component.RoleSink, Kind: "target", NewSink: func(*component.Config) (component.Sink, error) { return target{m}, nil },
	})
	p, list := lang.Load("/p.hcl", lang.Options{Mode: lang.Run, Specs: specs, FS: m.world.FS, StateDir: "/state", Env: func(string) (string, bool) { return "", false }})
	if p == nil {
		var b bytes.Buffer
		_ = diag.Printer{}.Text(&b, list)
		m.t.Fatal(b.String())
	}
	p.Runtime.ShutdownTimeout = time.Second
	dir, warnings, err := state.Open(m.world.FS, "/state/p", "p")
	if err != nil || len(warnings) > 0 {
		m.t.Fatal(err, warnings)
	}
	g, err := graph.New(p, graph.Options{World: m.world.World, State: dir, DeadLetters: target{m}})
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(m.t.Context())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			m.t.Error(err)
		}
	}
	kill = func() {
		m.world.Files.Fault(func(op worldtest.Op, name string) error {
			if strings.HasPrefix(name, "/state") {
				return errors.New("killed")
			}
			return nil
		})
		g.Kill()
		cancel()
		<-done
		m.world.Files.Fault(nil)
	}
	return stop, kill
}

func (m *machine) set(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
}

// taken is what the target has got since the last call.
func (m *machine) taken() []document.Value {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []document.Value
	for _, e := range m.got {
		root, err := e.Root()
		if err != nil || e.Failure() != nil {
			m.t.Error(err, e.Failure())
		}
		list = append(list, root)
	}
	m.got = nil
	return list
}

func count(v document.Value) int {
	n, _ := v.Int64()
	return int(n)
}

// What is suppressed and not told of yet is read again after a kill.
func TestThrottleKeepsThePosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "throttle", "rate = \"1/h\"\n burst = 5\n quiet = \"10m\"\n tell_after = \"10m\"")
		for n := range 20 {
			m.write("/in.jsonl", fmt.Sprintf(`{"n":%d}`+"\n", n))
		}
		_, kill := m.start()
		time.Sleep(time.Minute)
		kill()
		if got := len(m.taken()); got != 5 {
			t.Fatalf("%d went through, want 5", got)
		}
		stop, _ := m.start()
		time.Sleep(time.Minute)
		stop()
		suppressed, through := 0, 0
		for _, v := range m.taken() {
			suppressed += count(v.Get("suppressed"))
			if v.Get("suppressed").IsNil() {
				through++
			}
		}
		if through+suppressed < 15 || suppressed == 0 {
			t.Errorf("after the kill: %d went through and %d were told of, want 15 together", through, suppressed)
		}
		stop, _ = m.start()
		time.Sleep(time.Minute)
		stop()
		if got := len(m.taken()); got != 0 {
			t.Errorf("after an orderly stop %d come again", got)
		}
	})
}
