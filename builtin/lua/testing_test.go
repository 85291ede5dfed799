package lua

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	embedded "github.com/wazuh-etl/etl/lua"
	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world"
)

// configOf is a configuration of the transform in a directory of its own, with
// files beside it; a file called pipeline.hcl would hold the code from line 10 on.
func configOf(t testing.TB, values map[string]any, files map[string]string) *component.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := &component.Config{
		Address: "transform.lua.test",
		Role:    component.RoleTransform,
		Dir:     dir,
		Values:  map[string]any{"timeout": time.Second, "memory": int64(64 << 20)},
		Ranges: map[string]diag.Range{
			"": {File: filepath.Join(dir, "pipeline.hcl"), Start: diag.Pos{Line: 1, Column: 1}},
		},
	}
	for name, v := range values {
		if text, ok := v.(string); ok && name == "code" {
			v = &component.Code{Text: text, File: filepath.Join(dir, "pipeline.hcl"), Position: func(line, column int) diag.Range {
				at := diag.Pos{Line: line + 9, Column: column + 4}
				return diag.Range{File: filepath.Join(dir, "pipeline.hcl"), Start: at, End: at}
			}}
		}
		if name == "script" {
			v = filepath.Join(dir, v.(string))
		}
		c.Values[name] = v
	}
	c.Read = func(name string) ([]byte, string, error) {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, name)
		}
		display, _ := filepath.Rel(dir, path)
		content, err := os.ReadFile(path)
		if inside, ok := strings.CutPrefix(filepath.ToSlash(display), "lua/"); ok && err != nil {
			content, err = fs.ReadFile(embedded.FS, inside)
			display += " (built in)"
		}
		return content, display, err
	}
	return c
}

// workerOf is one worker of the transform.
func workerOf(t testing.TB, c *component.Config) *worker {
	t.Helper()
	tr, err := newTransform(c)
	if err != nil {
		t.Fatal(err)
	}
	return startWorker(t, tr)
}

func startWorker(t testing.TB, tr component.Transform) *worker {
	t.Helper()
	w, err := tr.Worker(&component.Host{
		World: world.World{Now: func() time.Time { return time.Date(2025, 10, 9, 12, 0, 0, 0, time.UTC) }},
		Log:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w.(*worker)
}

// scriptOf is a worker that runs code.
func scriptOf(t testing.TB, code string) *worker {
	t.Helper()
	return workerOf(t, configOf(t, map[string]any{"code": code}, nil))
}

var stream = &event.Stream{Source: "source.file.alerts", Generation: "g", File: "/alerts.json"}

func eventOf(text string) *event.Event {
	return event.New(stream, 7, []byte(text), time.Unix(1760000000, 0), ack.Token{})
}

// run gives what comes out for a document, as JSON.
func run(w *worker, text string) (out []string, events []*event.Event, err error) {
	err = w.Process(eventOf(text), func(e *event.Event) { events = append(events, e) })
	for _, e := range events {
		out = append(out, string(e.AppendJSON(nil)))
	}
	return out, events, err
}

// compactJSON is JSON on one line.
func compactJSON(t testing.TB, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
