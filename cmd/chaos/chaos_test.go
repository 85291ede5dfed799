//go:build integration

// Package chaos runs the real program against a real Kafka and a real NATS
// JetStream through seeded faults, and holds what readers of these get against
// what DESIGN promises: nothing lost, invented, damaged or reordered, duplicates only
// of what the ends of processes left in the dark, and none with exactly once.
//
//	go test -tags integration ./cmd/chaos                                          CI's share
//	go test -tags integration ./cmd/chaos -run TestSchedules -count=1 -schedules 200 -timeout 1h
//	go test -tags integration ./cmd/chaos -run TestSchedules -count=1 -seed 17     one again
//
// A seed decides the pipeline and the faults, not what the machine makes of them: a
// failure may take several tries to come again.
package chaos

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	seedFlag      = flag.Uint64("seed", 0, "play only the schedule of this seed")
	firstFlag     = flag.Uint64("first", 1, "the first seed")
	schedulesFlag = flag.Int("schedules", 12, "how many schedules to play")
	lanesFlag     = flag.Int("lanes", 3, "how many of them side by side")
)

func TestMain(m *testing.M) {
	enclose()
	goleak.VerifyTestMain(m)
}

func TestSchedules(t *testing.T) {
	first, count := *firstFlag, *schedulesFlag
	if *seedFlag != 0 {
		first, count = *seedFlag, 1
	}
	lanes := min(count, *lanesFlag)
	on := newSite(t, lanes)
	if !smallDisks {
		fmt.Println("no tmpfs can be mounted here: no schedule fills a disk (those of runtime/chaos do)")
	}
	began := time.Now()
	var all result
	var mu sync.Mutex
	var playing sync.WaitGroup
	seeds := make(chan uint64)
	for range lanes {
		playing.Go(func() {
			for seed := range seeds {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					l := <-on.lanes
					defer func() { on.lanes <- l }()
					var r result
					defer func() {
						mu.Lock()
						defer mu.Unlock()
						all.Add(r)
					}()
					judged(t, on, l, seed, &r)
				})
			}
		})
	}
	for i := range count {
		seeds <- first + uint64(i)
	}
	close(seeds)
	playing.Wait()
	fmt.Printf("%d schedules, seeds %d to %d, %d events, %d runs of etl, %v\n",
		count, first, first+uint64(count)-1, all.Events, all.Runs, time.Since(began).Round(time.Second))
	all.Print(os.Stdout, allKinds)
}

// judged plays a schedule and fails the test of what it finds wrong.
func judged(t *testing.T, on *site, l *lane, seed uint64, r *result) {
	again := fmt.Sprintf("go test -tags integration ./cmd/chaos -run TestSchedules -count=1 -seed %d", seed)
	defer func() {
		if t.Failed() {
			t.Log("again:", again)
		}
	}()
	play(t, on, l, seed, r)
	struck := 0
	for _, n := range r.Strikes {
		struck += n
	}
	if !t.Failed() && (r.Events < 1000 || struck < 5 || len(r.Strikes) < 3) {
		t.Errorf("too tame: %d events, faults %v, without events in flight %v", r.Events, r.Strikes, r.Idle)
	}
}
