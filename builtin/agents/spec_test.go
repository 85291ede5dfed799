package agents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// What is wrong in a block is said at the attribute that it is about.
func TestNewSourceRefuses(t *testing.T) {
	api := func(more map[string]any) map[string]*component.Config {
		return map[string]*component.Config{"api": apiConfig("https://wazuh:55000", more)}
	}
	for _, c := range []struct {
		name   string
		values map[string]any
		subs   map[string]*component.Config
		want   []string
	}{
		{"nothing written", nil, nil, nil},
		{"a database", map[string]any{"database": "/db"}, nil, nil},
		{"a socket", map[string]any{"socket": "/wdb"}, nil, nil},
		{"the API", nil, api(nil), nil},
		{"two ways", map[string]any{"database": "/db", "socket": "/wdb"}, nil, []string{"from a database or from a socket"}},
		{"three ways", map[string]any{"database": "/db", "socket": "/wdb"}, api(nil), []string{"database or from a socket", "the API, or from a database", "the API, or from a socket"}},
		{"a long name", map[string]any{"socket": "/" + strings.Repeat("x", 107)}, nil, []string{"at most 107 bytes, this one has 108"}},
		{"half a key pair", nil, api(map[string]any{"cert_file": "/c.pem"}), []string{"cert_file needs key_file"}},
		{"TLS without TLS", nil, map[string]*component.Config{"api": apiConfig("http://wazuh:55000", map[string]any{"ca_file": "/ca.pem"})}, []string{"ca_file is for TLS"}},
	} {
		_, err := newSource(&component.Config{Address: "source.wazuh_agents.fleet", Values: c.values, Subs: c.subs})
		var got []string
		for _, e := range leaves(err) {
			got = append(got, e.Error())
			if _, ok := e.(diag.Diagnostic); !ok {
				t.Errorf("%s: %T", c.name, e)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %q", c.name, got)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", c.name, got[i], want)
			}
		}
	}
}

// leaves are the errors that err is joined of.
func leaves(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, leaves(e)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func TestChecksOfValues(t *testing.T) {
	for _, c := range []struct {
		check func(any) error
		value any
		ok    bool
	}{
		{checkURL, "https://wazuh:55000", true}, {checkURL, "https://wazuh:55000/", true}, {checkURL, "wazuh:55000", false}, {checkURL, "https://", false},
		{checkURL, "https://a:b@wazuh:55000", false}, {checkURL, "https://wazuh:55000/agents", false}, {checkURL, "https://wazuh:55000?x=1", false}, {checkURL, "ftp://wazuh", false}, {checkURL, "https://wazuh:port", false},
		{checkRequests, 5.0, true}, {checkRequests, 5.1, false},
		{checkNode, "manager-1", true}, {checkNode, " ", false},
		{atLeast(time.Second), time.Second, true}, {atLeast(time.Second), time.Millisecond, false},
	} {
		if err := c.check(c.value); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.value, err)
		}
	}
}

// A source with the name of this machine, as an operator has it who writes nothing.
func TestTheManagersNameIsThisMachines(t *testing.T) {
	made, err := newSource(&component.Config{Address: "source.wazuh_agents.fleet", Values: map[string]any{
		"database": filepath.Join(t.TempDir(), "global.db"), "poll_interval": 50 * time.Millisecond, "heartbeat_interval": 20 * time.Millisecond,
	}})
	if err != nil {
		t.Fatal(err)
	}
	g := onDisk(t, "")
	g.source = made.(*source)
	stop := g.start()
	g.wait("a heartbeat", func() bool { return len(g.have(typeHeartbeat)) > 0 })
	stop()
	if host, _ := os.Hostname(); g.have(typeHeartbeat)[0].ManagerNode != host {
		t.Errorf("%s", g.have(typeHeartbeat)[0].raw)
	}
	g.valid()
}

// A test block's text comes out as the source's own events would.
func TestDecode(t *testing.T) {
	g := onDisk(t, "")
	if err := g.source.Decode([]byte(`{"event_type":"connected","agent_id":"001","previous_status":"Pending","current_status":"Active"}`), g); err != nil {
		t.Fatal(err)
	}
	g.want("connected 001 Pending Active")
}
