package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// byName is a path template: DIR/{{ name }}.
type byName string

func (d byName) Value(e *event.Event) (document.Value, error) {
	b, err := d.AppendText(nil, e)
	return document.NewText(string(b)), err
}

func (d byName) AppendText(dst []byte, e *event.Event) ([]byte, error) {
	root, err := e.Root()
	if err != nil {
		return dst, err
	}
	name := root.Get("name")
	if name.IsNil() {
		return dst, event.Failf(event.CodeTemplate, "name is nil")
	}
	return append(append(dst, d...), "/"+name.Text()...), nil
}

func (byName) Constant() (string, bool) { return "", false }

// always is a template without holes.
type always string

func (a always) Value(*event.Event) (document.Value, error) { return document.NewText(string(a)), nil }
func (a always) AppendText(dst []byte, _ *event.Event) ([]byte, error) {
	return append(dst, a...), nil
}
func (a always) Constant() (string, bool) { return string(a), true }

// delivery is a sink on files in memory and what it answered.
type delivery struct {
	t       *testing.T
	files   *worldtest.FS
	log     logged
	health  health
	sink    component.Sink
	answers map[string]string
}

func newDelivery(t *testing.T, make func(*component.Config) (component.Sink, error), values map[string]any) *delivery {
	d := &delivery{t: t, files: worldtest.NewFS(), answers: map[string]string{}}
	config := &component.Config{Address: "sink.file.out", State: "/state", Values: map[string]any{"max_open": 2, "keep": 1}}
	for name, v := range values {
		config.Values[name] = v
	}
	var err error
	if d.sink, err = make(config); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *delivery) open() error {
	w := worldtest.New()
	w.FS = d.files
	return d.sink.Open(d.t.Context(), &component.Host{World: w.World, Address: "sink.file.out", Log: slog.New(slog.NewTextHandler(&d.log, nil)), Health: d.health.set, StateDir: "/state/other"})
}

func (d *delivery) message(raw string) *component.Message {
	e := event.New(&event.Stream{Source: "source.file.x", Generation: "g", File: "/x"}, 0, []byte(raw), time.Unix(0, 0), ack.Token{})
	return &component.Message{Event: e, Payload: []byte(raw), Answer: func(m *component.Message, _ []document.Member, err error) {
		if old, ok := d.answers[raw]; ok {
			d.t.Errorf("%s was answered twice: %s, then %v", raw, old, err)
		}
		d.answers[raw] = fmt.Sprint(err)
	}}
}

// deliver encodes and delivers raws, and gives the answers without those of earlier calls.
func (d *delivery) deliver(ctx context.Context, raws ...string) error {
	clear(d.answers)
	var messages []*component.Message
	for _, raw := range raws {
		m := d.message(raw)
		if err := d.sink.Encode(m); err != nil {
			d.answers[raw] = "encode: " + err.Error()
			continue
		}
		messages = append(messages, m)
	}
	return d.sink.Deliver(ctx, messages)
}

func (d *delivery) want(raw, answer string) {
	d.t.Helper()
	if got := d.answers[raw]; got != answer {
		d.t.Errorf("the answer for %s is %q, want %q", raw, got, answer)
	}
}

func (d *delivery) wantFile(path, text string) {
	d.t.Helper()
	if b, err := d.files.ReadFile(path); err != nil || string(b) != text {
		d.t.Errorf("%s: %q, %v; want %q", path, b, err, text)
	}
}

func (d *delivery) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// Acknowledged means on disk: it is there after a crash.
func TestSinkSyncsBeforeItAcknowledges(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("out/x.jsonl"))})
	d.must(d.open())
	syncs := 0
	d.files.Fault(func(op worldtest.Op, _ string) error {
		if op == worldtest.OpSync {
			syncs++
		}
		return nil
	})
	d.must(d.deliver(t.Context(), "{1}", "{2}", "{3}"))
	if syncs != 1 {
		t.Errorf("%d syncs for one batch", syncs)
	}
	d.want("{3}", "<nil>")
	d.files.Crash(nil)
	d.wantFile("/state/out/x.jsonl", "{1}\n{2}\n{3}\n")
	d.must(d.sink.Close())
}

