package pipelines_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wazuh-etl/etl/builtin/seal"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/schemas"
)

// TestAgentMessagesAreAsTheirSchemaSays runs agent-status.hcl on a database that changes in every way that it has a
// message for, and holds all that it would publish to schemas/agent-message.json: as it is; and signed and encrypted, then
// checked, decrypted and held to it once more.
func TestAgentMessagesAreAsTheirSchemaSays(t *testing.T) {
	schema := messageSchema(t)
	t.Run("plain", func(t *testing.T) {
		for _, m := range publishAll(t, nil) {
			valid(t, schema, m)
		}
	})
	t.Run("sealed", func(t *testing.T) {
		verify, decrypt := readKey(t, "signing.pub"), readKey(t, "encryption.key")
		for _, m := range publishAll(t, map[string]string{
			"signing_key": "testdata/agents/signing.pem", "signing_method": "ed25519", "encryption_key": "testdata/agents/encryption.key",
		}) {
			valid(t, schema, m)
			if err := seal.Verify(m.payload, verify, seal.Members{Signature: seal.DefaultSignature, KeyID: seal.DefaultKeyID}); err != nil {
				t.Errorf("%s: %v", m.subject, err)
			}
			inside, err := seal.Decrypt(m.payload, decrypt, seal.DefaultEnvelope)
			if err != nil {
				t.Errorf("%s: %v", m.subject, err)
			}
			valid(t, schema, message{m.subject, inside})
		}
	})
}

type message struct {
	subject string
	payload []byte
}

func messageSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range []string{"agent-event.json", "agent-message.json"} {
		text, err := schemas.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("https://github.com/wazuh-etl/etl/schemas/"+name, document); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("https://github.com/wazuh-etl/etl/schemas/agent-message.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t *testing.T, schema *jsonschema.Schema, m message) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(m.payload))
	if err == nil {
		err = schema.Validate(document)
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", m.subject, err, m.payload)
	}
}

func readKey(t *testing.T, name string) []*seal.Key {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "agents", name))
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParseKey(content, "")
	if err != nil {
		t.Fatal(err)
	}
	return []*seal.Key{key}
}

// publishAll has a manager do all that there is a message for, and returns the messages; none if vars name a NATS
// server: they go there.
func publishAll(t *testing.T, vars map[string]string) []message {
	m := newManager(t)
	r := follow(t, m, vars)
	r.awaitSnapshots(20)
	m.exec(`INSERT INTO agent (id, name, date_add) VALUES (21, 'new', 1760000000)`)
	r.await(1)
	m.exec(`DELETE FROM agent WHERE id = 21`)
	r.await(1)
	m.exec(`UPDATE agent SET connection_status = 'pending' WHERE id = 20`)
	r.await(1)
	m.exec(`UPDATE agent SET connection_status = 'disconnected', status_code = 4, disconnection_time = 1770000000 WHERE id BETWEEN 10 AND 19`)
	r.await(10) // half of the fleet: an anomaly
	for i := range 12 {
		m.exec(fmt.Sprintf(`UPDATE agent SET connection_status = '%s', disconnection_time = %d WHERE id = 1`, []string{"disconnected", "active"}[i%2], (1-i%2)*(1_770_000_000+i)))
		r.await(1)
	}
	m.exec(`UPDATE agent SET connection_status = 'disconnected', status_code = 5, disconnection_time = 1780000000 WHERE id < 10 AND id > 0`)
	r.await(10)
	published := r.stop()
	if vars["nats_url"] == "" {
		complete(t, published, len(vars) == 0)
	}
	return published
}

