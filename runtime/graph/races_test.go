package graph

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

var races = flag.Int("races", 60, "how many runs TestReloadsAtAnyTime plays")

// slowly is a collector that needs time to open and to deliver.
type slowly struct {
	*collector
	opening, delivering time.Duration
}

func (s *slowly) Open(ctx context.Context, _ *component.Host) error {
	select {
	case <-time.After(s.opening):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slowly) Close() error { return nil }

func (s *slowly) Deliver(ctx context.Context, messages []*component.Message) error {
	select {
	case <-time.After(s.delivering):
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.collector.Deliver(ctx, messages)
}

// Reloads come before, during and after the start and the stop, several at
// once; sources and sinks change, sinks come and go before they were ever opened. A sink
// that is always there loses nothing and keeps the order; one that comes and goes
// keeps the order, and what it had is in the dead letters.
// Longer: go test -race -run TestReloadsAtAnyTime ./runtime/graph -races 2000
func TestReloadsAtAnyTime(t *testing.T) {
	for seed := range *races {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(uint64(seed), 6))
				upTo := func(n int) time.Duration {
					mu.Lock()
					defer mu.Unlock()
					return time.Duration(random.IntN(n)) * time.Millisecond
				}
				always, dead := &collector{}, &collector{}
				var guests []*collector
				some := func() *plan.Plan {
					p := newPipeline()
					p.plan.Runtime.ShutdownTimeout = 10 * time.Second
					p.add(plan.Node{Address: "source.test.numbers", Source: &ticker{}, Fingerprint: fmt.Sprint(upTo(2))})
					p.add(plan.Node{Address: "filter.some", Where: where(all), Fingerprint: fmt.Sprint(upTo(2))}, "source.test.numbers")
					p.add(plan.Node{Address: "sink.test.always", Sink: &slowly{always, upTo(20), upTo(20)}, Required: true, Fingerprint: fmt.Sprint(upTo(3))}, "filter.some")
					if upTo(2) == 0 {
						guest := &collector{}
						mu.Lock()
						guests = append(guests, guest)
						mu.Unlock()
						p.add(plan.Node{Address: "sink.test.guest", Sink: &slowly{guest, upTo(20), upTo(20)}, Required: true, Fingerprint: fmt.Sprint(upTo(3))}, "filter.some")
					}
					return p.plan
				}
				g, err := New(some(), Options{DeadLetters: dead})
				if err != nil {
					t.Fatal(err)
				}
				var reloads sync.WaitGroup
				for range 3 {
					reloads.Go(func() {
						for range 4 {
							time.Sleep(upTo(60))
							_ = g.Reload(some()) // refused while the graph stops
						}
					})
				}
				time.Sleep(upTo(30))
				ctx, stop := context.WithCancel(t.Context())
				time.AfterFunc(upTo(250), stop)
				if err := g.Run(ctx); err != nil {
					t.Error(err)
				}
				reloads.Wait()
				got := always.numbers()
				wantNumbers(t, "the sink that is always there", got, sequence(0, int64(len(got))))
				for _, guest := range guests {
					if got := guest.numbers(); !slices.IsSorted(got) || len(slices.Compact(got)) != len(guest.numbers()) {
						t.Errorf("a sink that comes and goes got %s", abbreviate(got))
					}
				}
				if n := g.queued.Load(); n != 0 {
					t.Errorf("%d events are still on the books", n)
				}
				if err := g.Reload(some()); err == nil {
					t.Error("a reload of a graph that has ended is no error")
				}
			})
		})
	}
}
