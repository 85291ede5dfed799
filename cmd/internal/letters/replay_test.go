package letters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/deadletter"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target is a sink that keeps the ids it got.
type target struct {
	mu   sync.Mutex
	ids  []string
	fail error // an *event.Failure is the event's own
}

func (s *target) Encode(*component.Message) error             { return nil }
func (s *target) Open(context.Context, *component.Host) error { return nil }
func (s *target) Close() error                                { return nil }

func (s *target) Deliver(_ context.Context, messages []*component.Message) error {
	var own *event.Failure
	if s.fail != nil && !errors.As(s.fail, &own) {
		return s.fail
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		if own != nil {
			m.Fail(own)
			continue
		}
		s.ids = append(s.ids, m.Event.ID())
		m.Done()
	}
	return nil
}

// joiner makes one event of all.
type joiner struct{ kept []*event.Event }

func (j *joiner) Stage(*component.Host) (component.Stage, error) { return j, nil }

func (j *joiner) Process(e *event.Event, out component.Emitter) error {
	out.Keep(e)
	j.kept = append(j.kept, e)
	return nil
}

func (j *joiner) Wake(time.Time, component.Emitter) time.Time { return time.Time{} }

func (j *joiner) Flush(out component.Emitter) {
	if len(j.kept) > 0 {
		out.Emit(event.Merge(j.kept, "joined", document.NewObject(nil)))
	}
	for _, e := range j.kept {
		out.Release(e)
	}
	j.kept = nil
}

// stand is a pipeline and its dead letters.
type stand struct {
	t     *testing.T
	files *worldtest.FS
	plan  *plan.Plan
}

func newStand(t *testing.T, records ...string) *stand {
	s := &stand{t: t, files: worldtest.NewFS(), plan: &plan.Plan{}}
	s.plan.Runtime.ShutdownTimeout = 10 * time.Millisecond
	s.add(&plan.Node{Address: "source.test.in", Type: plan.Source})
	s.write("/state/dead_letters.jsonl", records...)
	return s
}