func TestPathByEvent(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(byName("by"))})
	d.must(d.open())
	for n := range 3 {
		var raws []string
		for _, name := range []string{"a", "b", "c", "d", "a"} {
			raws = append(raws, fmt.Sprintf(`{"name":"%s","n":%d,"i":%d}`, name, n, len(raws)))
		}
		d.must(d.deliver(t.Context(), raws...))
	}
	d.wantFile("/state/by/a", `{"name":"a","n":0,"i":0}
{"name":"a","n":0,"i":4}
{"name":"a","n":1,"i":0}
{"name":"a","n":1,"i":4}
{"name":"a","n":2,"i":0}
{"name":"a","n":2,"i":4}
`)
	if n := len(d.sink.(*sink).files); n > 2 {
		t.Errorf("%d files are open, the limit is 2", n)
	}
	m := d.message(`{"name":"z"}`)
	d.must(d.sink.Encode(m))
	if len(m.Attributes) != 1 || m.Attributes[0].Name != "path" || m.Attributes[0].Value.Text() != "/state/by/z" {
		t.Errorf("attributes %v", m.Attributes)
	}
}

// What is wrong with one path is no trouble for others.
func TestOwnPath(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(byName("by"))})
	d.must(d.open())
	d.must(d.files.MkdirAll("/state/by/dir", 0o755))
	d.must(d.deliver(t.Context(), `{"name":"dir"}`, `{"name":"a"}`, `{}`))
	d.want(`{"name":"a"}`, "<nil>")
	d.want(`{}`, "encode: name is nil")
	if got := d.answers[`{"name":"dir"}`]; !strings.Contains(got, "is a directory") {
		t.Errorf("answer %s", got)
	}
	d.must(d.deliver(t.Context(), `{"name":"a/b"}`))
	if got := d.answers[`{"name":"a/b"}`]; !strings.Contains(got, "not a directory") {
		t.Errorf("answer %s", got)
	}
}

func TestDiskFull(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("/data/x"))})
	d.must(d.open())
	d.must(d.deliver(t.Context(), "{1}"))
	d.files.Space(5)
	if err := d.deliver(t.Context(), "{2}", "{3}"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if len(d.answers) != 0 {
		t.Errorf("answers %v", d.answers)
	}
	d.wantFile("/data/x", "{1}\n")
	d.files.Space(-1)
	d.must(d.deliver(t.Context(), "{2}", "{3}"))
	d.wantFile("/data/x", "{1}\n{2}\n{3}\n")
}

func TestWriteFails(t *testing.T) {
	for _, op := range []worldtest.Op{worldtest.OpWrite, worldtest.OpOpen, worldtest.OpMkdir} {
		t.Run(string(op), func(t *testing.T) {
			d := newDelivery(t, newSink, map[string]any{"path": component.Template(byName("by"))})
			d.must(d.open())
			for _, cause := range []error{syscall.EIO, syscall.EACCES} {
				d.files.FailNth(op, 1, cause)
				if err := d.deliver(t.Context(), `{"name":"a"}`); !errors.Is(err, cause) {
					t.Errorf("error %v, want %v", err, cause)
				}
				if len(d.answers) != 0 {
					t.Errorf("answers %v", d.answers)
				}
			}
			d.must(d.deliver(t.Context(), `{"name":"a"}`))
			d.wantFile("/state/by/a", "{\"name\":\"a\"}\n")
		})
	}
}

func TestSyncFails(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("x"))})
	d.must(d.open())
	d.must(d.deliver(t.Context(), "{1}"))
	d.files.FailNth(worldtest.OpSync, 1, syscall.EIO)
	if err := d.deliver(t.Context(), "{2}"); !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v", err)
	}
	d.must(d.deliver(t.Context(), "{2}"))
	d.wantFile("/state/x", "{2}\n")
	if !strings.Contains(d.log.String(), "/state/x.unsynced-") {
		t.Errorf("log:\n%s", d.log.String())
	}
}

func TestOpenErrors(t *testing.T) {
	for _, c := range []struct {
		cause error
		fatal bool
	}{{syscall.EACCES, true}, {syscall.EROFS, true}, {syscall.ENOTDIR, true}, {syscall.ENOSPC, false}, {syscall.EIO, false}} {
		t.Run(c.cause.Error(), func(t *testing.T) {
			d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("x"))})
			d.files.FailNth(worldtest.OpOpen, 1, c.cause)
			if err := d.open(); (err != nil) != c.fatal {
				t.Errorf("Open: %v", err)
			}
			if !c.fatal && !errors.Is(d.health.get(), c.cause) {
				t.Errorf("health %v", d.health.get())
			}
			if !c.fatal {
				d.must(d.deliver(t.Context(), "{1}"))
			}
		})
	}
}

