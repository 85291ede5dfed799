//go:build integration

package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/manager"
	"github.com/wazuh-etl/etl/testdata/servers"
)

// fleet is a manager with its agents, etl that follows it, and the stream that it writes.
type fleet struct {
	*testing.T
	database string
	manager  *manager.Writer
	nats     *servers.NATSServer
	stream   *stream
	etl      *daemon
}

// newFleet is one of n agents, all active, of which etl knows nothing yet. values are lines for
// the file with variables.
func newFleet(t *testing.T, nats *servers.NATSServer, n int, values ...string) *fleet {
	t.Helper()
	dir := t.TempDir()
	f := &fleet{T: t, nats: nats, database: filepath.Join(dir, "global.db"), stream: newStream(t, nats)}
	f.manager = manager.New(t, f.database, "4.14", n)
	text := strings.Join(append(values,
		fmt.Sprintf("managers = { m1 = { database = %q } }", f.database),
		fmt.Sprintf("nats_url = [%q]", "tls://"+nats.Address),
		fmt.Sprintf("nats_creds = %q", nats.Guard.CredsFile),
		fmt.Sprintf("nats_ca = %q", nats.Guard.CAFile),
		fmt.Sprintf("nats_cert = %q", nats.Guard.CertFile),
		fmt.Sprintf("nats_key = %q", nats.Guard.KeyFile),
	), "\n") + "\n"
	variables := filepath.Join(dir, "values")
	if err := os.WriteFile(variables, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.etl = newDaemon(t, "run", filepath.Join("..", "..", "pipelines", "agent-status.hcl"), "--var-file", variables, "--state-dir", filepath.Join(dir, "state"))
	return f
}

// start starts etl for the first time, and waits until the whole fleet is known.
func (f *fleet) start(agents int) {
	f.Helper()
	f.etl.start()
	f.stream.wait("the first snapshot", agents, f.stream.of(snapshots))
}

// disconnect is what wazuh-db writes of agents that it has not heard of.
func disconnect(where string, at int) string {
	return fmt.Sprintf("UPDATE agent SET connection_status = 'disconnected', disconnection_time = %d, status_code = 4 WHERE id > 0 AND %s", 1_760_000_000+at, where)
}

// connect is what it writes of agents that it hears of again.
func connect(where string, at int) string {
	return fmt.Sprintf("UPDATE agent SET connection_status = 'active', disconnection_time = 0, status_code = 0, last_keepalive = %d WHERE id > 0 AND %s", 1_760_000_000+at, where)
}

// says waits until the log has words.
func (f *fleet) says(words string) {
	f.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(f.etl.said(), words); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.Fatalf("the log does not say %q", words)
		}
	}
}

// once wants each agent of a range to have changed just once, as said.
func (f *fleet) once(what string, from, to int) {
	f.Helper()
	f.stream.whole()
	times := map[string]int{}
	for _, m := range f.stream.of(changes)() {
		times[m.change()]++
	}
	for id := from; id <= to; id++ {
		change := fmt.Sprintf(what, id)
		if n := times[change]; n != 1 {
			f.Errorf("%s: %d times", change, n)
		}
		delete(times, change)
	}
	for change, n := range times {
		f.Errorf("nobody wrote %s: %d times", change, n)
	}
	batched := map[string]bool{}
	for _, m := range f.stream.batched() {
		batched[m.EventID] = true
	}
	for _, m := range f.stream.of(changes)() {
		if !batched[m.EventID] {
			f.Errorf("%s is in no batch", m.EventID)
		}
	}
}

// are wants the changes to be these, in order.
func (f *fleet) are(want ...string) {
	f.Helper()
	f.stream.whole()
	var got []string
	for _, m := range f.stream.of(changes)() {
		got = append(got, m.change())
	}
	if !slices.Equal(got, want) {
		f.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
