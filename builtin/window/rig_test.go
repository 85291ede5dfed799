package window

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a stage under test, made from a pipeline, and all that it does.
type rig struct {
	t       testing.TB
	config  component.StageTransform
	stage   component.Stage
	world   *worldtest.World
	state   component.State
	stream  *event.Stream
	tracker *ack.Tracker
	n       int64

	out   []*event.Event
	at    []time.Time // of each of out
	kept  map[*event.Event]int
	drops map[string]int
	wake  time.Time
}

// specs are those of this package, and two ends for a pipeline.
func specs() []*component.Spec {
	return append(Specs(),
		&component.Spec{Role: component.RoleSource, Kind: "test", NewSource: func(*component.Config) (component.Source, error) { return nil, nil }},
		&component.Spec{Role: component.RoleSink, Kind: "test", NewSink: func(*component.Config) (component.Sink, error) { return nil, nil }})
}

// load loads a pipeline with one transform of kind and these attributes.
func load(t testing.TB, kind, attributes string) (component.StageTransform, diag.List) {
	t.Helper()
	w := worldtest.New()
	hcl := fmt.Sprintf("source \"test\" \"in\" {}\ntransform %q \"x\" {\n  from = source.test.in\n%s\n}\nsink \"test\" \"out\" { from = transform.%s.x }\n", kind, attributes, kind)
	if err := w.FS.MkdirAll("/etc", 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := w.FS.OpenFile("/etc/p.hcl", 0x41, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(hcl)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	p, list := lang.Load("/etc/p.hcl", lang.Options{Mode: lang.Run, Specs: specs(), FS: w.FS, StateDir: "/var/state", Env: func(string) (string, bool) { return "", false }})
	if p == nil {
		return nil, list
	}
	i := slices.IndexFunc(p.Nodes, func(n *plan.Node) bool { return n.Stage != nil })
	return p.Nodes[i].Stage, list
}

func newRig(t testing.TB, kind, attributes string) *rig {
	t.Helper()
	config, list := load(t, kind, attributes)
	if config == nil {
		var b bytes.Buffer
		_ = diag.Printer{}.Text(&b, list)
		t.Fatal(b.String())
	}
	r := &rig{
		t: t, config: config, world: worldtest.New(), state: state.Volatile(),
		stream: &event.Stream{Source: "source.test.in", Generation: "g"}, kept: map[*event.Event]int{}, drops: map[string]int{},
	}
	r.tracker = ack.NewTracker([]any{nil}, nil)
	r.start()
	return r
}

// start makes the stage anew, as a restart does.
func (r *rig) start() {
	stage, err := r.config.Stage(&component.Host{World: r.world.World, Address: "transform.x", State: r.state, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.stage, r.wake = stage, time.Time{}
}

// Emit is component.Emitter's.
func (r *rig) Emit(e *event.Event) {
	r.out, r.at = append(r.out, e), append(r.at[:len(r.out)], time.Now())
}

// Keep is component.Emitter's.
func (r *rig) Keep(e *event.Event) { r.kept[e]++; e.HoldAll() }

// Release is component.Emitter's.
func (r *rig) Release(e *event.Event) {
	if r.kept[e]--; r.kept[e] == 0 {
		delete(r.kept, e)
	} else if r.kept[e] < 0 {
		r.t.Error("released more often than kept")
	}
	e.ReleaseAll(ack.Accepted)
}

// Drop is component.Emitter's.
func (r *rig) Drop(reason string) { r.drops[reason]++ }

// WakeAt is component.Emitter's.
func (r *rig) WakeAt(at time.Time) {
	if !at.IsZero() && (r.wake.IsZero() || at.Before(r.wake)) {
		r.wake = at
	}
}

// event is the next one of the source.
func (r *rig) event(raw string) (*event.Event, *ack.Lot) {
	lot := r.tracker.Open(r.n, 1, 1, nil, nil)
	r.n++
	return event.New(r.stream, r.n, []byte(raw), time.Now(), ack.Token{Lot: lot}), lot
}

// give gives an event as the graph does. What is emitted is taken at once.
func (r *rig) give(raw string) (*event.Event, error) {
	e, lot := r.event(raw)
	err := r.stage.Process(e, r)
	lot.Processed()
	return e, err
}

func (r *rig) must(raw string) *event.Event {
	r.t.Helper()
	e, err := r.give(raw)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// pass lets time pass, and wakes the stage as it has asked.
func (r *rig) pass(d time.Duration) {
	end := time.Now().Add(d)
	for !r.wake.IsZero() && !r.wake.After(end) {
		time.Sleep(time.Until(r.wake))
		r.wake = time.Time{}
		r.WakeAt(r.stage.Wake(time.Now(), r))
	}
	time.Sleep(time.Until(end))
}

// taken is what has come out since the last call, as JSON.
func (r *rig) taken() (list []string) {
	for _, e := range r.out {
		list = append(list, string(e.AppendJSON(nil)))
	}
	r.out = nil
	return list
}

func get(e *event.Event, path ...string) document.Value {
	root, _ := e.Root()
	return root.At(path...)
}

func whole(v document.Value) int {
	n, _ := v.Int64()
	return int(n)
}