func TestCrashLeavesWholeLines(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("x"))})
	d.must(d.open())
	d.must(d.deliver(t.Context(), "{1}"))
	d.files.FailNth(worldtest.OpSync, 1, syscall.EIO) // the machine dies before the sync
	_ = d.deliver(t.Context(), "{2}", "{3}")
	d.files.Fault(nil)
	d.files.Crash(func(string, int) int { return 6 })
	d.wantFile("/state/x", "{1}\n{2}\n{3")

	after := newDelivery(t, newSink, map[string]any{"path": component.Template(always("x"))})
	after.files = d.files
	after.must(after.open())
	after.wantFile("/state/x", "{1}\n{2}\n")
	after.must(after.deliver(t.Context(), "{2}", "{3}"))
	after.wantFile("/state/x", "{1}\n{2}\n{2}\n{3}\n")
}

func TestRenamedByOthers(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("x"))})
	d.must(d.open())
	d.must(d.deliver(t.Context(), "{1}"))
	d.must(d.files.Rename("/state/x", "/state/x-old"))
	d.must(d.deliver(t.Context(), "{2}"))
	d.wantFile("/state/x-old", "{1}\n")
	d.wantFile("/state/x", "{2}\n")
}

func TestSinkRotates(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("x")), "max_bytes": int64(8)})
	d.must(d.open())
	for _, raw := range []string{"{1}", "{2}", "{3}", "{4}", "{5}"} {
		d.must(d.deliver(t.Context(), raw))
	}
	d.wantFile("/state/x.1", "{3}\n{4}\n")
	d.wantFile("/state/x", "{5}\n")
	if !strings.Contains(d.log.String(), "lines=2") {
		t.Errorf("log:\n%s", d.log.String())
	}
}

func TestSinkAnswersWhenStopped(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": component.Template(always("x"))})
	d.must(d.open())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.must(d.deliver(ctx, "{1}"))
	d.want("{1}", component.ErrReturned.Error())
	d.wantFile("/state/x", "")
}

func TestDeadLettersAreBounded(t *testing.T) {
	d := newDelivery(t, newDeadLetters, map[string]any{"path": "/state/dead.jsonl", "max_bytes": int64(2000)})
	d.must(d.open())
	for n := range 20 {
		d.must(d.deliver(t.Context(), line(n)))
		d.want(line(n), "<nil>")
	}
	var size int64
	for _, name := range []string{"/state/dead.jsonl", "/state/dead.jsonl.1"} {
		info, err := d.files.Stat(name)
		d.must(err)
		size += info.Size()
	}
	if size > 2000 {
		t.Errorf("%d bytes are kept, the limit is 2000", size)
	}
	newest, err := d.files.ReadFile("/state/dead.jsonl")
	d.must(err)
	if !strings.Contains(string(newest), `"raw":"{\"n\":19}"`) || !strings.Contains(d.log.String(), "lines=") {
		t.Errorf("newest %s, log %s", newest, d.log.String())
	}
	d.must(d.sink.Close())
}

func TestDeadLetterOpenErrors(t *testing.T) {
	for cause, fatal := range map[error]bool{syscall.EACCES: true, syscall.EROFS: true, syscall.ENOSPC: false} {
		d := newDelivery(t, newDeadLetters, map[string]any{"path": "/state/dead.jsonl", "max_bytes": int64(2000)})
		d.files.FailNth(worldtest.OpOpen, 1, cause)
		if err := d.open(); (err != nil) != fatal {
			t.Errorf("%v: Open says %v", cause, err)
		}
		if fatal {
			continue
		}
		if !errors.Is(d.health.get(), cause) {
			t.Errorf("health %v", d.health.get())
		}
		d.must(d.deliver(t.Context(), line(1)))
		d.want(line(1), "<nil>")
	}
}

func TestDeadLetterErrors(t *testing.T) {
	for _, op := range []worldtest.Op{worldtest.OpWrite, worldtest.OpSync} {
		d := newDelivery(t, newDeadLetters, map[string]any{"path": "/state/dead.jsonl", "max_bytes": int64(2000)})
		d.must(d.open())
		d.files.FailNth(op, 1, syscall.ENOSPC)
		if err := d.deliver(t.Context(), line(1)); !errors.Is(err, syscall.ENOSPC) || len(d.answers) != 0 {
			t.Errorf("%s: error %v, answers %v", op, err, d.answers)
		}
		d.must(d.deliver(t.Context(), line(1)))
		if b, err := d.files.ReadFile("/state/dead.jsonl"); err != nil || strings.Count(string(b), "\n") != 1 {
			t.Errorf("%s: %q, %v", op, b, err)
		}
	}
}
