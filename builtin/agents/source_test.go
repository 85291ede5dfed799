package agents

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// pass lets time pass and everything come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A manager that goes back to a backup, and on to what it was before, says the same of two changes that both happened:
// they have different ids, or what throws out duplicates would leave the wrong one standing. So it is over a restart.
func TestWhatARestoredCopyTakesBackComesAgain(t *testing.T) {
	for _, c := range []struct {
		name         string
		older, newer agent
	}{
		{"the copy is from before it was lost", one(1, active), one(1, disconnected)},
		{"the copy is from while it was lost", one(1, disconnected), keptAlive(one(1, active), 60)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeManager{}
				f.set(c.older)
				g := newRig(t, f, worldtest.New())
				stop := g.start()
				pass(time.Second)
				var got []given
				for range 2 {
					for _, a := range []agent{c.newer, c.older} {
						f.set(a)
						pass(6 * time.Second)
					}
					got = append(got, g.have()...)
					stop()
					from := g.last()
					g = g.again()
					stop = g.start(from)
					pass(time.Second)
				}
				stop()
				if len(got) != 4 {
					t.Fatalf("%q", words(got))
				}
				ids := map[string]bool{}
				for _, e := range got {
					ids[e.EventID] = true
				}
				if len(ids) != 4 {
					t.Errorf("%d ids for four changes %q", len(ids), words(got))
				}
			})
		})
	}
}

func keptAlive(a agent, later int64) agent {
	a.Keepalive += later
	return a
}

// The first read makes nobody registered; after it each difference is an event, in the order of ids.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active), one(2, neverConnected), one(3, disconnected), one(4, active), one(5, pending), one(6, active))
		g := newRig(t, f, worldtest.New())
		defer g.start()()
		pass(time.Second)
		g.want()
		if n := len(g.have(typeSnapshot)); n != 6 {
			t.Errorf("a snapshot of %d", n)
		}
		reborn := one(4, neverConnected)
		reborn.Added = 1_760_000_000
		reborn.Name = "somebody else"
		f.set(one(1, disconnected), one(2, pending), one(3, active), reborn, one(5, active), one(7, neverConnected))
		pass(6 * time.Second)
		g.want(
			"disconnected 001 Active Disconnected",
			"status_change 002 NeverConnected Pending",
			"connected 003 Disconnected Active",
			"removed 004 Active Unknown",
			"registered 004 Unknown NeverConnected",
			"connected 005 Pending Active",
			"removed 006 Active Unknown",
			"registered 007 Unknown NeverConnected",
		)
		got := g.have()
		if *got[3].AgentName != "agent-004" || *got[4].AgentName != "somebody else" {
			t.Errorf("the agent that was removed is %s, the one that came %s", *got[3].AgentName, *got[4].AgentName)
		}
		if !g.log.has("ids belong to other agents than before") {
			t.Error("the log does not say that an id is another agent's")
		}
		if got[0].StatusCode != 4 || *got[0].LastKeepalive != "2025-06-15T15:06:40Z" || *got[0].IP != "10.0.0.1" || got[0].ManagerNode != "manager-1" {
			t.Errorf("%s", got[0].raw)
		}
		if first, last := *got[0].Fleet, *got[7].Fleet; first != (fleetMember{6, 2, 2}) || last != (fleetMember{6, 2, 1}) {
			t.Errorf("the fleet after the first change is %v, after the last one %v", first, last)
		}
		ids := map[string]bool{}
		for _, e := range got {
			ids[e.EventID] = true
		}
		if len(ids) != len(got) {
			t.Errorf("%d ids for %d events", len(ids), len(got))
		}
		pass(time.Minute)
		g.want(words(got)...)
		g.valid()
	})
}

// Details are asked of those that are new or changed, and of nobody else.
func TestOnlyWhatChangedIsReadWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active), one(2, active), one(3, active))
		g := newRig(t, f, worldtest.New())
		defer g.start()()
		pass(time.Second)
		f.detailed = nil
		f.set(one(1, active), one(2, disconnected))
		pass(6 * time.Second)
		if !slices.Equal(f.detailed, []int64{2}) {
			t.Errorf("details of %v", f.detailed)
		}
	})
}

