package pipelines_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/builtin/seal"
)

// TestAgentMessagesReachNATS publishes to a real server, and holds the audit log against what came: each message has its
// line and each line its message, with the same bytes.
func TestAgentMessagesReachNATS(t *testing.T) {
	t.Run("JetStream", func(t *testing.T) {
		nc := connect(t)
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "WAZUH", Subjects: []string{"wazuh.>"}, Storage: jetstream.MemoryStorage}); err != nil {
			t.Fatal(err)
		}
		audit := filepath.Join(t.TempDir(), "audit.jsonl")
		publishAll(t, map[string]string{"nats_url": nc.ConnectedUrl(), "audit_file": audit, "compression": "gzip"})
		var published []message
		for _, line := range auditLines(t, audit) {
			if line.Stream != "WAZUH" {
				t.Errorf("%+v", line)
			}
			stored, err := js.Stream(t.Context(), "WAZUH")
			if err != nil {
				t.Fatal(err)
			}
			m, err := stored.GetMsg(t.Context(), line.Sequence)
			if err != nil {
				t.Fatalf("%+v: %v", line, err)
			}
			published = append(published, line.is(t, m.Subject, m.Header, m.Data))
		}
		complete(t, published, true)
	})
	t.Run("core", func(t *testing.T) {
		nc := connect(t)
		sub, err := nc.SubscribeSync("wazuh.>")
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		audit := filepath.Join(t.TempDir(), "audit.jsonl")
		publishAll(t, map[string]string{
			"nats_url": nc.ConnectedUrl(), "audit_file": audit, "compression": "zstd", "jetstream": "false",
			"signing_key": "testdata/agents/signing.key", "encryption_key": "testdata/agents/encryption.key",
		})
		lines := map[string]auditLine{}
		for _, line := range auditLines(t, audit) {
			if line.Stream != "" || line.Sequence != 0 {
				t.Errorf("core NATS stores nothing: %+v", line)
			}
			lines[line.SHA256] = line
		}
		verify, decrypt := readKey(t, "signing.key"), readKey(t, "encryption.key")
		var published []message
		for range len(auditLines(t, audit)) {
			m, err := sub.NextMsg(10 * time.Second)
			if err != nil {
				t.Fatalf("%d messages came, the audit log has more: %v", len(published), err)
			}
			sent := expanded(t, m.Header, m.Data)
			line, ok := lines[digest(sent)]
			if !ok {
				t.Fatalf("the audit log lacks a message to %s", m.Subject)
			}
			// What goes to two subjects of an agent is the same message.
			if line.Subject != m.Subject && !strings.HasPrefix(m.Subject, "wazuh.agent.") {
				t.Errorf("%+v is of %s", line, m.Subject)
			}
			if err := seal.Verify(sent, verify, seal.Members{Signature: seal.DefaultSignature, KeyID: seal.DefaultKeyID}); err != nil {
				t.Error(err)
			}
			inside, err := seal.Decrypt(sent, decrypt, seal.DefaultEnvelope)
			if err != nil {
				t.Error(err)
			}
			published = append(published, message{m.Subject, inside})
		}
		complete(t, published, true)
	})
}

type auditLine struct {
	Time, Subject, ID, Stream, SHA256 string
	Sequence                          uint64
}

// is holds the line against a message that came.
func (l auditLine) is(t *testing.T, subject string, header client.Header, data []byte) message {
	t.Helper()
	sent := expanded(t, header, data)
	if l.Subject != subject || l.SHA256 != digest(sent) || !strings.Contains(string(sent), fmt.Sprintf("%q", l.ID)) {
		t.Errorf("%+v is not of the message to %s: %s", l, subject, sent)
	}
	return message{subject, sent}
}

func auditLines(t *testing.T, name string) (lines []auditLine) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var l auditLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// expanded is what was sent before it was compressed.
func expanded(t *testing.T, header client.Header, data []byte) []byte {
	t.Helper()
	sent, err := compression.Expand(header.Get("Content-Encoding"), data, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// connect starts a server with JetStream, and connects to it.
func connect(t *testing.T) *client.Conn {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server does not start")
	}
	nc, err := client.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}
