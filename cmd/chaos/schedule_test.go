//go:build integration

package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/tally"
)

// patience is how long anything may take that must come, on a slow machine.
const patience = 90 * time.Second

// schedule is the pipeline and the faults of one seed.
type schedule struct {
	t      *testing.T
	rng    *rand.Rand
	shape  shape
	site   *site
	lane   *lane
	daemon *daemon
	ledger *ledger
	writer *writer // nil where standard input is the source
	oracle *oracle
	disk   *disk // nil if it is not small

	name    string
	began   time.Time
	ends    []func() // of faults that last
	sending sync.WaitGroup
	hungUp  chan struct{} // closed when the sender to standard input has to end

	mu            sync.Mutex
	trace         []string
	strikes, idle map[kind]int
	runs          int
}

// result is what a schedule came to.
type result = tally.Result[kind]

// newSchedule makes everything that a pipeline of this shape needs, and writes its file.
func newSchedule(t *testing.T, on *site, l *lane, seed uint64, rng *rand.Rand, shape shape) *schedule {
	t.Helper()
	s := &schedule{
		t: t, rng: rng, site: on, lane: l, began: time.Now(), name: fmt.Sprintf("s%d-%d", seed, time.Now().UnixNano()),
		strikes: map[kind]int{}, idle: map[kind]int{}, shape: shape,
	}
	dir := t.TempDir()
	alerts := filepath.Join(dir, "alerts", "alerts.json")
	if err := os.MkdirAll(filepath.Dir(alerts), 0o750); err != nil {
		t.Fatal(err)
	}
	s.daemon = newDaemon(t, dir, s.name)
	if s.shape.smallDisk {
		s.disk = newDisk(t, filepath.Dir(s.daemon.state()))
	}
	s.ledger = newLedger(rand.New(rand.NewPCG(seed, 2)))
	s.oracle = newOracle(s.shape, s.ledger, s.daemon)
	s.oracle.targets = s.shape.targets(t, on, s.name, s.daemon)
	s.writer = newWriter(alerts, s.shape.style, s.ledger, rand.New(rand.NewPCG(seed, 3)))
	s.must(s.daemon.configure(s.text()))
	return s
}

// play runs the schedule of a seed, and says in r what became of it, however it ends.
func play(t *testing.T, on *site, l *lane, seed uint64, r *result) {
	rng := rand.New(rand.NewPCG(seed, 1))
	shape := drawShape(rng)
	shape.smallDisk = shape.smallDisk && smallDisks
	lines := 1000 + rng.IntN(300)
	faults := drawFaults(rng, shape, lines)
	s := newSchedule(t, on, l, seed, rng, shape)
	s.note("%s; %d lines, faults %v", s.shape, lines, faults)
	go s.writer.run(8, 5*time.Millisecond)
	defer func() {
		*r = result{
			Events: s.ledger.count(), Runs: s.runs, Strikes: s.strikes, Idle: s.idle,
			Verdict: s.oracle.count,
		}
		s.tell()
	}()
	defer s.leave()
	s.start()
	s.writer.most.Store(int64(faults[0].at))
	s.wait("the first alert: a first start reads the live file only", func() bool {
		return slices.ContainsFunc(s.shape.sinks, func(k sinkKind) bool { return s.oracle.targets[k].seen() > 0 })
	})
	for i, f := range faults {
		s.writer.most.Store(int64(f.at))
		s.wait("the writer", func() bool { return s.ledger.count() >= f.at })
		next := lines
		if i+1 < len(faults) {
			next = faults[i+1].at
		}
		s.writer.most.Store(int64(next))
		s.apply(f.kind)
	}
	s.writer.most.Store(int64(lines))
	s.wait("the writer", func() bool { return s.ledger.count() >= lines })
	s.heal()
	s.wait("everything to arrive", func() bool { return s.oracle.missing() == "" })
	s.finish()
}

// finish stops what has delivered everything, and judges.
func (s *schedule) finish() {
	s.wait("a process that is ready to stop", func() bool { return s.daemon.ready() > 0 })
	s.halt()
	s.oracle.settled()
	// Nothing is left to do: whoever looks again gets nothing again.
	if err := s.daemon.start(false, "--once", "--timeout", "1m"); err != nil {
		s.t.Fatal(err)
	}
	if err := s.daemon.wait(2 * time.Minute); err != nil {
		s.oracle.violate("a run with nothing to do ended with %v", err)
	}
	s.oracle.judge()
}

// tell shows how it came to what is wrong.
func (s *schedule) tell() {
	list := s.oracle.violations
	if len(list) > 0 {
		s.t.Errorf("%d violations:\n  %s", len(list), strings.Join(list[:min(10, len(list))], "\n  "))
	}
	if s.t.Failed() || *seedFlag != 0 {
		s.t.Logf("the trace:\n  %s\nthe log of etl ends:\n%s", strings.Join(s.trace, "\n  "), s.daemon.lastWords(20_000))
	}
}

// leave ends what the schedule has begun.
func (s *schedule) leave() {
	s.heal()
	if s.daemon.running != nil {
		s.daemon.kill()
	}
	s.sent()
	if err := s.writer.end(); err != nil {
		s.oracle.violate("the writer itself: %v", err)
	}
}

