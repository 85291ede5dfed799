package chaos

import (
	"fmt"
	"math/rand/v2"
	"path"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
	"github.com/wazuh-etl/etl/testdata/tally"
)

// kind is a kind of fault.
type kind string

const (
	kill        kind = "kill -9"
	power       kind = "power loss"
	stop        kind = "stop and start"
	rotation    kind = "rotation"
	reload      kind = "reload"
	full        kind = "disk full"
	write       kind = "write fails"
	syncFails   kind = "sync fails"
	readFails   kind = "read fails"
	refusal     kind = "target refuses"
	hanging     kind = "target hangs"
	slowness    kind = "target is slow"
	cutting     kind = "target cuts off"
	death       kind = "target dead"
	blindness   kind = "no notifications"
	poisoned    kind = "record refused"
	compression kind = "compression"
)

// kinds, and how often each is drawn.
var kinds = []struct {
	kind   kind
	weight int
}{
	{kill, 6}, {power, 6}, {stop, 4}, {rotation, 10}, {reload, 6}, {full, 3}, {write, 3}, {syncFails, 3},
	{readFails, 2}, {refusal, 3}, {hanging, 3}, {slowness, 2}, {cutting, 5}, {death, 5}, {blindness, 2}, {compression, 4},
}

// fault is one of a schedule: it comes when line at is written.
type fault struct {
	kind kind
	at   int
}

// draw makes the faults of a schedule: of at least four kinds.
func draw(rng *rand.Rand, lines int) []fault {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	for {
		count := 7 + rng.IntN(8)
		list := make([]fault, count)
		seen := map[kind]bool{}
		for i := range list {
			x := rng.IntN(total)
			for _, k := range kinds {
				if x -= k.weight; x < 0 {
					list[i].kind = k.kind
					break
				}
			}
			seen[list[i].kind] = true
			list[i].at = (i + 1) * lines / (count + 2)
		}
		if len(seen) >= 5 {
			return list
		}
	}
}

// result is what became of a schedule.
type result struct {
	tally.Result[kind]
	violations []string
}