// What happened while nobody looked is told once, at the start; then a snapshot.
func TestWhatChangedWhileDownIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := &fakeManager{}, worldtest.New()
		f.set(one(1, active), one(2, active))
		g := newRig(t, f, w)
		stop := g.start()
		pass(time.Second)
		stop()
		f.set(one(1, disconnected), one(3, active))
		at := g.last()
		g = g.again()
		stop = g.start(at)
		pass(time.Second)
		stop()
		g.want("disconnected 001 Active Disconnected", "removed 002 Active Unknown", "registered 003 Unknown Active")
		for _, e := range g.events[:3] {
			if e.EventType == typeSnapshot {
				t.Error("the snapshot came before the changes")
			}
		}
		at = g.last()
		g.source.Forget(at)
		g = g.again()
		stop = g.start(at)
		pass(time.Minute)
		stop()
		g.want()
	})
}

// Commits are looked at when they wake us, at most one each 50 ms, and every poll_interval.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{wake: make(chan struct{}, 1)}
		f.set(one(1, active))
		g := newRig(t, f, worldtest.New())
		defer g.start()()
		pass(time.Second)
		before := f.reads
		pass(time.Minute)
		if f.reads != before {
			t.Errorf("%d reads though nothing has changed", f.reads-before)
		}
		for i := range 100 { // a commit each 10 ms, for a second
			f.set(one(1, []status{active, disconnected}[i%2]))
			f.wake <- struct{}{}
			pass(10 * time.Millisecond)
		}
		if n := f.reads - before; n < 15 || n > 21 {
			t.Errorf("%d reads in a second", n)
		}
		// A change that nothing tells of is found by polling.
		pass(time.Second)
		n := len(g.have())
		f.set(one(1, pending))
		pass(5 * time.Second)
		if len(g.have()) != n+1 {
			t.Errorf("%d events, want 1", len(g.have())-n)
		}
	})
}

// A commit that ends while a read is under way is looked at behind it, not at the next poll.
func TestAWakeDuringAReadIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{wake: make(chan struct{}, 1)}
		f.set(one(1, active))
		g := newRig(t, f, worldtest.New())
		defer g.start()()
		pass(time.Second)
		f.slow = 20 * time.Millisecond
		f.set(one(1, disconnected))
		f.wake <- struct{}{}
		pass(10 * time.Millisecond)
		f.set(one(1, pending)) // behind what is being read
		f.wake <- struct{}{}
		pass(200 * time.Millisecond)
		g.want("disconnected 001 Active Disconnected", "status_change 001 Disconnected Pending")
	})
}

// A restart of the manager is one event; what it did to agents, and their coming back, has its id.
func TestAManagerRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		up, down := []agent{}, []agent{}
		for id := int64(1); id <= 50; id++ {
			up = append(up, one(id, active))
			a := one(id, disconnected)
			a.Code, a.Disconnected = resetByManager, 1_760_000_000
			down = append(down, a)
		}
		f.set(up...)
		g := newRig(t, f, worldtest.New())
		stop := g.start()
		pass(time.Second)
		f.set(append(slices.Clone(down[:30]), up[30:]...)...)
		pass(6 * time.Second)
		f.set(down...) // the other half of it
		pass(6 * time.Second)
		stop()
		g.valid()
		restarts := g.have(typeManagerRestart)
		if len(restarts) != 1 || restarts[0].whole["agents"] != 30.0 || restarts[0].whole["restarted_at"] != "2025-10-09T08:53:20Z" || g.have()[0].EventType != typeManagerRestart {
			t.Fatalf("%q", words(g.have()))
		}
		id := restarts[0].EventID
		at := g.last()
		g2 := g.again()
		f.set(up...)
		stop = g2.start(at)
		pass(time.Second)
		late := one(1, disconnected)
		f.set(append([]agent{late}, up[1:]...)...)
		pass(6 * time.Second)
		stop()
		marked := 0
		for _, e := range append(g.have(typeDisconnected), g2.have(typeConnected)...) {
			if e.ManagerRestart != nil && *e.ManagerRestart == id && e.Flaps == 0 {
				marked++
			}
		}
		if marked != 100 {
			t.Errorf("%d changes are marked, want 100", marked)
		}
		if own := g2.have(typeDisconnected); len(own) != 1 || own[0].ManagerRestart != nil || own[0].Flaps != 1 {
			t.Errorf("a disconnection of its own: %q", words(own))
		}
	})
}

func TestFlapsAreCountedInAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active))
		w := worldtest.New()
		g := newRig(t, f, w)
		stop := g.start()
		pass(time.Second)
		flip := func(n int) {
			for range n {
				s := active
				if f.agents[0].Status == active {
					s = disconnected
				}
				f.set(one(1, s))
				pass(6 * time.Second)
			}
		}
		flip(3)
		stop()
		at := g.last()
		before := g.have()
		g = g.again()
		defer g.start(at)()
		flip(1)
		pass(time.Hour)
		flip(1)
		var flaps []int
		for _, e := range append(before, g.have()...) {
			flaps = append(flaps, e.Flaps)
		}
		if !slices.Equal(flaps, []int{1, 2, 3, 4, 1}) {
			t.Errorf("flaps %v", flaps)
		}
	})
}

func TestSnapshotsAndHeartbeatsComeAtTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active), one(2, disconnected), one(3, neverConnected))
		g := newRig(t, f, worldtest.New())
		g.source.pictures, g.source.beat = time.Hour, time.Minute
		defer g.start()()
		pass(30 * time.Second)
		f.set(one(1, disconnected), one(2, disconnected), one(3, neverConnected))
		pass(time.Hour)
		if n := len(g.have(typeSnapshot)); n != 6 {
			t.Errorf("%d events of snapshots, want 6", n)
		}
		beats := g.have(typeHeartbeat)
		if len(beats) != 61 {
			t.Errorf("%d heartbeats, want 61", len(beats))
		}
		g.valid()
		counts, _ := beats[1].whole["summary"].(map[string]any)
		for member, want := range map[string]float64{"total_agents": 3, "active_agents": 0, "disconnected_agents": 2, "never_connected_agents": 1, "changes_detected": 1} {
			if counts[member] != want {
				t.Errorf("%s: %v, want %v", member, counts[member], want)
			}
		}
		ids := map[string]bool{}
		for _, e := range g.events {
			ids[e.EventID] = true
		}
		if len(ids) != len(g.events) {
			t.Errorf("%d ids for %d events", len(ids), len(g.events))
		}
		f.fail(errors.New("nobody there"))
		pass(2 * time.Minute)
		beats = g.have(typeHeartbeat)
		manager, _ := beats[len(beats)-1].whole["manager"].(map[string]any)
		if manager["status"] != "unreadable" || manager["error"] != "nobody there" || g.healthIs() != "nobody there" {
			t.Errorf("%v, health %q", manager, g.healthIs())
		}
	})
}

// A snapshot is given a lot at a time, as fast as sinks take it, and changes do not wait for it.
func TestASnapshotComesInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		var all []agent
		for id := int64(1); id <= 1000; id++ {
			all = append(all, one(id, active))
		}
		f.set(all...)
		g := newRig(t, f, worldtest.New())
		g.slow = true
		defer g.start()()
		pass(time.Minute)
		if n := len(g.have(typeSnapshot)); n != lotEvents {
			t.Errorf("%d parts though no sink is through with any", n)
		}
		all[0], all[998] = one(1, disconnected), one(999, disconnected)
		f.set(append(all[:999:999], one(1001, pending), one(1002, pending))...) // 1000 is removed
		pass(6 * time.Second)
		g.want("disconnected 001 Active Disconnected", "disconnected 999 Active Disconnected", "removed 1000 Active Unknown",
			"registered 1001 Unknown Pending", "registered 1002 Unknown Pending")
		for range 3 {
			g.mu.Lock()
			g.release()
			g.mu.Unlock()
			pass(time.Second)
		}
		parts := g.have(typeSnapshot)
		for i, e := range parts {
			if e.Snapshot.Index != i+1 || e.Snapshot.ID != parts[0].Snapshot.ID {
				t.Fatalf("part %d: %s", i+1, e.raw)
			}
		}
		if n := len(parts); n != 1001 || parts[0].Snapshot.Count != 1000 || parts[n-1].Snapshot.Count != n || parts[998].Current != disconnected {
			t.Errorf("%d parts, the last is %s", n, parts[n-1].raw)
		}
		g.valid()
		g.mu.Lock()
		g.release()
		g.mu.Unlock()
		pass(time.Minute)
		if n := len(g.have(typeSnapshot)); n != 1001 {
			t.Errorf("%d parts in the end", n)
		}
	})
}

