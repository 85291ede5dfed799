package agents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

var quiet = slog.New(slog.DiscardHandler)

func opened(t testing.TB, files world.FS) *ledger {
	t.Helper()
	l, err := readLedger(files, "/state", quiet)
	if err == nil {
		err = l.begin("/state")
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func with(events ...string) *record {
	r := &record{Read: true}
	for _, e := range events {
		r.Events = append(r.Events, kept{Event: json.RawMessage(`"` + e + `"`)})
	}
	return r
}

// backlog is all that l keeps.
func backlog(l *ledger) []kept {
	all, _ := l.since(0)
	return all
}

func numbers(list []kept) (n []int64) {
	for _, k := range list {
		n = append(n, k.Number)
	}
	return n
}

// Events stay until all sinks have them, and numbers are used once.
func TestLedgerKeepsEventsUntilTheyAreForgotten(t *testing.T) {
	w := worldtest.New()
	l := opened(t, w.Files)
	a, b := one(1, active), one(2, disconnected)
	r := with("a", "b")
	r.Agents = []*agent{&a, &b}
	if err := l.commit(r); err != nil {
		t.Fatal(err)
	}
	passing, err := l.take(3)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.commit(with("c")); err != nil {
		t.Fatal(err)
	}
	first := r.Events[0].Number
	if passing != first+2 || !slices.Equal(numbers(backlog(l)), []int64{first, first + 1, first + 5}) {
		t.Fatalf("numbers %v and %d", numbers(backlog(l)), passing)
	}
	l.forget(first + 1)
	if err := l.commit(with()); err != nil { // the next record makes it last
		t.Fatal(err)
	}
	next := opened(t, w.Files)
	if next.generation != l.generation || !slices.Equal(numbers(backlog(next)), []int64{first + 1, first + 5}) || len(next.agents) != 2 || !next.read {
		t.Errorf("%s, events %v, %d agents", next.generation, numbers(backlog(next)), len(next.agents))
	}
	if next.next <= first+5 {
		t.Errorf("number %d is used again", next.next)
	}
	if got := *next.agents[1]; got.Status != disconnected || got.Name != "agent-002" || got.Code != 4 {
		t.Errorf("%+v", got)
	}
}

// The file does not grow for ever.
func TestLedgerIsWrittenAnew(t *testing.T) {
	w := worldtest.New()
	l := opened(t, w.Files)
	largest := int64(0)
	for range 400 {
		a := one(1, active)
		r := with(strings.Repeat("x", 10_000))
		r.Agents = []*agent{&a}
		if err := l.commit(r); err != nil {
			t.Fatal(err)
		}
		l.forget(l.next)
		largest = max(largest, l.size)
	}
	if largest > slack+20_000 {
		t.Errorf("it had %d bytes", largest)
	}
}

// promise is what has been said before a crash.
type promise struct {
	events []int64 // given to the pipeline
	next   int64   // numbers before it were used
}

// Power is lost, or the process killed, behind every operation on the disk: what was
// given is there, and no number comes twice.
func TestLedgerOutlivesEveryCrash(t *testing.T) {
	recorder := worldtest.Record()
	files := recorder
	var promises []promise
	given := []int64{}
	l := opened(t, files)
	for i := range 12 {
		a := one(int64(i), active)
		r := with(fmt.Sprint(i))
		r.Agents = []*agent{&a}
		if i == 6 {
			l.stale = true // a file is written anew
		}
		if err := l.commit(r); err != nil {
			t.Fatal(err)
		}
		given = append(given, r.Events[0].Number)
		promises = append(promises, promise{slices.Clone(given), l.next})
		recorder.Mark()
	}
	n := 0
	for crash := range recorder.Crashes() {
		n++
		after, err := readLedger(crash.FS, "/state", quiet)
		if err != nil {
			t.Fatalf("%s: %v", crash.What, err)
		}
		if crash.Marks == 0 {
			continue
		}
		p := promises[crash.Marks-1]
		if got := numbers(backlog(after)); len(got) < len(p.events) || !slices.Equal(got[:len(p.events)], p.events) {
			t.Errorf("%s: events %v, promised %v", crash.What, got, p.events)
		}
		if after.generation != l.generation || after.next < p.next || len(after.agents) < len(p.events) {
			t.Errorf("%s: generation %s, next %d, %d agents", crash.What, after.generation, after.next, len(after.agents))
		}
	}
	if n < 100 {
		t.Errorf("only %d crashes", n)
	}
}

// Wherever a byte is flipped, what is before it counts, no number is given a second time in
// the same generation, and somebody is told.
func TestADamagedLedgerIsSaid(t *testing.T) {
	w := worldtest.New()
	l := opened(t, w.Files)
	for i := range 5 {
		a := one(int64(i+1), active)
		r := with(fmt.Sprint(i))
		r.Agents = []*agent{&a}
		if err := l.commit(r); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join("/state", ledgerName)
	whole, err := w.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	used := component.Position{Generation: l.generation, Offset: l.next}
	for at := range whole {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x10
		files := worldtest.NewFS()
		if err := world.MakeDirs(files, "/state", 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := files.OpenFile(name, 0x42, 0o600) // O_CREATE|O_RDWR
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(damaged)
		_ = f.Close()
		log := &logged{}
		after, err := readLedger(files, "/state", slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if !log.has("ledger") {
			t.Errorf("byte %d: nobody was told", at)
		}
		if after.knows(used) && after.next < used.Offset {
			t.Errorf("byte %d: number %d comes twice", at, after.next)
		}
	}
}

// A random life: a fleet that changes, reads, kills at any moment, sinks that are behind, disks that fail.
// Whoever follows the events knows the fleet as it is, no event is missing or comes under a
// second number, and what comes again is the same to the byte.
func TestKilledAnywhereNothingIsLost(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) { liveAndDie(t, rand.New(rand.NewPCG(seed, 6))) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func liveAndDie(t *testing.T, rnd *rand.Rand) {
	f, w := &fakeManager{}, worldtest.New()
	var now []agent
	g := newRig(t, f, w)
	var from []component.Position
	seen := map[int64]string{}    // by number, over all runs
	ids := map[string]int64{}     // number by event_id
	var order []int64             // numbers of changes
	believed := map[int64]agent{} // the fleet as the events tell it
	first := true
	for range 12 {
		if rnd.IntN(6) == 0 { // the disk fails now and then
			w.Files.FailNth([]worldtest.Op{worldtest.OpWrite, worldtest.OpSync, worldtest.OpRename}[rnd.IntN(3)], int64(1+rnd.IntN(4)), syscall.EIO)
		}
		now = mutate(rnd, now)
		f.set(now...)
		stop := g.start(from...)
		pass(time.Second)
		if first { // the first read is the beginning
			for _, a := range now {
				believed[a.ID] = a
			}
			first = false
		}
		for range rnd.IntN(4) {
			now = mutate(rnd, now)
			f.set(now...)
			pass(time.Duration(rnd.IntN(20_000)) * time.Millisecond)
		}
		stop()
		w.Files.Fault(nil)
		for _, e := range g.have() {
			if was, again := seen[e.number]; again {
				if was != e.raw {
					t.Fatalf("number %d was %s and is %s", e.number, was, e.raw)
				}
				continue
			}
			seen[e.number] = e.raw
			if n, twice := ids[e.EventID]; twice {
				t.Errorf("event_id %s has numbers %d and %d", e.EventID, n, e.number)
			}
			ids[e.EventID] = e.number
			if len(order) > 0 && order[len(order)-1] >= e.number {
				t.Errorf("number %d comes behind %d", e.number, order[len(order)-1])
			}
			order = append(order, e.number)
			tell(t, believed, e)
		}
		// The sinks stand somewhere: at what they have acknowledged, which may be all or nothing of this run.
		if len(g.lots) > 0 {
			p := g.lots[rnd.IntN(len(g.lots))]
			q := g.lots[rnd.IntN(len(g.lots))]
			from = []component.Position{p, q}
			g.source.Forget(component.Position{Generation: p.Generation, Offset: min(p.Offset, q.Offset)})
		}
		if rnd.IntN(2) == 0 {
			w.Files.Crash(nil) // only what was synced is left
		}
		g = g.again()
	}
	stop := g.start(from...)
	pass(time.Minute)
	stop()
	for _, e := range g.have() {
		if _, again := seen[e.number]; !again {
			tell(t, believed, e)
		}
	}
	if len(believed) != len(now) {
		t.Errorf("events tell of %d agents, there are %d", len(believed), len(now))
	}
	for _, a := range now {
		if b := believed[a.ID]; b.Status != a.Status {
			t.Errorf("agent %d is %s, events say %s", a.ID, a.Status, b.Status)
		}
	}
}

// tell lets a reader of events learn of one.
func tell(t *testing.T, fleet map[int64]agent, e given) {
	t.Helper()
	if e.EventType == typeManagerRestart {
		return
	}
	var id int64
	if _, err := fmt.Sscan(strings.TrimLeft(e.AgentID, "0"), &id); err != nil {
		t.Fatal(err)
	}
	was, known := fleet[id]
	if known != (e.EventType != typeRegistered) || known && was.Status != e.Previous {
		t.Errorf("%s of agent %d, which was %s (%v)", e.raw, id, was.Status, known)
	}
	if e.EventType == typeRemoved {
		delete(fleet, id)
		return
	}
	fleet[id] = agent{reading: reading{ID: id, Status: e.Current}}
}

// mutate is a fleet as it may be a while later.
func mutate(rnd *rand.Rand, now []agent) []agent {
	next := slices.Clone(now)
	clock := int64(1_760_000_000 + rnd.IntN(1_000_000_000))
	for range 1 + rnd.IntN(5) {
		id := int64(1 + rnd.IntN(12))
		i := slices.IndexFunc(next, func(a agent) bool { return a.ID == id })
		s := status(1 + rnd.IntN(4))
		a := one(id, s)
		if s == disconnected {
			a.Disconnected = clock
			if rnd.IntN(3) == 0 {
				a.Code = resetByManager
			}
		}
		a.Keepalive = clock
		switch {
		case i < 0:
			a.Added = clock
			next = append(next, a)
		case rnd.IntN(5) == 0:
			next = slices.Delete(next, i, i+1)
		case rnd.IntN(6) == 0: // the id belongs to another one
			a.Added = clock
			next[i] = a
		default:
			a.Added = next[i].Added
			next[i] = a
		}
	}
	return next
}

// A state directory that can't be read is said, not taken for an empty one.
func TestAnUnreadableLedgerStopsTheStart(t *testing.T) {
	w := worldtest.New()
	l := opened(t, w.Files)
	if err := l.commit(with("a")); err != nil {
		t.Fatal(err)
	}
	w.Files.FailNth(worldtest.OpRead, 1, syscall.EIO)
	if _, err := readLedger(w.Files, "/state", quiet); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v", err)
	}
}

// FuzzLedger: whatever is in the file, it is read without a panic, and what is read can be written.
func FuzzLedger(f *testing.F) {
	w := worldtest.New()
	l := &ledger{files: w.Files, fleet: fleet{past: map[int64]int{}}}
	a := one(1, active)
	raw, err := appendRecord(slices.Clone(magic), &record{Generation: "g", Reserved: 70_000, Read: true, Agents: []*agent{&a}})
	if err != nil {
		f.Fatal(err)
	}
	raw, _ = appendRecord(raw, with("a", "b"))
	raw, _ = appendRecord(raw, &record{Gone: []int64{1}, Done: 7})
	f.Add(raw)
	f.Add(raw[:len(raw)-3])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		l.agents, l.backlog = nil, nil
		l.past = map[int64]int{}
		bad, err := readRecords(bytes.NewReader(raw), int64(len(raw)), func(r *record) { l.apply(r, 0) })
		if err != nil || bad.bytes > int64(len(raw)) {
			t.Errorf("%d bytes left of %d: %v", bad.bytes, len(raw), err)
		}
		if _, err := appendRecord(nil, &record{Agents: l.agents, Events: l.backlog, Past: l.past}); err != nil {
			t.Errorf("what was read can't be written: %v", err)
		}
	})
}
