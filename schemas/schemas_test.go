package schemas

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
	"github.com/wazuh-etl/etl/testdata"
)

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	const home = "https://github.com/wazuh-etl/etl/schemas/"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	all, err := fs.Glob(FS, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all { // one may refer to another
		text, err := FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(home+name, unmarshal(t, text)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile(home + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unmarshal(t *testing.T, text []byte) any {
	t.Helper()
	x, err := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.ToValidUTF8(text, []byte("\ufffd"))))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return x
}

// examples are the files that match pattern, by their names.
func examples(t *testing.T, pattern string) map[string][]byte {
	t.Helper()
	names, err := fs.Glob(testdata.FS, pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s (%v)", pattern, err)
	}
	found := map[string][]byte{}
	for _, name := range names {
		text, err := fs.ReadFile(testdata.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		found[path.Base(name)] = text
	}
	return found
}

func TestExampleAlerts(t *testing.T) {
	schema := compile(t, "alert.json")
	for name, text := range examples(t, "alerts/*.json") {
		if name == "truncated.json" {
			continue // is no JSON, which is its point
		}
		if err := schema.Validate(unmarshal(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMadeUpAlerts(t *testing.T) {
	schema, maker := compile(t, "alert.json"), corpus.New(1)
	for range 500 {
		line := maker.Next().Line
		if err := schema.Validate(unmarshal(t, line)); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
	}
}

func TestExpectedMessages(t *testing.T) {
	schema := compile(t, "dfn-message.json")
	for name, text := range examples(t, "alerts/expected/*.kafka.json") {
		if err := schema.Validate(unmarshal(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpectedReceipts(t *testing.T) {
	schema := compile(t, "dfn-receipt.json")
	for name, text := range examples(t, "alerts/expected/*.wazuh.txt") {
		_, object, _ := bytes.Cut(text, []byte("->dfn:"))
		if err := schema.Validate(unmarshal(t, object)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemasRefuse holds that a schema notices what is wrong: each case is a
// valid text with one part replaced.
func TestSchemasRefuse(t *testing.T) {
	expected := examples(t, "alerts/expected/*")
	windows, syslog := string(expected["win-1100.kafka.json"]), string(expected["f2b-ban-public.kafka.json"])
	alert := string(examples(t, "alerts/win-1100.json")["win-1100.json"])
	const (
		receipt = `{"integration":"dfn","alert_id":"1.2","agent_name":"a","dfn":{"event_format":"windows-xml","event_id":"1100","win_timestamp":null,"wz_timestamp":"t"}}`
		change  = `{"schema_version":"1.0","event_id":"evt_1","event_type":"connected","timestamp":"2026-05-28T10:35:00.120Z","manager_node":"m","agent_id":"001","agent_name":"a","agent_version":null,"agent_node":null,"previous_status":"Disconnected","current_status":"Active","status_code":0,"ip_address":null,"last_keepalive":null,"groups":[],"os":null,"flaps":1,"manager_restart":null,"fleet":{"total_agents":1,"active_agents":1,"disconnected_agents":0},"signature":null}`
		batch   = `{"schema_version":"1.0","batch_id":"batch_00000000000000000000000000000000","event_type":"batch","timestamp":"2026-05-28T10:35:00Z","manager_node":"m","events":[` + change + `],"summary":{"total_agents":1,"active_agents":1,"disconnected_agents":0,"changes_detected":1},"signature":null}`
		sealed  = `{"schema_version":"1.0","event_type":"batch","timestamp":"2026-05-28T10:35:00Z","manager_node":"m","encrypted":{"v":1,"alg":"A256GCM","kid":"k","kept":[],"nonce":"AAAAAAAAAAAAAAAA","ciphertext":"AA=="},"signature":"s","key_id":"k"}`
		failure = `{"integration":"dfn","alert_id":null,"agent_name":null,"dfn":{"event_format":null,"event_id":null,"win_timestamp":null,"wz_timestamp":null,"error":"no full_log"}}`
	)
	for _, test := range []struct{ schema, text, old, new string }{
		{"alert.json", alert, `"level": `, `"level": 9`},
		{"alert.json", alert, `"level": `, `"level": "x", "x": `},
		{"alert.json", alert, `"timestamp"`, `"time"`},
		{"alert.json", alert, `T`, ` `},
		{"alert.json", alert, `"eventID": `, `"eventID": 1, "x": `},
		{"dfn-message.json", windows, `"windows-xml"`, `"xml"`},
		{"dfn-message.json", windows, `"event_forward": true`, `"event_forward": "true"`},
		{"dfn-message.json", windows, `"body"`, `"more"`},
		{"dfn-message.json", windows, `"<Event `, `"<Evnt `},
		{"dfn-message.json", windows, `"win"`, `"linux"`},
		{"dfn-message.json", syslog, `"priority": 37`, `"priority": 36`},
		{"dfn-message.json", syslog, `<37>`, `<36>`},
		{"dfn-message.json", syslog, `"facility": "4"`, `"facility": 4`},
		{"dfn-message.json", syslog, `"hostName"`, `"hostname"`},
		{"dfn-receipt.json", receipt, `"dfn",`, `"",`},
		{"dfn-receipt.json", receipt, `"windows-xml"`, `null`},
		{"dfn-receipt.json", receipt, `"wz_timestamp"`, `"timestamp"`},
		{"dfn-receipt.json", failure, `"no full_log"`, `null`},
		{"dfn-receipt.json", failure, `,"error":"no full_log"`, ``},
		{"dfn-receipt.json", failure, `"error"`, `"reason"`},
		{"agent-event.json", change, `"fleet"`, `"snapshot"`},
		{"agent-event.json", change, `"Active"`, `"active"`},
		{"agent-message.json", change, `"connected"`, `"batch"`},
		{"agent-message.json", change, `"001"`, `1`},
		{"agent-message.json", batch, `"connected"`, `"found"`},
		{"agent-message.json", batch, `"changes_detected":1`, `"changes_detected":null`},
		{"agent-message.json", batch, `"2026-05-28T10:35:00Z"`, `"today"`},
		{"agent-message.json", sealed, `"kid":"k",`, ``},
		{"agent-message.json", sealed, `A256GCM`, `none`},
		{"agent-message.json", sealed, `"signature":"s",`, ``},
	} {
		schema := compile(t, test.schema)
		if err := schema.Validate(unmarshal(t, []byte(test.text))); err != nil {
			t.Fatalf("%s refuses %s: %v", test.schema, test.text, err)
		}
		changed := strings.Replace(test.text, test.old, test.new, 1)
		if changed == test.text {
			t.Fatalf("no %s in %s", test.old, test.text)
		}
		if schema.Validate(unmarshal(t, []byte(changed))) == nil {
			t.Errorf("%s accepts %s for %s", test.schema, test.new, test.old)
		}
	}
}