// A fleet that is gone at once is looked for again; one that stays gone is.
func TestADisappearedFleetIsLookedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{wake: make(chan struct{}, 1)}
		all := []agent{one(1, active), one(2, active), one(3, active), one(4, active)}
		f.set(all...)
		g := newRig(t, f, worldtest.New())
		defer g.start()()
		pass(time.Second)
		f.set()
		f.wake <- struct{}{}
		pass(2 * time.Second)
		g.want()
		if !g.log.has("many agents are gone at once") {
			t.Error("nobody was told")
		}
		f.set(all...)
		f.wake <- struct{}{}
		pass(time.Minute)
		g.want()
		f.set(all[3])
		pass(time.Minute)
		g.want("removed 001 Active Unknown", "removed 002 Active Unknown", "removed 003 Active Unknown")
		f.set(all...) // and they come back: other events than the first time
		pass(time.Minute)
		f.set(all[3])
		pass(time.Minute)
		ids := map[string]bool{}
		for _, e := range g.have() {
			ids[e.EventID] = true
		}
		if len(g.have()) != 9 || len(ids) != 9 {
			t.Errorf("%d events with %d ids: %q", len(g.have()), len(ids), words(g.have()))
		}
	})
}

// Of what another file lacks nothing is believed at first.
func TestAReplacedFileIsReadTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{wake: make(chan struct{}, 1)}
		all := []agent{one(1, active), one(2, active), one(3, active), one(4, active)}
		f.set(all...)
		g := newRig(t, f, worldtest.New())
		defer g.start()()
		pass(time.Second)
		changed := append([]agent{one(1, disconnected)}, all[1:3]...)
		f.set(changed...)
		f.replaced = true
		f.wake <- struct{}{}
		pass(time.Second)
		g.want("disconnected 001 Active Disconnected")
		pass(10 * time.Second)
		g.want("disconnected 001 Active Disconnected", "removed 004 Active Unknown")
	})
}

// The database is locked for half a minute: health says so after five seconds, then all is read.
func TestADatabaseLockedForHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active))
		g := newRig(t, f, worldtest.New())
		g.source.beat = 10 * time.Second
		defer g.start()()
		pass(time.Second)
		f.set(one(1, disconnected))
		f.fail(errLocked)
		pass(6 * time.Second)
		if g.healthIs() != "" {
			t.Errorf("health %q too early", g.healthIs())
		}
		pass(24 * time.Second)
		if !strings.Contains(g.healthIs(), "locked") {
			t.Errorf("health %q", g.healthIs())
		}
		g.want()
		if n := len(g.have(typeHeartbeat)); n != 4 {
			t.Errorf("%d heartbeats", n)
		}
		f.fail(nil)
		pass(time.Second)
		g.want("disconnected 001 Active Disconnected")
		if g.healthIs() != "" {
			t.Errorf("health %q", g.healthIs())
		}
	})
}

// A sink that does not take anything stops the reading; what was seen is not lost, and
// in the end the difference is told.
func TestASlowSinkIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active), one(2, active))
		g := newRig(t, f, worldtest.New())
		defer g.start()()
		pass(time.Second)
		g.block(true)
		f.set(one(1, disconnected), one(2, active))
		pass(10 * time.Second)
		reads := f.reads
		f.set(one(1, disconnected), one(2, disconnected))
		pass(time.Minute)
		if f.reads > reads+1 {
			t.Errorf("%d reads for nobody", f.reads-reads)
		}
		g.block(false)
		pass(10 * time.Second)
		g.want("disconnected 001 Active Disconnected", "disconnected 002 Active Disconnected")
	})
}

