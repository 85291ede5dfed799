package agents

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata/manager"
)

// onDisk is a rig that reads a real database.
func onDisk(t testing.TB, name string) *rig {
	return newRigIn(t, func(host *component.Host) (reader, error) { return newDatabase(host, name), nil }, world.OS(), filepath.Join(t.TempDir(), "state"))
}

// started says whether the first snapshot is whole.
func started(g *rig) func() bool {
	return func() bool {
		part := g.have(typeSnapshot)
		return len(part) > 0 && part[len(part)-1].Snapshot.Index == part[len(part)-1].Snapshot.Count
	}
}

func atLeastEvents(g *rig, n int) func() bool { return func() bool { return len(g.have()) >= n } }

// Both versions' databases are read, written by another process, at its commits and not before.
func TestBothVersionsOfTheDatabase(t *testing.T) {
	for _, version := range []string{"4.14", "5"} {
		t.Run(version, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "global.db")
			w := manager.New(t, name, version, 1200) // three pages
			if version == "4.14" {
				w.SQL("UPDATE agent SET node_name = 'worker-1' WHERE id = 1200")
			}
			w.SQL("UPDATE agent SET ip = NULL, register_ip = '192.168.0.9' WHERE id = 2")
			g := onDisk(t, name)
			g.source.poll = time.Hour // only commits wake it
			stop := g.start()
			g.wait("the first read", started(g))
			if n := len(g.have(typeSnapshot)); n != 1200 {
				t.Errorf("%d agents: is the manager one of them?", n)
			}
			w.Exec("BEGIN IMMEDIATE")
			w.Exec("UPDATE agent SET connection_status = 'disconnected', disconnection_time = 1750000900, status_code = 4 WHERE id IN (1, 700, 1200)")
			time.Sleep(100 * time.Millisecond) // a moment in which nothing must come
			g.want()
			w.Exec("DELETE FROM agent WHERE id = 3")
			w.Exec("INSERT INTO agent (id, name, ip, date_add) VALUES (1201, 'new', 'any', 1760000000)")
			w.Exec("UPDATE agent SET connection_status = 'pending', last_keepalive = NULL WHERE id = 2")
			w.Commit()
			g.wait("what was committed", atLeastEvents(g, 6))
			stop()
			g.want(
				"disconnected 001 Active Disconnected", "status_change 002 Active Pending", "removed 003 Active Unknown",
				"disconnected 700 Active Disconnected", "disconnected 1200 Active Disconnected", "registered 1201 Unknown NeverConnected",
			)
			g.valid()
			got := g.have()
			if e := got[0]; *e.AgentVersion != "Wazuh v4.14.7" || !slices.Equal(e.Groups, []string{"default", "linux"}) || e.OS.Platform != "ubuntu" || *e.IP != "10.0.0.1" {
				t.Errorf("%s", e.raw)
			}
			if e := got[1]; *e.IP != "192.168.0.9" || e.LastKeepalive != nil {
				t.Errorf("%s", e.raw)
			}
			if e := got[5]; e.IP != nil || e.OS != nil || e.AgentVersion != nil {
				t.Errorf("%s", e.raw)
			}
			if node := got[4].AgentNode; version == "4.14" && *node != "worker-1" || version == "5" && node != nil {
				t.Errorf("node %v", node)
			}
			for _, e := range g.events {
				if strings.Contains(e.raw, "SECRET") {
					t.Fatal("a secret is in an event")
				}
			}
			if ledger, err := os.ReadFile(filepath.Join(g.host.StateDir, ledgerName)); err != nil || strings.Contains(string(ledger), "SECRET") {
				t.Errorf("a secret is in the ledger, or it is not there: %v", err)
			}
		})
	}
}

// A lock is waited for, and nothing that was written meanwhile is missed.
func TestALockedDatabaseIsWaitedFor(t *testing.T) {
	name := filepath.Join(t.TempDir(), "global.db")
	w := manager.New(t, name, "4.14", 10)
	g := onDisk(t, name)
	g.source.poll = 200 * time.Millisecond
	g.source.beat = 100 * time.Millisecond
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	w.Exec("BEGIN EXCLUSIVE")
	w.Exec("UPDATE agent SET connection_status = 'disconnected' WHERE id = 1")
	locked := func() bool {
		for _, e := range g.have(typeHeartbeat) {
			if manager, _ := e.whole["manager"].(map[string]any); manager["error"] == errLocked.Error() {
				return true
			}
		}
		return false
	}
	g.wait("a heartbeat that says so", locked)
	g.want()
	w.Commit()
	g.wait("the change", atLeastEvents(g, 1))
	g.want("disconnected 001 Active Disconnected")
}

