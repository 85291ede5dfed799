package graph

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// joiner is a stage that makes one event of several: n to 1, by count or time.
type joiner struct {
	size int
	wait time.Duration
	kept []*event.Event
}

func (j *joiner) Stage(*component.Host) (component.Stage, error) { return j, nil }

func (j *joiner) Process(e *event.Event, out component.Emitter) error {
	out.Keep(e)
	if j.kept = append(j.kept, e); len(j.kept) == 1 {
		out.WakeAt(time.Now().Add(j.wait))
	}
	if len(j.kept) == j.size {
		j.Flush(out)
	}
	return nil
}

func (j *joiner) Wake(_ time.Time, out component.Emitter) time.Time { j.Flush(out); return time.Time{} }

func (j *joiner) Flush(out component.Emitter) {
	if len(j.kept) == 0 {
		return
	}
	var list []document.Value
	for _, e := range j.kept {
		root, _ := e.Root()
		list = append(list, root.Get("n"))
	}
	out.Emit(event.Merge(j.kept, "joined "+j.kept[0].ID(), document.NewObject([]document.Member{
		{Name: "n", Value: list[0]}, {Name: "all", Value: document.NewArray(list)},
	})))
	for _, e := range j.kept {
		out.Release(e)
	}
	j.kept = nil
}

// A joined event stands for all it was made of: a checkpoint passes none of
// them before it is delivered.
func TestManyToOneIsAcknowledgedForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := openState(t, t.TempDir())
		p := newPipeline()
		sink := &joined{}
		p.add(plan.Node{Address: "source.test.numbers", Source: &ticker{}})
		p.add(plan.Node{Address: "transform.test.join", Stage: &joiner{size: 10, wait: time.Minute}}, "source.test.numbers")
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "transform.test.join")
		g, stop := startGraph(t, p.plan, Options{State: dir})
		time.Sleep(105 * time.Millisecond)
		synctest.Wait()
		g.checkpoint()
		if got := dir.Checkpoints("source.test.numbers")["sink.test.all"].Offset; got != 100 {
			t.Errorf("the checkpoint is at %d, want 100: ten joined events are delivered, the rest is kept", got)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if got := dir.Checkpoints("source.test.numbers")["sink.test.all"].Offset; got != int64(len(sink.joined())) {
			t.Errorf("after the stop: the checkpoint is at %d, %d were delivered", got, len(sink.joined()))
		}
		wantNumbers(t, "all", sink.joined(), sequence(0, int64(len(sink.joined()))))
	})
}

func TestAStageIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		sink := &joined{}
		source := &ticker{}
		source.end.Store(5)
		p.add(plan.Node{Address: "source.test.numbers", Source: source})
		p.add(plan.Node{Address: "source.test.idle", Source: &ticker{}})
		p.add(plan.Node{Address: "filter.none", Where: where(func(int64) (bool, error) { return false, nil })}, "source.test.idle")
		p.add(plan.Node{Address: "transform.test.join", Stage: &joiner{size: 10, wait: time.Minute}}, "source.test.numbers", "filter.none")
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "transform.test.join")
		_, stop := startGraph(t, p.plan, Options{State: nil})
		time.Sleep(59 * time.Second)
		if len(sink.joined()) != 0 {
			t.Error("joined too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantNumbers(t, "all", sink.joined(), sequence(0, 5))
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// joined collects what joined events were made of.
type joined struct {
	collector
	all []int64
}

func (j *joined) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		root, _ := m.Event.Root()
		j.mu.Lock()
		for v := range root.Get("all").Elements() {
			n, _ := v.Int64()
			j.all = append(j.all, n)
		}
		j.mu.Unlock()
		m.Done()
	}
	return nil
}

func (j *joined) joined() []int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all)
}

// What one stage flushes at the end another may keep, and it goes on all the same.
func TestAStageBehindAStageIsFlushedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		sink := &joined{}
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 7, perLot: 3}})
		p.add(plan.Node{Address: "transform.test.first", Stage: &joiner{size: 1, wait: time.Hour}}, "source.test.numbers")
		p.add(plan.Node{Address: "transform.test.second", Stage: &joiner{size: 10, wait: time.Hour}}, "transform.test.first")
		p.add(plan.Node{Address: "transform.test.third", Stage: &joiner{size: 10, wait: time.Hour}}, "transform.test.second")
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "transform.test.third")
		dir := openState(t, t.TempDir())
		if _, err := run(t, p, Options{State: dir}); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "all", sink.joined(), []int64{0}) // one event, of one, of seven
		if got := dir.Checkpoints("source.test.numbers")["sink.test.all"].Offset; got != 7 {
			t.Errorf("the checkpoint is at %d, want 7", got)
		}
	})
}