// complete holds that there is a message for every subject and, if they can be read, of every kind.
func complete(t *testing.T, published []message, readable bool) {
	t.Helper()
	var all strings.Builder
	for _, subject := range []string{"wazuh.agent.001.snapshot", "wazuh.agent.001.status", "wazuh.agent.001.connected", "wazuh.agent.010.disconnected", "wazuh.security.agent_events", "wazuh.manager.m.heartbeat"} {
		if !slices.ContainsFunc(published, func(m message) bool { return m.subject == subject }) {
			t.Errorf("nothing was published to %s", subject)
		}
	}
	for _, m := range published {
		all.Write(m.payload)
	}
	if readable {
		for _, kind := range []string{"registered", "removed", "status_change", "manager_restart", "suppressed", "anomaly", "batch"} {
			if !strings.Contains(all.String(), `"event_type":"`+kind+`"`) {
				t.Errorf("nothing of type %s was published", kind)
			}
		}
	}
}

// manager is a Wazuh manager's database.
type manager struct {
	t    *testing.T
	file string
	conn *sqlite3.Conn
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{t: t, file: filepath.Join(t.TempDir(), "global.db")}
	var err error
	if m.conn, err = sqlite3.Open(m.file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.conn.Close() })
	if err := m.conn.BusyTimeout(time.Minute); err != nil { // who follows it may be reading
		t.Fatal(err)
	}
	schema, err := os.ReadFile("../schemas/global-4.14.sql")
	if err != nil {
		t.Fatal(err)
	}
	m.exec(string(schema))
	for id := 1; id <= 20; id++ {
		m.exec(fmt.Sprintf(`INSERT INTO agent (id, name, ip, internal_key, version, os_name, date_add, last_keepalive, connection_status)
			VALUES (%d, 'agent-%[1]d', '10.0.0.%[1]d', 'secret', 'Wazuh v4.14.0', 'Ubuntu', 1750000000, 1760000000, 'active')`, id))
	}
	return m
}

func (m *manager) exec(sql string) {
	m.t.Helper()
	if err := m.conn.Exec(sql); err != nil {
		m.t.Fatal(err)
	}
}

// following is agent-status.hcl at work, with sinks that only write down unless vars name a NATS server.
type following struct {
	t *testing.T
	// One for each event of the source. Changes may come between the parts of a snapshot.
	changes, snapshots chan struct{}
	end                func() error

	mu        sync.Mutex
	published []message
}

func follow(t *testing.T, m *manager, vars map[string]string) *following {
	t.Helper()
	managers, _ := json.Marshal(map[string]any{"m": map[string]string{"database": m.file}})
	all := map[string]string{"managers": string(managers), "poll_interval": "100ms"}
	for name, value := range vars {
		all[name] = value
	}
	r := &following{t: t, changes: make(chan struct{}, 1000), snapshots: make(chan struct{}, 1000)}
	g, err := graph.New(load(t, "agent-status.hcl", lang.DryRun, "", all), graph.Options{
		World: world.OS(),
		Sink: func(n *plan.Node) component.Sink {
			if vars["nats_url"] != "" {
				return nil // the real one
			}
			return written{n.Sink, func(m *component.Message) {
				if n.Spec.Kind == "nats" {
					r.mu.Lock()
					defer r.mu.Unlock()
					r.published = append(r.published, message{m.Attributes[0].Value.Text(), bytes.Clone(m.Payload)})
				}
			}}
		},
		Tap: func(n *plan.Node, output string, e *event.Event) {
			if n.Type != plan.Source || output != plan.Events {
				return
			}
			root, err := e.Root()
			switch kind := root.Get("event_type").Text(); {
			case err != nil:
				t.Error(err)
			case kind == "snapshot":
				r.snapshots <- struct{}{}
			case kind != "heartbeat":
				r.changes <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	r.end = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = r.end() })
	return r
}

// await waits until the source has given n more changes.
func (r *following) await(n int) { r.t.Helper(); r.wait(r.changes, n) }

func (r *following) awaitSnapshots(n int) { r.t.Helper(); r.wait(r.snapshots, n) }

func (r *following) wait(events <-chan struct{}, n int) {
	r.t.Helper()
	for i := range n {
		select {
		case <-events:
		case <-time.After(time.Minute):
			r.t.Fatalf("%d of %d events came", i, n)
		}
	}
}

// stop ends it, and returns what was published.
func (r *following) stop() []message {
	r.t.Helper()
	if err := r.end(); err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.published
}
