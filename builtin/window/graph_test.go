package window_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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

	mu     sync.Mutex
	down   bool // the target
	refuse bool // it takes nothing
	got    []*event.Event
	failed []*event.Event
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
		switch {
		case m.Event.Failure() != nil:
			g.failed = append(g.failed, m.Event)
		case g.refuse:
			m.Fail(event.Failf("refused", "no"))
			continue
		default:
			g.got = append(g.got, m.Event)
		}
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
		if err != nil {
			m.t.Error(err)
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

func TestDedupeSurvivesAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "dedupe", "key = \"{{ k }}\"\n window = \"1h\"")
		m.write("/in.jsonl", `{"k":"a"}`+"\n"+`{"k":"b"}`+"\n"+`{"k":"a"}`+"\n")
		stop, _ := m.start()
		time.Sleep(time.Minute)
		stop()
		if got := len(m.taken()); got != 2 {
			t.Errorf("%d went through, want 2", got)
		}
		m.write("/in.jsonl", `{"k":"b"}`+"\n"+`{"k":"c"}`+"\n")
		stop, _ = m.start()
		time.Sleep(time.Minute)
		stop()
		if got := m.taken(); len(got) != 1 || got[0].Get("k").Text() != "c" {
			t.Errorf("after the restart %v went through, want c", got)
		}
	})
}

// Killed with the first events of their keys on the way to a target that is
// down: after the restart they are delivered. Killed right behind the delivery: a
// duplicate may go through.
func TestDedupeLosesNothingWhenKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "dedupe", "key = \"{{ k }}\"\n window = \"24h\"")
		m.set(true)
		m.write("/in.jsonl", `{"k":"a"}`+"\n"+`{"k":"b"}`+"\n"+`{"k":"a"}`+"\n")
		for range 3 {
			_, kill := m.start()
			time.Sleep(time.Minute)
			kill()
		}
		m.set(false)
		_, kill := m.start()
		time.Sleep(5 * time.Second)
		kill()
		if got := len(m.taken()); got != 2 {
			t.Fatalf("%d went through, want 2", got)
		}
		m.write("/in.jsonl", `{"k":"b"}`+"\n")
		_, kill = m.start()
		time.Sleep(time.Minute)
		kill()
		if got := len(m.taken()); got != 1 { // delivered less than 10 s before the kill
			t.Errorf("%d went through, want 1", got)
		}
		m.write("/in.jsonl", `{"k":"b"}`+"\n")
		stop, _ := m.start()
		time.Sleep(time.Minute)
		stop()
		if got := len(m.taken()); got != 0 {
			t.Errorf("%d went through again", got)
		}
	})
}

// Killed again and again, at any moment, with batches that are not complete,
// not delivered, or delivered a moment ago: every event is in a batch in the end.
func TestBatchLosesNothingWhenKilled(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 4))
			m := newMachine(t, "batch", "key = \"{{ k }}\"\n max_events = 4\n max_wait = \"2s\"")
			seen := map[int]int{}
			look := func() {
				for _, b := range m.taken() {
					for v := range b.Get("events").Elements() {
						seen[count(v.Get("n"))]++
					}
				}
			}
			written := 0
			for range 12 {
				m.set(rng.IntN(3) == 0)
				_, kill := m.start()
				for range rng.IntN(20) {
					m.write("/in.jsonl", fmt.Sprintf(`{"n":%d,"k":"%d"}`+"\n", written, rng.IntN(3)))
					written++
					time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond)
				}
				kill()
				look()
			}
			m.set(false)
			stop, _ := m.start()
			time.Sleep(10 * time.Second)
			stop()
			look()
			for n := range written {
				if seen[n] == 0 {
					t.Errorf("seed %d: %d of %d was lost", seed, n, written)
				}
			}
			stop, _ = m.start()
			time.Sleep(10 * time.Second)
			stop()
			if again := m.taken(); len(again) != 0 {
				t.Errorf("seed %d: after an orderly stop came again %v", seed, again)
			}
		})
	}
}

func TestRejectedBatchIsOneDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "batch", "max_events = 3")
		m.refuse = true
		m.write("/in.jsonl", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n")
		stop, _ := m.start()
		time.Sleep(10 * time.Second)
		stop()
		var counts []int
		for _, e := range m.failed {
			root, _ := e.Root()
			counts = append(counts, count(root.Get("count")))
		}
		if !slices.Equal(counts, []int{3, 1}) || len(m.got) != 0 {
			t.Errorf("dead letters of %v events", counts)
		}
		stop, _ = m.start()
		time.Sleep(10 * time.Second)
		stop()
		if len(m.failed) != 2 {
			t.Error("they came again")
		}
	})
}

func TestAnomalyComesAgainWhenKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "anomaly", "key = \"{{ k }}\"\n share {\n above = 0.5\n of = 4\n }")
		for n := range 3 {
			m.write("/in.jsonl", fmt.Sprintf(`{"k":"%d"}`+"\n", n))
		}
		m.set(true)
		_, kill := m.start()
		time.Sleep(time.Minute)
		kill()
		m.set(false)
		stop, _ := m.start()
		time.Sleep(time.Minute)
		stop()
		if got := m.taken(); len(got) != 1 || count(got[0].Get("count")) != 3 {
			t.Errorf("got %v, want the anomaly", got)
		}
	})
}
