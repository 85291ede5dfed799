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

// growing is a log that grows by an event each interval and can be read again
// from anywhere; it ends at size.
type growing struct {
	began    time.Time
	interval time.Duration
	size     int64
	readers  atomic.Int64
}

func (l *growing) length() int64 { return min(int64(time.Since(l.began)/l.interval), l.size) }

type logReader struct{ log *growing }

func (r *logReader) Resume(_ *component.Host, from []component.Position) ([]bool, error) {
	return slices.Repeat([]bool{true}, len(from)), nil
}

func (r *logReader) Run(ctx context.Context, _ *component.Host, from []component.Position, out component.Output) error {
	r.log.readers.Add(1)
	defer r.log.readers.Add(-1)
	n := int64(0)
	for i, p := range from {
		if i == 0 || p.Offset < n {
			n = p.Offset
		}
	}
	stream := &event.Stream{Source: "source.test.log", Generation: "g"}
	for n < r.log.size && ctx.Err() == nil {
		if n >= r.log.length() {
			select {
			case <-time.After(r.log.interval):
			case <-ctx.Done():
				return nil
			}
			continue
		}
		lot := component.NewLot()
		lot.Stream = stream
		for end := min(r.log.length(), n+50); n < end; n++ {
			one := numberLot(stream, n)
			at := len(lot.Data)
			lot.Data = append(lot.Data, one.Data...)
			lot.Lines = append(lot.Lines, component.Line{Start: at, End: len(lot.Data), Offset: n})
		}
		lot.Position = component.Position{Generation: "g", Offset: n}
		if err := out.Emit(ctx, lot); err != nil {
			return nil
		}
	}
	return nil
}

func (p *pipeline) addLog(l *growing) {
	p.add(plan.Node{
		Address: "source.test.log", Source: &logReader{l},
		Spec: &component.Spec{NewSource: func(*component.Config) (component.Source, error) { return &logReader{l}, nil }},
	})
}

// At 2,000 events a second, a sink that is dead for ten minutes of virtual time
// neither slows the other nor fills the memory; when it is back everything arrives, in order, once.
// Counted: all that the log came to, at both.
func TestADeadSinkDoesNotHoldUpTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds := 60
		if testing.Short() {
			rounds = 3
		}
		p := newPipeline()
		p.plan.Runtime.Memory = 4 << 20
		// It ends half a minute after the sink is back.
		log := &growing{began: time.Now(), interval: 500 * time.Microsecond, size: 2000 * int64(5+10*rounds+30)}
		p.addLog(log)
		var dead atomic.Bool
		well, sick := &collector{}, &collector{}
		sick.fail = func(int64) error {
			if dead.Load() {
				return errors.New("connection refused")
			}
			return nil
		}
		p.add(plan.Node{Address: "filter.all", Where: where(all)}, "source.test.log")
		p.add(plan.Node{Address: "sink.test.well", Sink: well, Required: true}, "filter.all")
		p.add(plan.Node{Address: "sink.test.sick", Sink: sick, Required: true}, "filter.all")
		g, stop := startGraph(t, p.plan, Options{State: openState(t, t.TempDir())})
		time.Sleep(5 * time.Second)
		dead.Store(true)
		worst := int64(0)
		for range rounds {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if behind := log.length() - int64(len(well.numbers())); behind > 2000 {
				t.Fatalf("the well sink is %d events behind", behind)
			}
			worst = max(worst, g.Snapshot().MemoryUsed)
		}
		if worst > 3<<20 {
			t.Errorf("%d bytes in flight, with a bound of 2 MiB and a lot on its way", worst)
		}
		if log.readers.Load() != 2 {
			t.Errorf("%d readers, want the source's own and the detached sink's", log.readers.Load())
		}
		dead.Store(false)
		time.Sleep(25 * time.Second)
		synctest.Wait()
		if log.readers.Load() != 1 {
			t.Errorf("%d readers after the sink has caught up", log.readers.Load())
		}
		time.Sleep(30 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "well", well.numbers(), sequence(0, log.size))
		wantNumbers(t, "sick", sick.numbers(), sequence(0, log.size))
	})
}

// Whenever the process is stopped, detached or not, each sink goes on where it
// stood: nothing lost, nothing twice but what was in flight.
func TestADetachedSinkResumesWhereItStood(t *testing.T) {
	stops := []time.Duration{2000, 5050, 1100, 4100, 5000, 5200, 6000}
	if testing.Short() {
		stops = stops[:2]
	}
	for _, after := range stops {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			began := time.Now()
			var got [2][]int64
			for round := range 3 {
				p := newPipeline()
				p.plan.Runtime.ShutdownTimeout = time.Millisecond
				p.addLog(&growing{began: began, interval: 500 * time.Microsecond, size: 25_000})
				well, sick := &collector{}, &collector{delay: time.Millisecond}
				sick.fail = func(int64) error {
					if s := time.Since(began); s > time.Second && s < 5*time.Second {
						return errors.New("down")
					}
					return nil
				}
				queue := plan.Queue{MaxEvents: 500, MaxBytes: 1 << 20, WhenFull: plan.Block}
				p.add(plan.Node{Address: "sink.test.well", Sink: well, Required: true, Queue: queue}, "source.test.log")
				p.add(plan.Node{Address: "sink.test.sick", Sink: sick, Required: true, Queue: queue}, "source.test.log")
				g, err := New(p.plan, Options{State: openState(t, dir)})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if round < 2 {
					time.AfterFunc(after*time.Millisecond+time.Duration(round)*333*time.Millisecond-time.Since(began), cancel)
				}
				if err := g.Run(ctx); err != nil {
					t.Fatal(err)
				}
				cancel()
				got[0] = append(got[0], well.numbers()...)
				got[1] = append(got[1], sick.numbers()...)
			}
			for i, name := range []string{"well", "sick"} {
				slices.Sort(got[i])
				unique := slices.Compact(slices.Clone(got[i]))
				wantNumbers(t, name, unique, sequence(0, 25_000))
				if n := len(got[i]) - len(unique); n > 2000 {
					t.Errorf("stopped after %v: %s got %d events twice", after*time.Millisecond, name, n)
				}
			}
		})
	}
}