// play runs the schedule of a seed, in virtual time.
func play(t *testing.T, seed uint64) result {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := worldtest.New()
	if seed%2 == 0 {
		w.Files.ReuseInodes()
	}
	h := &harness{
		seed: seed, rng: rng, world: w, files: w.Files,
		disk:    &disk{nth: map[worldtest.Op]*nth{}},
		targets: map[string]*target{},
		strikes: map[kind]int{}, idle: map[kind]int{},
		setup: setup{
			sourceQueue: []int{20, 200, 2000}[rng.IntN(3)], queue: []int{20, 60, 400}[rng.IntN(3)],
			batch: 1 + rng.IntN(60), inFlight: []int{0, 0, 10, 100}[rng.IntN(4)],
			workers: 1 + rng.IntN(3), style: styles[rng.IntN(len(styles))],
		},
	}
	h.oracle = newOracle(h)
	for _, name := range []string{sinkA, receipts} {
		h.targets[name] = newTarget(name, seed)
	}
	h.disk.struck = func(k kind) { h.oracle.diskTrouble(); h.strike(k) }
	for _, d := range []string{alertsDir, path.Dir(pipelinePath), stateRoot, path.Dir(path.Dir(outPath))} {
		if err := world.MakeDirs(h.files, d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lines := 1000 + rng.IntN(300)
	h.writer = newWriter(h, rand.New(rand.NewPCG(seed, 2)), h.setup.style)
	h.targets[sinkA].poison = func(n int) bool {
		if h.writer.classOf(n) != poison {
			return false
		}
		h.strike(poisoned)
		return true
	}
	if err := h.configure(); err != nil {
		t.Fatal(err)
	}
	faults := draw(rng, lines)
	h.note("setup %+v, %d lines, faults %v", h.setup, lines, faults)
	go h.writer.run(lines)

	h.start()
	for i, f := range faults {
		h.writer.allow(f.at)
		h.until(func() bool { return h.writer.count() >= f.at }, time.Minute)
		next := lines
		switch {
		case i+1 < len(faults):
			next = faults[i+1].at
		case !h.wild(): // the rest is written while there are more faults
			next = f.at + (lines-f.at)/8
		}
		h.writer.allow(next)
		h.apply(f.kind)
	}
	h.more(faults[len(faults)-1].at, lines)
	h.writer.allow(lines)
	h.until(func() bool { return h.writer.count() >= lines }, 10*time.Minute)
	<-h.writer.written
	h.heal()
	if !h.until(func() bool { return h.oracle.missing() == 0 }, 5*time.Minute) {
		h.note("not everything has come in five minutes")
	}
	h.halt()
	h.start() // nothing is left to do: everything was acknowledged
	h.until(func() bool { return false }, 3*time.Second)
	h.halt()
	h.oracle.judge()
	return result{
		Result: tally.Result[kind]{
			Events: len(h.writer.lines), Runs: h.runs, Strikes: h.strikes, Idle: h.idle, Verdict: h.oracle.count,
		},
		violations: h.violations,
	}
}

// more makes faults behind line at, if those that were drawn struck too seldom while events were in flight.
func (h *harness) more(at, lines int) {
	for i := range 6 {
		if h.wild() {
			return
		}
		h.writer.allow(at + (i+2)*(lines-at)/8)
		h.apply([]kind{refusal, stop, cutting, death}[i%4])
	}
}

func (h *harness) wild() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return wild(h.strikes)
}

// wild says whether a schedule is one by what struck while events were in flight: five faults of three kinds. What
// the target refuses for itself does not count: that is in every schedule.
func wild(strikes map[kind]int) bool {
	struck, kinds := 0, 0
	for k, n := range strikes {
		if k != poisoned {
			struck, kinds = struck+n, kinds+1
		}
	}
	return struck >= 5 && kinds >= 3
}

// start starts a process; one that ends at once is started again.
func (h *harness) start() {
	for try := 0; ; try++ {
		h.oracle.begin()
		p, err := h.launch()
		h.note("run %d begins", p.number)
		if err == nil {
			return
		}
		h.note("run %d ends at once: %v", p.number, err)
		h.oracle.end(time.Now(), false)
		if try > 200 {
			h.violate("the process does not start any more: %v", err)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// until waits for ok, at most for as long, and keeps a process at work meanwhile.
func (h *harness) until(ok func() bool, most time.Duration) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(most); time.Now().Before(deadline); {
		if ok() {
			return true
		}
		p := h.current()
		if p.graph == nil {
			return false
		}
		select {
		case <-ticker.C:
		case <-p.dead:
			h.crashed(p, false)
			h.start()
		case err := <-p.ended:
			p.ended <- nil
			h.note("run %d has ended by itself: %v", p.number, err)
			h.oracle.end(time.Now(), false)
			time.Sleep(100 * time.Millisecond)
			h.start()
		}
	}
	return ok()
}

// crashed buries a process that was killed.
func (h *harness) crashed(p *process, withPower bool) {
	at := time.Now()
	p.finish()
	if withPower {
		torn := func(_ string, unsynced int) int { return h.rng.IntN(unsynced + 1) }
		if h.rng.IntN(2) == 0 {
			torn = nil
		}
		h.writer.powerLoss(torn)
	}
	h.oracle.end(at, false)
	h.note("run %d is dead", p.number)
}

// halt stops the process as a service manager does.
func (h *harness) halt() {
	p := h.current()
	if p.graph == nil {
		return
	}
	p.cancel()
	err := <-p.ended
	p.ended <- nil
	h.note("run %d was stopped: %v", p.number, err)
	if err != nil {
		h.violate("the stop ended with: %v", err)
	}
	h.oracle.end(time.Now(), p.alive())
}

// heal ends all faults.
func (h *harness) heal() {
	h.disk.heal()
	h.files.Blind(false)
	for _, t := range h.targets {
		t.set(well)
	}
	if p := h.current(); p != nil {
		p.arm(nil)
	}
}

// some is a random time from a to b.
func (h *harness) some(a, b time.Duration) time.Duration {
	return a + time.Duration(h.rng.Int64N(int64(b-a)))
}

// amid waits until events are in flight: in virtual time they mostly are not.
func (h *harness) amid() {
	for range 300 {
		if h.oracle.inFlight() {
			return
		}
		time.Sleep(500 * time.Microsecond)
	}
}

// wait goes on with everything for d.
func (h *harness) wait(d time.Duration) { h.until(func() bool { return false }, d) }

// last goes on with everything while a fault lasts, and counts it.
func (h *harness) last(k kind, d time.Duration) {
	inFlight := false
	h.until(func() bool {
		inFlight = inFlight || h.oracle.inFlight()
		return false
	}, d)
	h.count(k, inFlight)
}

// either is one of the targets.
func (h *harness) either() *target {
	if h.rng.IntN(3) == 0 {
		return h.targets[receipts]
	}
	return h.targets[sinkA]
}

// apply makes a fault happen.
func (h *harness) apply(k kind) {
	h.note("fault: %s", k)
	switch k {
	case kill, power:
		h.kill(k)
	case stop:
		healed := h.sick()
		h.amid()
		h.strike(k)
		h.halt()
		healed()
		h.down()
		h.start()
	case rotation:
		for range 1 + h.rng.IntN(3) {
			h.writer.ask(&h.writer.asked)
		}
	case compression:
		h.writer.ask(&h.writer.archive)
	case reload:
		defer h.sick()()
		for range 1 + h.rng.IntN(5) {
			h.reload()
			if h.rng.IntN(2) == 0 {
				h.wait(h.some(time.Millisecond, 200*time.Millisecond))
			}
		}
	case full:
		h.disk.fill(true)
		h.last(k, h.some(50*time.Millisecond, 4*time.Second))
		h.disk.fill(false)
		h.oracle.diskTrouble()
	case write:
		h.disk.failNth(worldtest.OpWrite, &nth{n: 1 + h.rng.IntN(4), part: h.rng.Float64(), kind: k})
	case syncFails:
		o := worldtest.OpSync
		if h.rng.IntN(4) == 0 {
			o = worldtest.OpSyncDir
		}
		h.disk.failNth(o, &nth{n: 1 + h.rng.IntN(4), kind: k})
	case readFails:
		h.disk.failNth(worldtest.OpRead, &nth{n: 1 + h.rng.IntN(20), kind: k})
	case refusal:
		h.misbehave(k, refuse, h.some(10*time.Millisecond, 3*time.Second))
	case hanging:
		h.misbehave(k, hang, h.some(10*time.Millisecond, 3*time.Second))
	case slowness:
		h.misbehave(k, slow, h.some(time.Second, 5*time.Second))
	case cutting:
		h.misbehave(k, cut, h.some(10*time.Millisecond, 2*time.Second))
	case death:
		t := h.either()
		t.set(refuse)
		h.last(k, h.some(time.Second, 10*time.Second))
		t.set(well)
	case blindness:
		h.files.Blind(true)
		h.last(k, h.some(time.Second, 3*time.Second))
		h.files.Blind(false)
	}
}

// misbehave gives a target a mood, sometimes while other faults go on.
func (h *harness) misbehave(k kind, m mood, d time.Duration) {
	t := h.either()
	t.set(m)
	if h.rng.IntN(2) == 0 {
		time.AfterFunc(d, func() { h.strike(k); t.set(well) })
		return
	}
	h.last(k, d)
	t.set(well)
}

// sick sometimes makes a target refuse for a while: people stop and reload what
// does not work. The result makes it well again.
func (h *harness) sick() (heal func()) {
	if h.rng.IntN(3) > 0 {
		return func() {}
	}
	t := h.either()
	t.set(refuse)
	h.wait(h.some(200*time.Millisecond, 5*time.Second))
	return func() { t.set(well) }
}

// kill kills the process in the middle of what it does.
func (h *harness) kill(k kind) {
	p := h.current()
	ops := []op{"", op(worldtest.OpWrite), op(worldtest.OpSync), op(worldtest.OpOpen), op(worldtest.OpRead), op(worldtest.OpSyncDir), op(worldtest.OpRename), opTake, opAnswer}
	t := &trigger{op: ops[h.rng.IntN(len(ops))], n: 1 + h.rng.IntN(12), after: h.rng.IntN(2) == 0, part: h.rng.Float64()}
	p.arm(t)
	select {
	case <-p.dead:
		h.note("killed at %+v", *t)
	case <-p.ended:
		p.ended <- nil
	case <-time.After(h.some(0, 3*time.Second)):
		h.amid()
	}
	p.die()
	h.strike(k)
	h.crashed(p, k == power)
	h.down()
	h.start()
}

// down is the time until somebody starts the process again.
func (h *harness) down() {
	switch h.rng.IntN(3) {
	case 0:
		return
	case 1:
		time.Sleep(h.some(0, time.Second))
	default:
		for range h.rng.IntN(3) {
			h.writer.ask(&h.writer.asked)
		}
		if h.rng.IntN(2) == 0 {
			h.writer.ask(&h.writer.archive)
		}
		time.Sleep(h.some(time.Second, 4*time.Second))
	}
}

// reload changes the pipeline file and has it loaded, as SIGHUP does.
func (h *harness) reload() {
	h.amid()
	h.strike(reload)
	was := h.setup
	h.setup.invalid = false
	switch h.rng.IntN(7) {
	case 0, 1:
		h.setup.filter++
	case 2:
		h.setup.target++
	case 3:
		h.setup.log++
	case 4:
		h.setup.source++
	case 5:
		h.setup.invalid = true
	}
	if err := h.configure(); err != nil {
		h.violate("the pipeline file can't be written: %v", err)
	}
	p := h.current()
	plan, err := h.load(p)
	if h.setup.invalid {
		if err == nil {
			h.violate("a pipeline that is wrong was loaded")
		}
		h.setup = was
		if err := h.configure(); err != nil {
			h.violate("the pipeline file can't be written: %v", err)
		}
		return
	}
	if err != nil {
		h.violate("loading: %v", err)
		return
	}
	if err := p.graph.Reload(plan); err != nil {
		h.note("reload: %v", err)
	}
	h.note("reloaded: %+v", h.setup)
}

// String is for the journal.
func (f fault) String() string { return fmt.Sprintf("%s@%d", f.kind, f.at) }