// With a full disk no event is given, because it would not be known any more after a kill.
func TestAFullDiskIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := &fakeManager{}, worldtest.New()
		f.set(one(1, active))
		g := newRig(t, f, w)
		stop := g.start()
		pass(time.Second)
		w.Files.Fault(func(op worldtest.Op, name string) error {
			if op == worldtest.OpWrite {
				return worldtest.ShortWrite{Bytes: 7, Err: syscall.ENOSPC}
			}
			return nil
		})
		f.set(one(1, disconnected))
		pass(time.Minute)
		g.want()
		if !strings.Contains(g.healthIs(), "no space") {
			t.Errorf("health %q", g.healthIs())
		}
		w.Files.Fault(nil)
		pass(time.Minute)
		g.want("disconnected 001 Active Disconnected")
		if g.healthIs() != "" {
			t.Errorf("health %q", g.healthIs())
		}
		stop()
		g2 := g.again()
		stop = g2.start()
		pass(time.Second)
		stop()
		g2.want("disconnected 001 Active Disconnected") // no sink had a position
	})
}

// Another source at the same address, with other attributes, knows what the first one knew.
func TestAReloadGoesOnWithWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := &fakeManager{}, worldtest.New()
		f.set(one(1, active), one(2, active))
		g := newRig(t, f, w)
		stop := g.start()
		pass(time.Second)
		f.set(one(1, disconnected), one(2, active))
		pass(10 * time.Second)
		stop()
		at := g.last()
		other := &fakeManager{}
		other.set(one(1, disconnected), one(2, pending))
		g2 := newRig(t, other, w)
		g2.source.poll = time.Minute
		defer g2.start(at)()
		pass(time.Second)
		g2.want("status_change 002 Active Pending")
		if g2.lots[0] != at {
			t.Errorf("the first lot is at %v, want %v", g2.lots[0], at)
		}
	})
}

// Once is one read.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active), one(2, active))
		g := newRig(t, f, worldtest.New())
		g.source.Finite()
		began := time.Now()
		if err := g.source.Run(t.Context(), g.host, nil, g); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= time.Second {
			t.Errorf("it waits %s for what it does not look at any more", took)
		}
		if n := len(g.have(typeSnapshot)); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

// Without a state directory everything works for as long as the process lives.
func TestWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeManager{}
		f.set(one(1, active))
		g := newRig(t, f, worldtest.New())
		g.host.StateDir = ""
		defer g.start()()
		pass(time.Second)
		f.set(one(1, disconnected))
		pass(10 * time.Second)
		g.want("disconnected 001 Active Disconnected")
		if n := len(g.source.ledger.backlog); n != 0 {
			t.Errorf("%d events are kept for nobody", n)
		}
	})
}

func TestDifferences(t *testing.T) {
	known := []*agent{}
	for id := int64(1); id < 8; id += 2 {
		a := one(id, active)
		known = append(known, &a)
	}
	for _, c := range []struct {
		now  []reading
		want string
	}{
		{[]reading{known[0].reading, known[1].reading, known[2].reading, known[3].reading}, ""},
		{nil, "-1 -3 -5 -7"},
		{[]reading{{ID: 9}}, "-1 -3 -5 -7 +9"},
		{[]reading{known[0].reading, {ID: 2}, {ID: 3, Added: 5}, known[3].reading}, "+2 -3 +3 -5"},
		{[]reading{known[0].reading, known[1].reading, {ID: 5, Added: known[2].Added, Status: parseStatus("new one")}, known[3].reading}, "5 Active Unknown"},
	} {
		var got []string
		for _, d := range differences(nil, known, c.now) {
			switch {
			case d.before == nil:
				got = append(got, fmt.Sprintf("+%d", d.after.ID))
			case d.after == nil:
				got = append(got, fmt.Sprintf("-%d", d.before.ID))
			default:
				got = append(got, fmt.Sprintf("%d %s %s", d.after.ID, d.before.Status, d.after.Status))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %q, want %q", c.now, got, c.want)
		}
	}
}
