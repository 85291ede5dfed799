package cmd

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/builtin"
)

const (
	dfnPipeline = "../pipelines/wazuh-dfn.hcl"
	dfnAlerts   = "../testdata/alerts/alerts.jsonl"
	dfnMessages = 18 // of the example alerts
)

// broker is a Kafka in memory with the topic dfn.
func broker(t *testing.T) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "dfn"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// records are the first n of the topic dfn.
func records(t *testing.T, cluster *kfake.Cluster, n int) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("dfn"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var all []*kgo.Record
	for len(all) < n {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d records, want %d", len(all), n)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

// runDFN runs wazuh-dfn.hcl over the example alerts and returns its exit code
// and what it said.
func runDFN(t *testing.T, cluster *kfake.Cluster, socket string, more ...string) (int, string) {
	t.Helper()
	args := append([]string{
		"run", dfnPipeline, "--once", "--state-dir", t.TempDir(),
		"--var", "alerts_file=" + absolute(t, dfnAlerts),
		"--var", "brokers=" + strings.Join(cluster.ListenAddrs(), ","),
		"--var", "topic=dfn",
		"--var", "wazuh_socket=" + socket,
	}, more...)
	var stdout, stderr bytes.Buffer
	code := execute(context.Background(), builtin.Specs(), args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// TestDFNEndToEnd sends the example alerts to a Kafka, and the receipts into a
// socket as the manager has it.
func TestDFNEndToEnd(t *testing.T) {
	cluster := broker(t)
	dir, err := os.MkdirTemp("", "dfn") // a socket's name is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "queue")
	queue, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	receipts := make(chan string, 2*dfnMessages)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1<<17)
		for {
			n, err := queue.Read(buf)
			if err != nil {
				return
			}
			receipts <- string(buf[:n])
		}
	}()

	code, said := runDFN(t, cluster, socket)
	if code != exitDone {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	if !strings.Contains(said, fmt.Sprintf("delivered %d, dropped 0, errors 1", dfnMessages)) {
		t.Errorf("the summary is\n%s", said)
	}
	formats := map[string]int{}
	for _, r := range records(t, cluster, dfnMessages) {
		if bytes.Contains(r.Value, []byte(`"event_format":"syslog5424-json"`)) {
			formats["syslog"]++
		} else {
			formats["windows"]++
		}
	}
	if formats["windows"] != 11 || formats["syslog"] != 7 {
		t.Errorf("messages by format: %v", formats)
	}
	queue.Close()
	<-done
	close(receipts)
	n := 0
	for r := range receipts {
		if n++; !strings.HasPrefix(r, "1:[") || !strings.Contains(r, `->dfn:{"integration": "dfn", "alert_id": "`) {
			t.Errorf("a receipt is %s", r)
		}
	}
	if n != dfnMessages {
		t.Errorf("%d receipts, want %d", n, dfnMessages)
	}
}

// TestDFNWithoutWazuh holds that a socket that is not there costs receipts, not
// delivery.
func TestDFNWithoutWazuh(t *testing.T) {
	cluster := broker(t)
	code, said := runDFN(t, cluster, filepath.Join(t.TempDir(), "gone"), "--timeout", "20s")
	if code != exitDone {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	if !strings.Contains(said, fmt.Sprintf("sink.wazuh.receipt dropped %d events: left at the end", dfnMessages)) {
		t.Errorf("the summary is\n%s", said)
	}
	records(t, cluster, dfnMessages)
}
