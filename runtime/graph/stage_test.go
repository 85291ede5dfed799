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
