//go:build integration

package fleet

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/manager"
	"github.com/wazuh-etl/etl/testdata/servers"
)

// What is promised, short for CI, and at its full length by
//
//	go test -tags integration ./cmd/fleet -run TestPromises -count=1 -v -kills 30 -away 60s -locked 30s
var (
	kills  = flag.Int("kills", 5, "how often etl is killed under load")
	away   = flag.Duration("away", 5*time.Second, "how long NATS is away")
	locked = flag.Duration("locked", 10*time.Second, "how long the database is locked, more than 5 s")
)

func TestPromises(t *testing.T) {
	nats := servers.NATSBehindTLS(t)
	for _, p := range []struct {
		name string
		does func(t *testing.T, nats *servers.NATSServer)
	}{
		{"killed between a change and its acknowledgement", killed},
		{"NATS is away", targetAway},
		{"the database is locked", databaseLocked},
		{"an older copy of the database is restored", restored},
		{"an id belongs to another agent", reused},
		{"the manager restarts", managerRestart},
	} {
		t.Run(p.name, func(t *testing.T) { p.does(t, nats) })
	}
}

// killed: every change is in the stream once, though etl is killed again and again
// while changes are committed.
func killed(t *testing.T, nats *servers.NATSServer) {
	const each = 10
	agents := 200 * (*kills + 1)
	f := newFleet(t, nats, agents)
	f.start(agents)
	quit, written := make(chan struct{}), make(chan int)
	go func() { // 10 agents, 10 times a second
		n := 0
		for tick := time.NewTicker(100 * time.Millisecond); n < agents; n += each {
			select {
			case <-quit:
				written <- n
				return
			case <-tick.C:
				f.manager.SQL(disconnect(fmt.Sprintf("id BETWEEN %d AND %d", n+1, n+each), n))
			}
		}
		written <- n
	}()
	for i := range *kills {
		// From before the events are given to behind their acknowledgement.
		seen := len(f.stream.of(changes)())
		f.stream.wait("a change", min(seen+1, agents), f.stream.of(changes))
		time.Sleep(time.Duration(i*37%150) * time.Millisecond)
		f.etl.kill()
		f.etl.start()
	}
	close(quit)
	n := <-written
	f.stream.wait("all changes", n, f.stream.of(changes))
	f.stream.wait("all changes in batches", n, f.stream.batched)
	f.etl.stop()
	f.once("disconnected %03d Active Disconnected", 1, n)
	f.says("agents have changed since the last run")
	t.Logf("%d changes, %d kills", n, *kills)
}

// targetAway: what changes while NATS is not there is told when it is back.
func targetAway(t *testing.T, nats *servers.NATSServer) {
	const agents = 200
	f := newFleet(t, nats, agents)
	f.start(agents)
	nats.Kill()
	n := 0
	for began := time.Now(); time.Since(began) < *away; time.Sleep(100 * time.Millisecond) {
		if n < agents {
			n++
			f.manager.SQL(disconnect(fmt.Sprint("id = ", n), n))
		}
	}
	f.says("the connection fails; all that use it wait")
	nats.Start()
	f.stream.wait("all changes", n, f.stream.of(changes))
	f.says("the connection is back")
	f.etl.stop()
	f.once("disconnected %03d Active Disconnected", 1, n)
}

// databaseLocked: a lock is waited for, the log and the heartbeat say so.
func databaseLocked(t *testing.T, nats *servers.NATSServer) {
	const agents = 50
	f := newFleet(t, nats, agents, `heartbeat_interval = "1s"`, `poll_interval = "500ms"`)
	f.start(agents)
	f.manager.Exec("BEGIN EXCLUSIVE")
	f.manager.Exec("%s", disconnect("id <= 20", 1))
	time.Sleep(*locked)
	f.manager.Commit()
	f.stream.wait("all changes", 20, f.stream.of(changes))
	f.says("the database is locked: wazuh-db writes")
	f.says("the source is back")
	f.etl.stop()
	f.once("disconnected %03d Active Disconnected", 1, 20)
	if !slices.ContainsFunc(f.stream.of(heartbeats)(), func(m message) bool {
		return m.Manager.Status == "unreadable" && m.Manager.Error == "the database is locked: wazuh-db writes"
	}) {
		t.Error("no heartbeat says it")
	}
}

