package graph

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// ticker is a counter that gives an event each millisecond until told to end.
type ticker struct {
	counter
	end atomic.Int64
}

func (s *ticker) Run(ctx context.Context, h *component.Host, from []component.Position, out component.Output) error {
	n := int64(0)
	if len(from) > 0 {
		n = from[0].Offset
	}
	stream := &event.Stream{Source: "source.test.numbers", Generation: "g"}
	for s.end.Load() == 0 || n < s.end.Load() {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return nil
		}
		lot := numberLot(stream, n)
		if err := out.Emit(ctx, lot); err != nil {
			return nil
		}
		n++
	}
	return nil
}

type reloadable struct {
	source *ticker
	sink   *collector
	filter where
	print  [3]string // fingerprints of source, filter, sink
}

func (r reloadable) plan() *plan.Plan {
	p := newPipeline()
	p.add(plan.Node{Address: "source.test.numbers", Source: r.source, Fingerprint: r.print[0]})
	p.add(plan.Node{Address: "filter.some", Where: r.filter, Fingerprint: r.print[1]}, "source.test.numbers")
	if r.sink != nil {
		p.add(plan.Node{Address: "sink.test.all", Sink: r.sink, Required: true, Fingerprint: r.print[2]}, "filter.some")
	}
	return p.plan
}

func all(int64) (bool, error) { return true, nil }

func startGraph(t *testing.T, p *plan.Plan, o Options) (g *Graph, stop func() error) {
	t.Helper()
	g, err := New(p, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	return g, func() error { cancel(); return <-done }
}

func TestReloadKeepsWhatDidNotChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{"1", "1", "1"}}
		g, stop := startGraph(t, r.plan(), Options{})
		time.Sleep(time.Second)
		other := reloadable{source: &ticker{}, sink: &collector{}, filter: func(n int64) (bool, error) { return n%2 == 0, nil }, print: [3]string{"1", "2", "1"}}
		if err := g.Reload(other.plan()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if r.sink.opened != 1 || other.sink.opened != 0 {
			t.Errorf("the unchanged sink was opened %d times, its copy %d times", r.sink.opened, other.sink.opened)
		}
		got := r.sink.numbers()
		if !slices.IsSorted(got) || len(got) < 1000 || got[len(got)-1]%2 != 0 {
			t.Errorf("got %s", abbreviate(got))
		}
		i := slices.IndexFunc(got, func(n int64) bool { return n > 900 && !slices.Contains(got, n+1) })
		for j := i; j+1 < len(got); j++ {
			if got[j+1] != got[j]+2 {
				t.Fatalf("lost between %d and %d", got[j], got[j+1])
			}
		}
	})
}

func TestReloadPutsANewSinkBehindTheSameQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{"1", "1", "dead"}}
		r.sink.fail = func(n int64) error {
			if n >= 100 {
				return errors.New("connection refused")
			}
			return nil
		}
		g, stop := startGraph(t, r.plan(), Options{})
		time.Sleep(time.Second)
		healed := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{"1", "1", "alive"}}
		before := time.Now()
		if err := g.Reload(healed.plan()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(before); d > time.Millisecond {
			t.Errorf("the reload waited %v for a dead target", d)
		}
		time.Sleep(time.Second)
		r.source.end.Store(1)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		got := slices.Concat(r.sink.numbers(), healed.sink.numbers())
		wantNumbers(t, "both sinks", got, sequence(0, int64(len(got))))
		if len(healed.sink.numbers()) < 1000 {
			t.Errorf("the successor has %d events", len(healed.sink.numbers()))
		}
		if r.sink.closed != 1 {
			t.Errorf("the old sink was closed %d times", r.sink.closed)
		}
	})
}

func TestReloadSendsWhatARemovedSinkHadToTheDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &collector{}
		r := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{"1", "1", "1"}}
		r.sink.fail = func(int64) error { return errors.New("down") }
		g, stop := startGraph(t, r.plan(), Options{DeadLetters: dead})
		time.Sleep(100 * time.Millisecond)
		without := reloadable{source: r.source, filter: all, print: r.print}
		if err := g.Reload(without.plan()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		got := dead.numbers()
		if len(got) < 90 {
			t.Errorf("the dead letters have %d events", len(got))
		}
		wantNumbers(t, "dead letters", got, sequence(0, int64(len(got))))
	})
}

func TestReloadedSourceGoesOnBehindItsPredecessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{"1", "1", "1"}}
		g, stop := startGraph(t, r.plan(), Options{})
		for i := range 20 {
			time.Sleep(50 * time.Millisecond)
			next := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{string(rune('a' + i)), "1", "1"}}
			if err := g.Reload(next.plan()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Millisecond)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		got := r.sink.numbers()
		if len(got) < 900 {
			t.Errorf("only %d events", len(got))
		}
		wantNumbers(t, "the sink", got, sequence(0, int64(len(got))))
	})
}

// A signal may come while the process is still starting.
func TestReloadBeforeTheStartWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{"1", "1", "1"}}
		g, err := New(r.plan(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		next := reloadable{source: &ticker{}, sink: &collector{}, filter: all, print: [3]string{"2", "1", "1"}}
		reloaded := make(chan error)
		go func() { reloaded <- g.Reload(next.plan()) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		if err := <-reloaded; err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := r.sink.numbers(); len(got) < 900 {
			t.Errorf("%d events", len(got))
		}
	})
}

func TestASinkThatComesWithAReloadGetsWhatIsReadFromThenOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reloadable{source: &ticker{}, filter: all, sink: &collector{}, print: [3]string{"1", "1", "1"}}
		g, stop := startGraph(t, r.plan(), Options{})
		time.Sleep(100 * time.Millisecond)
		late := &collector{}
		p := newPipeline()
		p.add(plan.Node{Address: "source.test.numbers", Source: &ticker{}, Fingerprint: "1"})
		p.add(plan.Node{Address: "filter.some", Where: where(all), Fingerprint: "1"}, "source.test.numbers")
		p.add(plan.Node{Address: "sink.test.all", Sink: &collector{}, Required: true, Fingerprint: "1"}, "filter.some")
		p.add(plan.Node{Address: "sink.test.late", Sink: late, Required: true, Fingerprint: "1"}, "filter.some")
		if err := g.Reload(p.plan); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		got := late.numbers()
		if len(got) < 90 || got[0] < 90 {
			t.Fatalf("the late sink got %s", abbreviate(got))
		}
		wantNumbers(t, "the late sink", got, sequence(got[0], got[0]+int64(len(got))))
		wantNumbers(t, "the first sink", r.sink.numbers(), sequence(0, int64(len(r.sink.numbers()))))
	})
}