// brokenStage is a stage that panics over odd numbers, and drops every tenth.
type brokenStage struct{}

func (brokenStage) Stage(*component.Host) (component.Stage, error)     { return brokenStage{}, nil }
func (brokenStage) Wake(time.Time, component.Emitter) (next time.Time) { return next }
func (brokenStage) Flush(component.Emitter)                            {}
func (brokenStage) Process(e *event.Event, out component.Emitter) error {
	root, _ := e.Root()
	switch n, _ := root.Get("n").Int64(); {
	case n%2 == 1:
		panic("odd")
	case n%10 == 0:
		out.Drop("tenth")
	default:
		out.Emit(e)
	}
	return nil
}

func TestAStageThatPanicsCostsTheEventAndDropsAreCounted(t *testing.T) {
	p := newPipeline()
	sink, dead := &collector{}, &collector{}
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 40, perLot: 7}})
	p.add(plan.Node{Address: "transform.test.stage", Stage: brokenStage{}}, "source.test.numbers")
	p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "transform.test.stage")
	g, err := run(t, p, Options{DeadLetters: dead})
	if err != nil {
		t.Fatal(err)
	}
	if len(sink.numbers()) != 16 || len(dead.numbers()) != 20 {
		t.Errorf("%d delivered, %d failed, want 16 and 20", len(sink.numbers()), len(dead.numbers()))
	}
	s := g.Snapshot()
	if want := []Drop{{"transform.test.stage", "tenth", 4}}; !slices.Equal(s.Drops, want) || s.Nodes[1].Rejected != 4 {
		t.Errorf("dropped %v and %d, want %v", s.Drops, s.Nodes[1].Rejected, want)
	}
}

// Receipts of two sinks become one event: each stays in its own sink's slot,
// and the lots come to their end once.
func TestReceiptsOfTwoSinksAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := openState(t, t.TempDir())
		p := newPipeline()
		sink := &joined{}
		p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 30, perLot: 3}})
		p.add(plan.Node{Address: "sink.test.a", Sink: &collector{}, Required: true}, "source.test.numbers")
		p.add(plan.Node{Address: "sink.test.b", Sink: &collector{delay: time.Second}, Required: true}, "source.test.numbers")
		p.add(plan.Node{Address: "transform.test.join", Stage: &joiner{size: 7, wait: time.Minute}}, "sink.test.a.delivered", "sink.test.b.delivered", "source.test.numbers")
		p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "transform.test.join")
		if _, err := run(t, p, Options{State: dir}); err != nil {
			t.Fatal(err)
		}
		if n := len(sink.joined()); n != 90 {
			t.Errorf("%d were joined, want 90", n)
		}
		for name, c := range dir.Checkpoints("source.test.numbers") {
			if c.Offset != 30 {
				t.Errorf("%s is at %d, want 30", name, c.Offset)
			}
		}
	})
}

// A reload that replaces a stage does not wait for a target behind it that is
// dead, and what the old one kept is delivered.
func TestAStageIsReplacedWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &joined{}
		gate := &gated{joined: sink, open: make(chan struct{})}
		source := &ticker{}
		source.end.Store(500)
		build := func(print string, size int) *plan.Plan {
			p := newPipeline()
			p.add(plan.Node{Address: "source.test.numbers", Source: source, Fingerprint: "1"})
			p.add(plan.Node{Address: "transform.test.join", Stage: &joiner{size: size, wait: time.Hour}, Fingerprint: print}, "source.test.numbers")
			p.add(plan.Node{Address: "sink.test.all", Sink: gate, Required: true, Fingerprint: "1", Queue: plan.Queue{MaxEvents: 2, MaxBytes: 1 << 20, WhenFull: plan.Block}}, "transform.test.join")
			return p.plan
		}
		g, stop := startGraph(t, build("1", 7), Options{})
		time.Sleep(200 * time.Millisecond)
		if err := g.Reload(build("2", 11)); err != nil {
			t.Fatal(err)
		}
		close(gate.open)
		time.Sleep(time.Second)
		synctest.Wait()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "all", sink.joined(), sequence(0, 500))
	})
}

// gated is a sink whose target does not answer until it is open.
type gated struct {
	*joined
	open chan struct{}
}

func (s *gated) Deliver(ctx context.Context, messages []*component.Message) error {
	select {
	case <-s.open:
		return s.joined.Deliver(ctx, messages)
	case <-ctx.Done():
		return ctx.Err()
	}
}
