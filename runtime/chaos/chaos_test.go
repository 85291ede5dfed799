// Package chaos runs the real engine with the real file source and file sinks
// through seeded faults, in virtual time and on files in memory, and holds what
// comes out against what DESIGN promises: nothing lost, invented, damaged or
// reordered, and duplicates only of what a crash or a broken connection left in the
// dark.
//
//	go test ./runtime/chaos                               a fixed share
//	go test ./runtime/chaos -schedules 10000 -timeout 1h  many
//	go test ./runtime/chaos -seed 17 -v                   one again, with its journal
package chaos

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/testdata/tally"
	"go.uber.org/goleak"
)

var (
	seedFlag      = flag.Uint64("seed", 0, "play only the schedule of this seed, and print its journal")
	firstFlag     = flag.Uint64("first", 1, "the first seed")
	schedulesFlag = flag.Int("schedules", 0, "how many schedules to play; 0: CI's share")
)

// share is how many schedules CI plays.
const share = 150

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSchedule(t *testing.T) {
	first, count := *firstFlag, *schedulesFlag
	switch {
	case *seedFlag != 0:
		first, count = *seedFlag, 1
	case count == 0 && testing.Short():
		count = share / 10
	case count == 0:
		count = share
	}
	var mu sync.Mutex
	var failed atomic.Bool
	failfast := flag.Lookup("test.failfast").Value.String() == "true"
	var all tally.Result[kind]
	began := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for i := range count {
			seed := first + uint64(i)
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				if failfast && failed.Load() {
					t.Skip("another schedule has failed")
				}
				defer func() { failed.CompareAndSwap(false, t.Failed()) }()
				r := playAlone(t, seed)
				mu.Lock()
				defer mu.Unlock()
				all.Add(r.Result)
			})
		}
	})
	fmt.Printf("%d schedules, seeds %d to %d, %d events, %d runs of the process, %v\n",
		count, first, first+uint64(count)-1, all.Events, all.Runs, time.Since(began).Round(time.Millisecond))
	all.Print(os.Stdout, nil)
}

// playAlone plays a schedule in a bubble of its own and says what was wrong.
func playAlone(t *testing.T, seed uint64) (r result) {
	again := fmt.Sprintf("go test ./runtime/chaos -run TestSchedule -seed %d", seed)
	stuck := time.AfterFunc(2*time.Minute, func() { panic("a schedule is stuck; again: " + again) })
	defer stuck.Stop()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%v\nagain: %s", p, again)
		}
	}()
	synctest.Test(t, func(t *testing.T) { r = play(t, seed) })
	if len(r.violations) == 0 && (r.Events < 1000 || !wild(r.Strikes)) {
		t.Errorf("too tame: %d events, faults %v\nagain: %s", r.Events, maps.Clone(r.Strikes), again)
	}
	if len(r.violations) > 0 {
		t.Errorf("%d violations:\n  %s\nagain: %s", len(r.violations), strings.Join(r.violations[:min(10, len(r.violations))], "\n  "), again)
	}
	return r
}