// A writer that died in a transaction has left a journal that only a writer may roll back.
func TestAHotJournalIsWaitedFor(t *testing.T) {
	name := filepath.Join(t.TempDir(), "global.db")
	w := manager.New(t, name, "4.14", 2000)
	g := onDisk(t, name)
	g.source.poll = 50 * time.Millisecond
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	w.Exec("PRAGMA cache_size = 1")
	w.Exec("BEGIN IMMEDIATE")
	w.Exec("UPDATE agent SET connection_status = 'disconnected', config_sum = hex(randomblob(200))")
	w.Kill()
	if _, err := os.Stat(name + "-journal"); err != nil {
		t.Fatal(err)
	}
	g.wait("health", func() bool { return g.healthIs() == errHot.Error() })
	g.want()
	w = manager.Open(t, name)
	w.SQL("UPDATE agent SET connection_status = 'pending' WHERE id = 7")
	g.wait("the change", atLeastEvents(g, 1))
	g.want("status_change 007 Active Pending")
}

// A restored copy is another file under the same name.
func TestARestoredCopyIsReadInstead(t *testing.T) {
	dir := t.TempDir()
	name, backup := filepath.Join(dir, "global.db"), filepath.Join(dir, "backup")
	w := manager.New(t, name, "4.14", 20)
	copyFile(t, name, backup)
	g := onDisk(t, name)
	g.source.poll = 100 * time.Millisecond
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	w.SQL(`INSERT INTO agent (id, name, date_add) VALUES (21, 'new', 1760000000)`, `UPDATE agent SET connection_status = 'disconnected' WHERE id = 1`)
	g.wait("the changes", atLeastEvents(g, 2))
	w.Kill()
	if err := os.Rename(backup, name); err != nil {
		t.Fatal(err)
	}
	g.wait("what the copy says", atLeastEvents(g, 4))
	g.want(
		"disconnected 001 Active Disconnected", "registered 021 Unknown NeverConnected",
		"connected 001 Disconnected Active", "removed 021 NeverConnected Unknown",
	)
	if !g.log.has("another file") {
		t.Error("the log does not say it")
	}
	manager.Open(t, name).SQL(`UPDATE agent SET connection_status = 'pending' WHERE id = 2`)
	g.wait("a change of the copy", atLeastEvents(g, 5))
}

func copyFile(t *testing.T, from, to string) {
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

// What is not there, or is no database, removes nobody.
func TestWhatIsNotThereIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "queue", "global.db")
	g := onDisk(t, name)
	g.source.poll = 50 * time.Millisecond
	stop := g.start()
	defer stop()
	g.wait("health", func() bool { return strings.HasPrefix(g.healthIs(), "there is no database") })
	if err := os.Mkdir(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	manager.New(t, name+".new", "4.14", 5).Kill()
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
	g.wait("the first read", started(g))
	if err := os.Rename(name, name+".away"); err != nil {
		t.Fatal(err)
	}
	g.wait("health", func() bool { return strings.HasPrefix(g.healthIs(), "there is no database") })
	if err := os.WriteFile(name, []byte(strings.Repeat("no database at all ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.wait("health", func() bool { return strings.Contains(g.healthIs(), "not a database") })
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	g.wait("health", func() bool { return strings.Contains(g.healthIs(), "it has 0 bytes") })
	if err := os.Rename(name+".away", name); err != nil {
		t.Fatal(err)
	}
	g.wait("health", func() bool { return g.healthIs() == "" })
	manager.Open(t, name).SQL(`UPDATE agent SET connection_status = 'pending' WHERE id = 2`)
	g.wait("a change", atLeastEvents(g, 1))
	g.want("status_change 002 Active Pending")
}

var commits = flag.Int("agents.commits", 40, "TestNoCommitFailsTwiceInARow: how many commits, 20 a second")

// While we read a database of 10,000 agents all the time, no commit of a writer
// that commits 20 times a second fails twice in a row: it tries a thousand times at once, 50 ms
// later again.
func TestNoCommitFailsTwiceInARow(t *testing.T) {
	name := filepath.Join(t.TempDir(), "global.db")
	w := manager.New(t, name, "4.14", 10_000)
	g := onDisk(t, name)
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	row := 2
	for try := 0; row > 1 && try < 10; try++ { // a reader that loses the processor within a page is no fault of its own
		var failed int
		failed, row = w.Load(*commits)
		t.Logf("of %d commits %d failed, at most %d in a row", *commits, failed, row)
	}
	if row > 1 {
		t.Errorf("%d commits in a row failed, ten times", row)
	}
	g.wait("all changes", func() bool { return len(g.have()) > 0 })
}

// A page of a read may be cut off at any place by a context that ends.
func TestAReadEndsWithItsContext(t *testing.T) {
	name := filepath.Join(t.TempDir(), "global.db")
	manager.New(t, name, "5", 1200)
	d := newDatabase(&component.Host{World: world.OS()}, name)
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Readings(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if all, _, err := d.Readings(t.Context(), nil); err != nil || len(all) != 1200 {
		t.Errorf("%d agents, %v", len(all), err)
	}
}
