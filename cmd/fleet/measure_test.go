//go:build integration

package fleet

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

var measure = flag.Duration("measure", 0, "TestMeasure: how long each measurement lasts, e.g. 1m")

// What an operator has to pay, measured and not held to anything:
//
//	go test -tags integration ./cmd/fleet -run TestMeasure -count=1 -v -measure 1m
func TestMeasure(t *testing.T) {
	if *measure == 0 {
		t.Skip("-measure is not given")
	}
	nats := servers.NATSBehindTLS(t)
	t.Run("busy", func(t *testing.T) { busy(t, nats) })
	t.Run("quiet", func(t *testing.T) { quiet(t, nats) })
	t.Run("writer", func(t *testing.T) { writer(t, nats) })
}

const mib = 1 << 20

// busy: 10,000 agents, 100 changes in a commit each second.
func busy(t *testing.T, nats *servers.NATSServer) {
	const agents, each = 10_000, 100
	f := newFleet(t, nats, agents)
	f.start(agents)
	t.Logf("after the first snapshot of %d agents: resident %d MiB, peak %d MiB, %v of a processor",
		agents, f.etl.memory("VmRSS")/mib, f.etl.memory("VmHWM")/mib, f.etl.cpu())
	cpu := f.etl.cpu()
	var committed []time.Time
	var resident []int64
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; n < min(agents/each, int(measure.Seconds())); n++ {
		committed = append(committed, f.manager.SQL(disconnect(fmt.Sprintf("id BETWEEN %d AND %d", n*each+1, (n+1)*each), n)))
		<-tick.C
		resident = append(resident, f.etl.memory("VmRSS"))
	}
	n := len(committed) * each
	f.stream.wait("all changes", n, f.stream.of(changes))
	cpu = f.etl.cpu() - cpu
	resident = append(resident, f.etl.memory("VmRSS"))
	slices.Sort(resident)
	peak := f.etl.memory("VmHWM")
	f.etl.stop()
	f.once("disconnected %03d Active Disconnected", 1, n)
	var took, seen []time.Duration
	for i, m := range f.stream.of(changes)() {
		took = append(took, m.stored.Sub(committed[i/each]))
		seen = append(seen, m.seen.Sub(committed[i/each]))
	}
	slow := map[int]bool{}
	for i, t := range took {
		if t > 100*time.Millisecond {
			slow[i/each] = true
		}
	}
	slices.Sort(took)
	slices.Sort(seen)
	t.Logf("%d changes in %d commits: from commit to stored p50 %v, p99 %v, longest %v; to seen by a reader p50 %v, p99 %v, longest %v",
		n, len(committed), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], seen[len(seen)/2], seen[len(seen)*99/100], seen[len(seen)-1])
	t.Logf("%d commits took longer than 100 ms, those of seconds %v", len(slow), slices.Sorted(maps.Keys(slow)))
	t.Logf("resident: median %d MiB, most %d MiB, peak with the start %d MiB; %.1f %% of a processor",
		resident[len(resident)/2]/mib, resident[len(resident)-1]/mib, peak/mib, 100*cpu.Seconds()/float64(len(committed)))
}

// quiet: 1,000 agents of which none changes, while wazuh-db writes their keepalives every 10 s.
func quiet(t *testing.T, nats *servers.NATSServer) {
	const agents = 1000
	f := newFleet(t, nats, agents)
	f.start(agents)
	time.Sleep(5 * time.Second) // of what the start has left behind
	cpu, began := f.etl.cpu(), time.Now()
	time.Sleep(*measure)
	idle, took := f.etl.cpu()-cpu, time.Since(began)
	cpu, began = f.etl.cpu(), time.Now()
	for i := 0; time.Since(began) < *measure; i++ {
		f.manager.SQL(fmt.Sprintf("UPDATE agent SET last_keepalive = %d WHERE id > 0", 1_760_000_000+i))
		time.Sleep(10 * time.Second)
	}
	alive, lasted := f.etl.cpu()-cpu, time.Since(began)
	t.Logf("%d quiet agents: %.2f %% of a processor (%v in %v) without a commit, %.2f %% (%v in %v) with the keepalives of all committed every 10 s; resident %d MiB, peak %d MiB",
		agents, 100*idle.Seconds()/took.Seconds(), idle, took, 100*alive.Seconds()/lasted.Seconds(), alive, lasted, f.etl.memory("VmRSS")/mib, f.etl.memory("VmHWM")/mib)
	f.etl.stop()
}

// writer: who commits 20 times a second, and tries each commit a thousand times at once.
func writer(t *testing.T, nats *servers.NATSServer) {
	const agents = 10_000
	f := newFleet(t, nats, agents)
	f.start(agents)
	commits := int(measure.Seconds() * 20)
	failed, row := f.manager.Load(commits)
	t.Logf("of %d commits %d failed, at most %d in a row", commits, failed, row)
	f.etl.stop()
}