func (s *stand) write(path string, records ...string) {
	s.t.Helper()
	store := deadletter.New(s.files, path, 0, nil)
	defer store.Close()
	for _, r := range records {
		if err := store.AppendRecords([]byte(r)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stand) add(n *plan.Node, inputs ...plan.Port) *plan.Node {
	n.Inputs, n.Required = inputs, n.Type == plan.Sink
	n.Queue = plan.Queue{MaxEvents: 100, MaxBytes: 1 << 20, WhenFull: plan.DropNewest}
	n.Retry = plan.Retry{Min: time.Millisecond, Max: time.Millisecond}
	s.plan.Nodes = append(s.plan.Nodes, n)
	return n
}

func (s *stand) sink(name string, t component.Sink) *plan.Node {
	return s.add(&plan.Node{Address: "sink.test." + name, Type: plan.Sink, Sink: t}, plan.Port{Node: s.plan.Nodes[0]})
}

func (s *stand) store(name, path string, inputs ...plan.Port) {
	s.add(&plan.Node{Address: "sink.dead_letter." + name, Type: plan.Sink, Kind: "dead_letter", Sink: &target{},
		Config: &component.Config{Values: map[string]any{"path": path}}}, inputs...)
}

func (s *stand) replay(ctx context.Context, where string) Result {
	s.t.Helper()
	w, err := ParseWhere(where)
	if err != nil {
		s.t.Fatal(err)
	}
	archives, err := Open(s.files, Paths("/state", s.plan))
	if err != nil {
		s.t.Fatal(err)
	}
	r := &Replay{Plan: s.plan, World: world.World{FS: s.files, Now: time.Now}, Archives: archives, Where: w}
	result, err := r.Run(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

// left is what there is in a store: "OFFSET COMPONENT ATTEMPTS".
func (s *stand) left(path string) (list []string) {
	s.t.Helper()
	a, err := deadletter.OpenArchive(s.files, path)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = a.Each(func(r *deadletter.Record) error {
		list = append(list, fmt.Sprintf("%d %s %d", r.Offset, r.Component, r.Attempts))
		if r.Bytes() == nil && !strings.Contains(r.ID, "joined") {
			s.t.Errorf("%s has lost its bytes", r.Text)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func (s *stand) wants(path string, want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.left(path)); diff != "" {
		s.t.Errorf("%s: %s", path, diff)
	}
}

func letterOf(offset int, component string) string {
	return fmt.Sprintf(`{"time":"2026-01-01T00:00:00Z","id":"ab@%d","source":"source.test.in","component":%q,"code":"c","message":"m","generation":"ab","offset":%d,"received":"2026-01-01T00:00:00Z","raw":"{\"n\":%d}","event":{"n":%d}}`, offset, component, offset, offset, offset)
}

const builtInStore = "/state/dead_letters.jsonl"

var tooLarge = event.Failf("too_large", "too large")

// An event with several records is sent once; what fails again is what stays.
func TestOneEventWithSeveralRecords(t *testing.T) {
	s := newStand(t, letterOf(1, "sink.test.a"), letterOf(2, "sink.test.a"), letterOf(1, "sink.test.b"))
	a := &target{}
	s.sink("a", a)
	s.sink("b", &target{fail: tooLarge})
	got := s.replay(t.Context(), `meta.error.component == "sink.test.b"`)
	if got.Chosen != 1 || got.Again != 1 || !slices.Equal(a.ids, []string{"ab@1"}) {
		t.Errorf("%+v, a got %v", got, a.ids)
	}
	s.wants(builtInStore, "1 sink.test.b 2", "2 sink.test.a 0")
}

// A failure that no store would get stays where it was.
func TestDroppedErrorsStay(t *testing.T) {
	s := newStand(t, letterOf(1, "sink.test.a"))
	s.sink("a", &target{fail: tooLarge}).DropErrors = true
	if got := s.replay(t.Context(), ""); got.Again != 1 {
		t.Errorf("%+v", got)
	}
	s.wants(builtInStore, "1 sink.test.a 2")
}

// A failure goes to the store that the pipeline has for it now.
func TestFailuresMoveToTheirStore(t *testing.T) {
	s := newStand(t, letterOf(1, "sink.test.a"), letterOf(2, "sink.test.a"))
	n := s.sink("a", &target{fail: tooLarge})
	s.store("mine", "/state/mine.jsonl", plan.Port{Node: n, Output: plan.Errors})
	if got := s.replay(t.Context(), "n == 1"); got.Again != 1 {
		t.Errorf("%+v", got)
	}
	s.wants(builtInStore, "2 sink.test.a 0")
	s.wants("/state/mine.jsonl", "1 sink.test.a 2")
	n.Sink = &target{}
	if got := s.replay(t.Context(), ""); got.Went != 2 {
		t.Errorf("%+v", got)
	}
	s.wants(builtInStore)
	s.wants("/state/mine.jsonl")
}

// What fails as part of a joined event keeps its own record.
func TestJoinedEventsKeepTheirRecords(t *testing.T) {
	s := newStand(t, letterOf(1, "sink.test.a"), letterOf(2, "sink.test.a"))
	join := s.add(&plan.Node{Address: "transform.test.join", Type: plan.Transform, Stage: &joiner{}}, plan.Port{Node: s.plan.Nodes[0]})
	n := s.add(&plan.Node{Address: "sink.test.a", Type: plan.Sink, Sink: &target{fail: tooLarge}}, plan.Port{Node: join})
	if got := s.replay(t.Context(), ""); got.Again != 2 {
		t.Errorf("%+v", got)
	}
	s.wants(builtInStore, "1 sink.test.a 0", "2 sink.test.a 0")
	join.Stage, n.Sink = &joiner{}, &target{}
	if got := s.replay(t.Context(), ""); got.Went != 2 {
		t.Errorf("%+v", got)
	}
	s.wants(builtInStore)
}

// A replay that is stopped while the target is down leaves what it had.
func TestReplayStopped(t *testing.T) {
	var records, want []string
	for i := range 2000 {
		records = append(records, letterOf(i, "sink.test.a"))
		want = append(want, fmt.Sprintf("%d sink.test.a 0", i))
	}
	s := newStand(t, records...)
	s.sink("a", &target{fail: errors.New("down")})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := s.replay(ctx, ""); got.Left() != 2000 {
		t.Errorf("%+v", got)
	}
	s.wants(builtInStore, want...)
}

// A full queue never drops what is replayed, whatever the pipeline says.
func TestReplayDropsNothing(t *testing.T) {
	var records []string
	for i := range 3000 {
		records = append(records, letterOf(i, "sink.test.a"))
	}
	s := newStand(t, records...)
	a := &target{}
	s.sink("a", a)
	if got := s.replay(t.Context(), ""); got.Went != 3000 || len(a.ids) != 3000 {
		t.Errorf("%+v, %d came", got, len(a.ids))
	}
}

func TestUnable(t *testing.T) {
	records := []string{
		`{"id":"x@1","source":"source.test.gone","raw":"{}"}`,
		`{"id":"joined","source":"source.test.in","event":{}}`,
		`{"id":"ab@3","source":"source.test.in","code":"line_too_long","raw":"{"}`,
	}
	s := newStand(t, records...)
	a := &target{}
	s.sink("a", a)
	got := s.replay(t.Context(), "")
	if got.Chosen != 0 || len(got.Unable) != 3 || len(a.ids) != 0 {
		t.Errorf("%+v, %v came", got, a.ids)
	}
	if n := len(s.left(builtInStore)); n != 3 {
		t.Errorf("%d records are left", n)
	}
}

func TestWhereThatCantBe(t *testing.T) {
	for _, text := range []string{"n >", "var.x", `"text"`, "bogus(3)"} {
		if _, err := ParseWhere(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestEscape(t *testing.T) {
	if got := string(escape([]byte("{\"a\":\"\u009b31mé\x7f\"}"))); got != `{"a":"\u009b31mé\u007f"}` {
		t.Error(got)
	}
}
