package agents

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sys/unix"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata/manager"
)

// What is at the database's name and no database of a manager is told in words that help, and let go of at once.
func TestWhatIsNoDatabaseIsTold(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "global.db")
	as := func(what string) { // takes the name, as a file that replaces another
		t.Helper()
		if err := os.Rename(filepath.Join(dir, what), name); err != nil {
			t.Fatal(err)
		}
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	must("fifo", unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	must("empty", os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	must("text", os.WriteFile(filepath.Join(dir, "text"), []byte(strings.Repeat("text ", 1000)), 0o600))
	other, err := sqlite3.Open(filepath.Join(dir, "other"))
	must("other", err)
	must("other", other.Exec("CREATE TABLE t (a)"))
	must("other", other.Close())

	d := newDatabase(&component.Host{World: world.OS()}, name)
	defer d.Close()
	says := func(want string) {
		t.Helper()
		if _, err := d.Changed(t.Context()); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	says("there is no database " + name + ": Wazuh 4 has it in /var/ossec/queue/db, Wazuh 5 in /var/wazuh-manager/queue/db")
	as("empty")
	says(name + " is no manager's database: it has 0 bytes")
	as("text")
	says(name + " is no manager's database: it is not a database of SQLite")
	as("other")
	says(name + " is no manager's database: it has no table agent")
	manager.New(t, filepath.Join(dir, "whole"), "4.14", 5).Kill()
	as("whole")
	if all, _, err := d.Readings(t.Context(), nil); len(all) != 5 || err != nil {
		t.Errorf("%d agents, %v", len(all), err)
	}
	unhung := func(pipe, want string) { // nobody writes the pipe: who opens it waits for good
		t.Helper()
		hung := time.AfterFunc(time.Minute, func() {
			t.Error("the pipe was opened")
			if f, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
				f.Close()
			}
		})
		defer hung.Stop()
		says(want)
	}
	for _, beside := range []string{name + "-journal", name + "-wal"} {
		must("fifo", unix.Mkfifo(beside, 0o600))
		unhung(beside, beside+" belongs to a manager's database, and is no regular file")
		must("fifo", os.Remove(beside))
		if all, _, err := d.Readings(t.Context(), nil); len(all) != 5 || err != nil {
			t.Errorf("behind the pipe: %d agents, %v", len(all), err)
		}
	}
	as("fifo")
	unhung(name, name+" is no manager's database: it is no regular file")
}

// Who is not of group wazuh is told so.
func TestWhoMayNotReadIsTold(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "global.db")
	manager.New(t, name, "4.14", 1).Kill()
	if err := os.Chmod(name, 0); err != nil {
		t.Fatal(err)
	}
	host := &component.Host{World: world.OS()}
	server := newWazuhDB(t, "4.14", 1)
	if err := os.Chmod(server.socket, 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // may read everything: this thread is somebody else for a moment
		for _, folder := range []string{dir, filepath.Dir(dir), filepath.Dir(server.socket), filepath.Dir(filepath.Dir(server.socket))} {
			if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // a test's own
				t.Fatal(err)
			}
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := unix.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Setfsuid(0) }()
	}
	for what, r := range map[string]reader{
		"the database " + name:        newDatabase(host, name),
		"the socket " + server.socket: &wdb{dial: host.Dial, name: server.socket},
	} {
		_, _, err := r.Readings(t.Context(), nil)
		if want := what + " may not be read by this user: use one of group wazuh, or root"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		r.Close()
	}
}