func (s *schedule) text() string {
	return s.shape.text(s.writer.path, s.name, s.lane)
}

// note is a line of the trace.
func (s *schedule) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace = append(s.trace, fmt.Sprintf("%6.3f ", time.Since(s.began).Seconds())+fmt.Sprintf(format, args...))
}

// must is for what the test itself needs.
func (s *schedule) must(err error) {
	if err != nil {
		s.oracle.violate("the test itself: %v", err)
	}
}

// some is a random time from a to b.
func (s *schedule) some(a, b time.Duration) time.Duration {
	return a + time.Duration(s.rng.Int64N(int64(b-a)))
}

// strike writes until events are in flight, and counts a fault that comes now, or lasts.
func (s *schedule) strike(k kind) {
	struck := s.amid()
	s.mu.Lock()
	defer s.mu.Unlock()
	if struck {
		s.strikes[k]++
	} else {
		s.idle[k]++
	}
}

// amid writes until events are in flight; false means that they are delivered too fast.
func (s *schedule) amid() bool {
	for range 20 {
		n := 1 + s.rng.IntN(20)
		s.writer.do(func() { s.writer.burst(n) })
		if s.oracle.inFlight() {
			return true
		}
	}
	return false
}

// wait waits until ok, and keeps a process at work meanwhile.
func (s *schedule) wait(what string, ok func() bool) {
	if eventually(patience, func() bool { s.keep(); return ok() }) {
		return
	}
	s.oracle.violate("waited for %s for %s in vain; %s", what, patience, s.oracle.missing())
	s.oracle.judge()
	s.t.FailNow()
}

// keep starts a process that has ended by itself again, as a service manager does. Only
// who has no room on the disk may end so.
func (s *schedule) keep() {
	if s.daemon.running == nil || !s.daemon.dead() {
		return
	}
	err := s.daemon.wait(0)
	s.note("etl has ended by itself: %v", err)
	if s.disk == nil {
		s.oracle.violate("etl has ended by itself: %v", err)
	}
	s.sent()
	s.oracle.ended()
	time.Sleep(100 * time.Millisecond)
	s.start()
}

// start starts a run. Standard input is fed with what was not kept before.
func (s *schedule) start() {
	s.runs++
	s.must(s.daemon.start(s.shape.pipe))
	s.note("run %d begins", s.runs)
	if !s.shape.pipe {
		return
	}
	next, to := s.oracle.kept(), s.daemon.running.stdin
	s.note("the sender goes on with alert %d", next)
	s.hungUp = make(chan struct{})
	s.sending.Go(func() {
		defer to.Close()
		for {
			lines, more := s.ledger.from(next)
			for _, l := range lines {
				if _, err := to.WriteString(l.text + "\n"); err != nil {
					return
				}
				next++
			}
			select {
			case <-more:
			case <-s.hungUp:
				return
			}
		}
	})
}

// sent ends the sender of a run that is over.
func (s *schedule) sent() {
	if s.hungUp != nil {
		close(s.hungUp)
		s.hungUp = nil
	}
	s.sending.Wait()
}

// halt stops the run as a service manager does.
func (s *schedule) halt() {
	ready, before := s.daemon.ready() > 0, s.oracle.stretches()
	err := s.daemon.stop()
	s.oracle.interrupted(before)
	s.note("run %d was stopped: %v", s.runs, err)
	if err != nil && s.disk == nil && ready {
		s.oracle.violate("the stop ended with: %v", err)
	}
}

// down is the time from the end of a run until somebody starts the next one.
func (s *schedule) down() {
	s.sent()
	s.oracle.ended()
	if s.rotates() && s.rng.IntN(2) == 0 {
		for range s.rng.IntN(3) {
			s.rotate()
		}
		if s.shape.style != byCopy && s.rng.IntN(2) == 0 {
			s.writer.do(func() { s.writer.compress() })
		}
	}
	if s.rng.IntN(2) == 0 {
		time.Sleep(s.some(0, 400*time.Millisecond))
	}
	s.start()
}

// rotate has the writer rotate.
func (s *schedule) rotate() {
	s.writer.do(func() {
		s.note("rotation %d before line %d", s.writer.files, s.ledger.count())
		s.writer.rotate()
	})
}

// rotates says whether the file may rotate now. What is copied and truncated before anybody has
// read of it is in a copy that nobody expects: no reader is that late after a day.
func (s *schedule) rotates() bool {
	if s.shape.pipe || s.shape.style == byTruncate {
		return false
	}
	if s.shape.style != byCopy || s.daemon.running == nil {
		return true
	}
	s.writer.do(func() { s.writer.burst(2) }) // of them one is wanted
	return eventually(2*time.Second, s.begun)
}

// begun says whether some of the current file has come to a sink.
func (s *schedule) begun() bool {
	lines := s.ledger.snapshot()
	file := lines[len(lines)-1].file
	for _, t := range s.oracle.targets {
		if slices.ContainsFunc(t.now(), func(d delivery) bool { return d.n >= 0 && d.n < len(lines) && lines[d.n].file == file }) {
			return true
		}
	}
	return false
}

// heal ends all faults.
func (s *schedule) heal() {
	for _, end := range s.ends {
		end()
	}
	s.ends = nil
	s.lane.heal()
}
