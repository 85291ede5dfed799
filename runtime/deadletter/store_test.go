package deadletter

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

var read = time.Date(2025, 6, 2, 21, 47, 23, 199_000_000, time.FixedZone("", 2*3600))

func failed(raw string, f *event.Failure) *event.Event {
	stream := &event.Stream{Source: "source.file.alerts", Generation: "gen", File: "/var/alerts.json"}
	return event.New(stream, 42, []byte(raw), read, ack.Token{}).WithFailure(f)
}

func TestRecord(t *testing.T) {
	failure := &event.Failure{Component: "transform.lua.x", Code: "lua", Message: "boom", Time: read.Add(time.Second), Attempts: 3, File: "/p/x.lua", Line: 7, Trace: "stack"}
	derived := failed(`{"a":1}`, nil).Derive("transform.map.y", -1, document.NewObject([]document.Member{{Name: "b", Value: document.NewInt(2)}})).WithFailure(failure)
	position := map[string]any{"path": "/var/alerts.json", "offset": 42.0}
	for name, c := range map[string]struct {
		event *event.Event
		want  map[string]any
	}{
		"everything": {derived, map[string]any{
			"time": "2025-06-02T19:47:24.199Z", "id": "gen@42/transform.map.y", "source": "source.file.alerts", "component": "transform.lua.x",
			"code": "lua", "message": "boom", "attempts": 3.0, "script": "/p/x.lua", "line": 7.0, "trace": "stack", "generation": "gen", "offset": 42.0, "position": position,
			"received": "2025-06-02T19:47:23.199Z", "raw": `{"a":1}`, "event": map[string]any{"b": 2.0}}},
		"not JSON": {failed(`{"a":`, &event.Failure{Component: "source.file.alerts", Code: "not_json", Message: "m", Time: read}), map[string]any{
			"time": "2025-06-02T19:47:23.199Z", "id": "gen@42", "source": "source.file.alerts", "component": "source.file.alerts",
			"code": "not_json", "message": "m", "generation": "gen", "offset": 42.0, "position": position, "received": "2025-06-02T19:47:23.199Z", "raw": `{"a":`}},
		"not UTF-8": {failed("{\"a\":\"\xf8\"}", &event.Failure{Code: "c", Message: "m", Time: read}), map[string]any{
			"time": "2025-06-02T19:47:23.199Z", "id": "gen@42", "source": "source.file.alerts", "code": "c", "message": "m", "generation": "gen", "offset": 42.0, "position": position,
			"received": "2025-06-02T19:47:23.199Z", "raw_base64": base64.StdEncoding.EncodeToString([]byte("{\"a\":\"\xf8\"}")), "event": map[string]any{"a": "\ufffd"}}},
		"not a failure, over lines": {failed("{\n\"a\":\r\n1}", nil), map[string]any{
			"time": "2025-06-02T19:47:23.199Z", "id": "gen@42", "source": "source.file.alerts", "generation": "gen", "offset": 42.0, "position": position,
			"received": "2025-06-02T19:47:23.199Z", "raw": "{\n\"a\":\r\n1}", "event": map[string]any{"a": 1.0}}},
	} {
		t.Run(name, func(t *testing.T) {
			record := AppendRecord([]byte("before\n"), c.event)
			text := strings.TrimPrefix(string(record), "before\n")
			if strings.ContainsAny(text, "\r\n") {
				t.Errorf("more than a line: %q", text)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"a":"b"}`), "message")
	f.Add([]byte("{\"a\":\n\"\xf8\\ud800\"}"), "\x00\n")
	f.Fuzz(func(t *testing.T, raw []byte, message string) {
		record := AppendRecord(nil, failed(string(raw), &event.Failure{Code: "c", Message: message, Time: read}))
		var got struct {
			Raw    string
			Base64 []byte `json:"raw_base64"`
		}
		if err := json.Unmarshal(record, &got); err != nil || strings.ContainsAny(string(record), "\r\n") {
			t.Fatalf("%v: %q", err, record)
		}
		if got.Raw+string(got.Base64) != string(raw) {
			t.Errorf("the text came back as %q", got.Raw+string(got.Base64))
		}
	})
}

func TestStore(t *testing.T) {
	files := worldtest.NewFS()
	s, err := Open(files, "/state/dead/letters", 1700, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := failed(`{"a":1}`, &event.Failure{Code: "c", Message: "m", Time: read})
	for range 10 {
		if err := s.Append(e, e); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	for _, name := range []string{s.Path(), s.Path() + ".1"} {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		kept += strings.Count(string(b), "\n")
	}
	stored, discarded := s.Stats()
	if stored != 20 || discarded == 0 || int64(kept) != stored-discarded {
		t.Errorf("%d stored, %d discarded, %d kept", stored, discarded, kept)
	}
	cause := errors.New("broken")
	files.FailNth(worldtest.OpSync, 1, cause)
	if err := s.Append(e); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
	if after, _ := s.Stats(); after != stored {
		t.Errorf("%d counted as stored", after-stored)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