// restored: a copy from before is another fleet; what it lacks is gone, the rest is as it was.
func restored(t *testing.T, nats *servers.NATSServer) {
	const agents = 50
	f := newFleet(t, nats, agents, `poll_interval = "500ms"`)
	backup := filepath.Join(filepath.Dir(f.database), "backup")
	duplicate(t, f.database, backup)
	f.start(agents)
	f.manager.SQL(disconnect("id <= 2", 1), "INSERT INTO agent (id, name, date_add) VALUES (51, 'newer', 1760000000)")
	f.stream.wait("what was before", 3, f.stream.of(changes))
	f.manager.Kill()
	if err := os.Rename(backup, f.database); err != nil {
		t.Fatal(err)
	}
	f.stream.wait("what the copy says", 6, f.stream.of(changes))
	f.says("the manager's database is another file than before")
	f.manager = manager.Open(t, f.database)
	f.manager.SQL(disconnect("id = 3", 2))
	f.stream.wait("what is written behind it", 7, f.stream.of(changes))
	f.etl.stop()
	f.are(
		"disconnected 001 Active Disconnected", "disconnected 002 Active Disconnected", "registered 051 Unknown NeverConnected",
		"connected 001 Disconnected Active", "connected 002 Disconnected Active", "removed 051 NeverConnected Unknown",
		"disconnected 003 Active Disconnected",
	)
}

func duplicate(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// reused: an id that another agent has now is two changes, each with its own name.
func reused(t *testing.T, nats *servers.NATSServer) {
	const agents = 10
	f := newFleet(t, nats, agents)
	f.start(agents)
	f.manager.SQL("DELETE FROM agent WHERE id = 5", "INSERT INTO agent (id, name, ip, date_add) VALUES (5, 'another', 'any', 1760000000)")
	f.stream.wait("the change of hands", 2, f.stream.of(changes))
	f.says("ids belong to other agents than before")
	f.manager.SQL(connect("id = 5", 1))
	f.stream.wait("its connection", 3, f.stream.of(changes))
	f.etl.stop()
	f.are("removed 005 Active Unknown", "registered 005 Unknown NeverConnected", "connected 005 NeverConnected Active")
	names := []string{}
	for _, m := range f.stream.of(changes)() {
		names = append(names, m.AgentName)
	}
	if !slices.Equal(names, []string{"agent-5", "another", "another"}) {
		t.Errorf("their names are %q", names)
	}
}

// managerRestart: one event with the count, and the changes bear its id.
func managerRestart(t *testing.T, nats *servers.NATSServer) {
	const agents = 300
	f := newFleet(t, nats, agents)
	f.start(agents)
	f.manager.SQL("UPDATE agent SET connection_status = 'disconnected', status_code = 5, disconnection_time = 1760000000 WHERE id > 0 AND connection_status <> 'never_connected'")
	f.stream.wait("the reset", agents, f.stream.of(changes))
	f.says("the manager has started anew and reset its agents")
	f.manager.SQL(connect("id <= 299", 1))
	f.stream.wait("their coming back", 2*agents-1, f.stream.of(changes))
	f.etl.stop()
	f.stream.whole()
	var restarts []message
	for _, m := range f.stream.batched() {
		if m.EventType == "manager_restart" {
			restarts = append(restarts, m)
		}
	}
	if len(restarts) != 1 || restarts[0].Agents != agents {
		t.Fatalf("%d restarts: %+v", len(restarts), restarts)
	}
	for _, m := range f.stream.of(changes)() {
		if m.Restart == nil || *m.Restart != restarts[0].EventID {
			t.Fatalf("not marked: %s", m.raw)
		}
	}
}