// A sink that has no room left when the source has come to its end already gets
// all the same what is on its way.
func TestDetachedAtTheEndOfTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeline()
		began := time.Now()
		p.addLog(&growing{began: began.Add(-time.Hour), interval: time.Millisecond, size: 1000})
		well, sick := &collector{}, &collector{}
		sick.fail = func(int64) error {
			if time.Since(began) < 10*time.Second {
				return errors.New("down")
			}
			return nil
		}
		queue := plan.Queue{MaxEvents: 100, MaxBytes: 1 << 20, WhenFull: plan.Block}
		p.add(plan.Node{Address: "sink.test.well", Sink: well, Required: true, Queue: queue}, "source.test.log")
		p.add(plan.Node{Address: "sink.test.sick", Sink: sick, Required: true, Queue: queue}, "source.test.log")
		g, err := New(p.plan, Options{Once: true, State: openState(t, t.TempDir())})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "well", well.numbers(), sequence(0, 1000))
		wantNumbers(t, "sick", sick.numbers(), sequence(0, 1000))
	})
}

// A sink whose queue is full at the stop takes again during the drain: it must not get
// what is behind events that it did not get, so that neither its position nor what it
// remembers itself (exactly once) comes to stand behind these.
func TestASinkThatIsFullAtTheStopIsGivenNothingBehindAHole(t *testing.T) {
	refused := errors.New("no second reader")
	for name, c := range map[string]struct {
		stop   time.Duration // is asked for
		source error         // of a second reader
		want   error
	}{
		"the stop comes first":         {stop: 100 * time.Millisecond},
		"it can't be read again":       {stop: time.Hour, source: refused, want: refused},
		"detached when the stop comes": {stop: 260 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 3000
				dir, began := t.TempDir(), time.Now()
				log := &growing{began: began.Add(-time.Second), interval: time.Millisecond, size: size}
				round := func(sick *collector, stop time.Duration, source error) ([]int64, error) {
					p := newPipeline()
					p.addLog(log)
					p.nodes["source.test.log"].Spec = &component.Spec{NewSource: func(*component.Config) (component.Source, error) { return &logReader{log}, source }}
					well := &collector{}
					queue := plan.Queue{MaxEvents: 100, MaxBytes: 1 << 20, WhenFull: plan.Block}
					p.add(plan.Node{Address: "sink.test.well", Sink: well, Required: true, Queue: queue}, "source.test.log")
					p.add(plan.Node{Address: "sink.test.sick", Sink: sick, Required: true, Queue: queue}, "source.test.log")
					g, err := New(p.plan, Options{State: openState(t, dir)})
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), stop)
					defer cancel()
					err = g.Run(ctx)
					return well.numbers(), err
				}
				sick := &collector{fail: func(int64) error {
					if time.Since(began) < 300*time.Millisecond {
						return errors.New("down")
					}
					return nil
				}}
				well, err := round(sick, c.stop, c.source)
				if !errors.Is(err, c.want) {
					t.Fatalf("the stop says %v, want %v", err, c.want)
				}
				first := sick.numbers()
				if len(first) == 0 || len(first) == size {
					t.Fatalf("%d events before the stop: nothing is tested", len(first))
				}
				wantNumbers(t, "sick, up to the stop", first, sequence(0, int64(len(first))))
				again, err := round(sick, time.Hour, nil)
				if err != nil {
					t.Fatal(err)
				}
				wantNumbers(t, "well", append(well, again...), sequence(0, size))
				wantNumbers(t, "sick", sick.numbers(), sequence(0, size))
			})
		})
	}
}

// A sink that is detached reads on from its own place, also when a reload leaves
// nobody that it could hold up.
func TestTheLastSinkIsStillDetached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 10_000
		log := &growing{began: time.Now().Add(-time.Second), interval: time.Millisecond, size: size}
		sick := &collector{fail: func(int64) error {
			if time.Since(log.began) < 5*time.Second {
				return errors.New("down")
			}
			return nil
		}}
		source := &logReader{log}
		build := func(sinks ...string) *plan.Plan {
			p := newPipeline()
			p.add(plan.Node{
				Address: "source.test.log", Source: source,
				Spec: &component.Spec{NewSource: func(*component.Config) (component.Source, error) { return &logReader{log}, nil }},
			})
			for _, address := range sinks {
				sink := &collector{delay: 100 * time.Millisecond} // so that lots from before the detachment wait
				if address == "sink.test.sick" {
					sink = sick
				}
				p.add(plan.Node{
					Address: address, Sink: sink, Required: true, Fingerprint: "1",
					Queue: plan.Queue{MaxEvents: 100, MaxBytes: 1 << 20, WhenFull: plan.Block},
				}, "source.test.log")
			}
			return p.plan
		}
		g, stop := startGraph(t, build("sink.test.sick", "sink.test.well"), Options{State: openState(t, t.TempDir())})
		time.Sleep(300 * time.Millisecond)
		if log.readers.Load() != 2 {
			t.Fatalf("%d readers: the sink is not detached", log.readers.Load())
		}
		if err := g.Reload(build("sink.test.sick")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, "sick", sick.numbers(), sequence(0, size))
	})
}
