//go:build integration

package cmd

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// Exactly once: the program is killed again and again under load, the broker
// once, the sink is replaced by reloads, and a reader of committed records finds each alert once, in order.
func TestExactlyOnceOverKills(t *testing.T) {
	broker := servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true})
	o := newOperator(t, broker)
	client := "client_id = \"etl"
	o.edit("  topic   = var.topic\n", "  topic   = var.topic\n  delivery = \"exactly_once\"\n  "+client+"\"\n")
	o.start()
	m := o.write(1000)
	kills := 0
	for i := range 12 {
		time.Sleep(time.Duration(500+rand.IntN(2000)) * time.Millisecond) // the load between two kills
		if i == 6 {
			broker.Kill()
			time.Sleep(time.Second)
			broker.Start()
			continue
		}
		if i == 3 || i == 8 { // a reload that replaces the sink
			o.edit(client, client+"i")
			client += "i"
			o.reload()
			continue
		}
		if i == 9 {
			m.rotate()
		}
		o.kill()
		kills++
		o.start()
	}

	// A second instance, on a copy of the machine, takes over; the first ends and says why.
	first, name := o.process, o.log.Name()
	runs(t, broker, first) // of two that start at once the later to claim the sink would win
	if err := os.CopyFS(filepath.Join(o.dir, "copy"), os.DirFS(filepath.Join(o.dir, "state"))); err != nil {
		t.Fatal(err)
	}
	o.state = "copy"
	o.start()
	if err := o.ended(first); err == nil {
		t.Error("the first instance ended without an error")
	}
	if log, err := os.ReadFile(name); err != nil || !strings.Contains(string(log), "another instance of pipeline wazuh-dfn has taken over") {
		t.Errorf("the first instance does not say why it ended: %v", err)
	}
	time.Sleep(time.Second) // the load goes on with the second
	n := m.end()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		got := numbers(t, broker.Committed(o.topic))
		for i, k := range got {
			if k != i {
				t.Fatalf("record %d of a reader of committed records is alert %d of %d", i, k, n)
			}
		}
		if len(got) == n {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("lost: %d of %d alerts are there", len(got), n)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("%d alerts, %d kills, %d records with those of aborted transactions", n, kills, len(broker.Records(o.topic)))
}

// runs waits until the checkpoint topic names the process as the one that runs the sink.
func runs(t *testing.T, broker *servers.Broker, process *exec.Cmd) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var holder struct {
			Process int `json:"pid"`
		}
		for _, r := range broker.Committed("etl-checkpoints") {
			if bytes.Contains(r.Value, []byte(`"pid"`)) {
				if err := json.Unmarshal(r.Value, &holder); err != nil {
					t.Fatal(err)
				}
			}
		}
		if holder.Process == process.Process.Pid {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the sink is run by process %d, want %d", holder.Process, process.Process.Pid)
		}
	}
}
