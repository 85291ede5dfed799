//go:build integration

package chaos

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// The promises that are given with a number, in real time: short for CI, and at their full length by
//
//	go test -tags integration ./cmd/chaos -run TestPromises -count=1 -v -reloads 200 -dead 60s
var (
	reloadsFlag = flag.Int("reloads", 20, "how many reloads")
	deadFlag    = flag.Duration("dead", 10*time.Second, "how long one of two sinks is dead")
)

// rate is how many alerts are written in a second.
const rate = 2000

func TestPromises(t *testing.T) {
	on := newSite(t, 1)
	t.Run("reloads", func(t *testing.T) { promise(t, on, shape{sinks: []sinkKind{kafka, files}, queue: 10_000}, reloads) })
	t.Run("one of two sinks is dead", func(t *testing.T) {
		promise(t, on, shape{sinks: []sinkKind{kafka, natsJ}, queue: 1000, memory: bound}, dead)
	})
	t.Run("down over two rotations", func(t *testing.T) {
		promise(t, on, shape{sinks: []sinkKind{kafka, files}, queue: 10_000}, down)
	})
}

// promise runs a pipeline under load, has something done to it, and wants everything once and
// in order.
func promise(t *testing.T, on *site, of shape, trouble func(s *schedule)) {
	of.style, of.partitions, of.workers, of.patience = byLink, 1, 2, time.Minute
	l := <-on.lanes
	defer func() { on.lanes <- l }()
	s := newSchedule(t, on, l, 0, rand.New(rand.NewPCG(0, 1)), of)
	go s.writer.steady(rate)
	defer s.tell()
	defer s.leave()
	s.start()
	s.wait("the first alert", func() bool { return s.oracle.targets[kafka].seen() > 0 })
	trouble(s)
	s.writer.rest()
	s.wait("everything to arrive", func() bool { return s.oracle.missing() == "" })
	s.finish()
	if v := s.oracle.count; v.Again > 0 {
		t.Errorf("%d alerts came twice", v.Again)
	}
	t.Logf("%d alerts at %d/s: %+v", s.ledger.count(), rate, s.oracle.count)
}

// reloads wants that nothing comes twice where every target is well: what a sink had on
// its way is answered before the next one begins.
func reloads(s *schedule) {
	for i := range *reloadsFlag {
		switch i % 4 {
		case 0:
			s.shape.edits++
		case 1:
			s.shape.sink++
		case 2:
			s.must(s.daemon.configure("this is no pipeline"))
		}
		if i%4 != 2 {
			s.must(s.daemon.configure(s.text()))
		}
		told, seen := s.daemon.ready(), s.oracle.targets[kafka].seen()
		s.daemon.hup()
		s.wait("the end of a reload", func() bool { return s.daemon.ready() > told })
		s.wait("alerts after a reload", func() bool { return s.oracle.targets[kafka].seen() > seen+10 })
	}
	s.t.Logf("%d reloads, %d of them refused", *reloadsFlag, s.daemon.said("reload refused"))
}

// bound is the memory that the pipeline may have.
const bound = 192 << 20

// dead wants that a dead sink holds up neither the other one nor takes memory.
func dead(s *schedule) {
	healthy := s.oracle.targets[kafka]
	s.lane.nats.Set(servers.Traffic{Cut: true})
	most, began := 0, time.Now()
	from := s.ledger.owed()
	for time.Since(began) < *deadFlag {
		owed := s.ledger.owed()
		most = max(most, owed-healthy.seen())
		s.keep()
		time.Sleep(50 * time.Millisecond)
	}
	to := s.ledger.owed()
	s.wait("the sink that is well to have what was written while the other was dead", func() bool { return healthy.seen() >= to })
	s.t.Logf("%d alerts while a sink was dead for %s, the other was %d behind at most; the most resident memory was %d MiB of %d",
		to-from, *deadFlag, most, s.daemon.resident(s.t)>>20, bound>>20)
	s.lane.heal()
	s.wait("the dead sink to catch up", func() bool { return s.oracle.targets[natsJ].seen() >= to })
	if r := s.daemon.resident(s.t); r > bound {
		s.t.Errorf("resident memory was %d MiB, more than %d", r>>20, bound>>20)
	}
}

// resident is the most memory that the process has had, in bytes.
func (d *daemon) resident(t *testing.T) int64 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(d.running.cmd.Process.Pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("the kernel does not say how much memory was resident")
	return 0
}

// down wants that reading goes on inside of an archive.
func down(s *schedule) {
	time.Sleep(time.Second) // of load
	s.halt()
	stood := s.oracle.checkpoints()[kafka]
	written := func(n int) { s.wait("the writer", func() bool { return s.ledger.count() >= n }) }
	written(stood + 500)
	s.writer.do(s.writer.rotate)
	s.writer.do(func() { s.writer.compress() })
	lines := s.ledger.snapshot()
	if stood < 1 || lines[stood].file != 1 || lines[stood+400].file != 1 {
		s.t.Errorf("stopped at %d, and not in the middle of the first file", stood)
	}
	written(len(lines) + 500)
	s.writer.do(s.writer.rotate)
	written(len(lines) + 1000)
	archives, err := filepath.Glob(filepath.Join(filepath.Dir(s.writer.path), "*", "*", "*.gz"))
	if err != nil || len(archives) != 1 {
		s.t.Errorf("%d archives: %v", len(archives), err)
	}
	s.start()
	s.wait("the alerts that were written while etl was down", func() bool { return s.oracle.targets[kafka].seen() > len(lines) })
}
