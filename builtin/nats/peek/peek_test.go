package peek

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/builtin/nats/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fill makes a store below dir and gives it streams; the server runs on until stop.
func fill(t testing.TB, dir string) (s *embedded.Server, stop func()) {
	t.Helper()
	s, err := embedded.Start(embedded.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []jetstream.StreamConfig{
		{Name: "alerts", Subjects: []string{"alerts.>"}},
		{Name: "work", Subjects: []string{"work"}, Retention: jetstream.WorkQueuePolicy},
	} {
		if _, err := js.CreateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(subject, id, payload string) {
		m := &nats.Msg{Subject: subject, Data: []byte(payload), Header: nats.Header{}}
		if id != "" {
			m.Header.Set("Nats-Msg-Id", id)
		}
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	publish("alerts.a", "g@0", `{"n":1}`)
	publish("alerts.b", "g@9", "\x1b[2Jtwo\nlines \u202e")
	publish("alerts.a", "", "\xff<three>")
	publish("work", "w", "job")
	return s, s.Stop
}

// digest is every file below dir, with its content.
func digest(t testing.TB, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		fmt.Fprintf(h, "%s %d %x\n", name, len(data), sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func peek(t testing.TB, target string, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Peek(t.Context(), &b, target, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const all = "# stream alerts: 3 messages\n" +
	"1 alerts.a g@0 {\"n\":1}\n" +
	"2 alerts.b g@9 \x1b[2Jtwo\\nlines \u202e\n" +
	"3 alerts.a - \xff<three>\n" +
	"# stream work: 1 message\n" +
	"1 work w job\n"

func TestPeekAtAStoppedStore(t *testing.T) {
	state := t.TempDir()
	dir := filepath.Join(state, "quickstart", "sink.nats.alerts")
	_, stop := fill(t, dir)
	stop()
	temporary := t.TempDir() // the machine's may have what others are about
	t.Setenv("TMPDIR", temporary)
	before := digest(t, state)
	for _, target := range []string{state, dir, filepath.Join(dir, "jetstream"), filepath.Join(dir, "jetstream", "$G", "streams", "alerts")} {
		if got := peek(t, target, Options{}); got != all {
			t.Errorf("%s:\n%q\n%q", target, got, all)
		}
	}
	if digest(t, state) != before {
		t.Error("the store has changed")
	}
	if leftover, err := os.ReadDir(temporary); err != nil || len(leftover) > 0 {
		t.Errorf("left behind: %v, %v", leftover, err)
	}
}

func TestPeekAtARunningServer(t *testing.T) {
	s, stop := fill(t, t.TempDir())
	defer stop()
	for range 2 { // it takes nothing away
		if got := peek(t, s.URL(), Options{}); got != all {
			t.Errorf("%q", got)
		}
	}
	if got := peek(t, s.Store(), Options{Stream: "work"}); got != "# stream work: 1 message\n1 work w job\n" {
		t.Errorf("the store of a server that runs: %q", got)
	}
}

func TestOptions(t *testing.T) {
	s, stop := fill(t, t.TempDir())
	defer stop()
	for name, c := range map[string]struct {
		o    Options
		want []string
	}{
		"stream":           {Options{Stream: "work"}, []string{"# stream work: 1 message", "1 work w job"}},
		"subject":          {Options{Stream: "alerts", Subject: "alerts.a"}, []string{"# stream alerts: 3 messages", "1 alerts.a g@0 {\"n\":1}", "3 alerts.a - \xff<three>"}},
		"wildcard":         {Options{Stream: "alerts", Subject: "*.b", Escape: true}, []string{"# stream alerts: 3 messages", `2 alerts.b g@9 \x1b[2Jtwo\nlines \u202e`}},
		"count":            {Options{Stream: "alerts", Count: 1, Escape: true}, []string{"# stream alerts: 3 messages", `3 alerts.a - \ufffd<three>`}},
		"count of subject": {Options{Stream: "alerts", Count: 1, Subject: "alerts.b", Escape: true}, []string{"# stream alerts: 3 messages", `2 alerts.b g@9 \x1b[2Jtwo\nlines \u202e`}},
		"count, all":       {Options{Stream: "alerts", Count: 3, Subject: "alerts.a"}, []string{"# stream alerts: 3 messages", "1 alerts.a g@0 {\"n\":1}", "3 alerts.a - \xff<three>"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := peek(t, s.URL(), c.o); got != strings.Join(c.want, "\n")+"\n" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	s, stop := fill(t, t.TempDir())
	defer stop()
	var got []string
	d := json.NewDecoder(strings.NewReader(peek(t, s.URL(), Options{JSON: true})))
	for d.More() {
		var r record
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		payload := "base64 " + string(r.PayloadBase64)
		if r.Payload != nil {
			payload = *r.Payload
		}
		if r.Time.IsZero() {
			t.Error("no time")
		}
		got = append(got, fmt.Sprintf("%s %d %s %s %s", r.Stream, r.Sequence, r.Subject, r.MessageID, payload))
	}
	want := []string{`alerts 1 alerts.a g@0 {"n":1}`, "alerts 2 alerts.b g@9 \x1b[2Jtwo\nlines \u202e", "alerts 3 alerts.a  base64 \xff<three>", "work 1 work w job"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q", got)
	}
}

func TestWhatCantBePeekedAt(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	store := t.TempDir()
	_, stop := fill(t, store)
	stop()
	for name, c := range map[string]struct {
		target string
		o      Options
		says   string
	}{
		"no store":     {empty, Options{}, "no JetStream store"},
		"no directory": {filepath.Join(empty, "x"), Options{}, "no such file"},
		"a file":       {file, Options{}, "is no directory"},
		"no server":    {"nats://127.0.0.1:1", Options{}, "connecting to 127.0.0.1:1"},
		"no NATS":      {"http://127.0.0.1:1", Options{}, "no NATS server"},
		"no stream":    {store, Options{Stream: "x"}, `stream "x"`},
		"bad subject":  {store, Options{Subject: "a..b"}, "is no subject"},
	} {
		err := Peek(t.Context(), new(bytes.Buffer), c.target, c.o)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is inside is shown; what is not what its header says, as it came.
func TestCompressed(t *testing.T) {
	s, err := embedded.Start(embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "c", Subjects: []string{"c"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ encoding, data string }{
		{"zstd", string(compression.New("zstd").Append(nil, []byte("inside zstd")))},
		{"gzip", string(compression.New("gzip").Append(nil, []byte("inside gzip")))},
		{"zstd", "as it came"}, {"br", "as it came"},
	} {
		m := &nats.Msg{Subject: "c", Data: []byte(c.data), Header: nats.Header{"Content-Encoding": {c.encoding}}}
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	want := "# stream c: 4 messages\n1 c - inside zstd\n2 c - inside gzip\n3 c - as it came\n4 c - as it came\n"
	if got := peek(t, s.URL(), Options{}); got != want {
		t.Errorf("%q", got)
	}
}
