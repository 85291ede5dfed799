package lua

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/testdata/experiment"
)

// BenchmarkWindowsExperiment is the same job by the experiment that this
// component began as. testdata/bench has all of it as a contender.
func BenchmarkWindowsExperiment(b *testing.B) {
	alert, err := os.ReadFile(filepath.Join(alertsDir, "win-4625-with-ip.json"))
	if err != nil {
		b.Fatal(err)
	}
	alert = []byte(compactJSON(b, alert))
	w := newExperiment(b)
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(alert)))
	for b.Loop() {
		if out, err = w.Append(out[:0], alert); err != nil {
			b.Fatal(err)
		}
	}
	if len(out) < 3000 {
		b.Fatalf("%d bytes came out", len(out))
	}
}

// The experiment gives what the component does, so that comparing them means
// something.
func TestExperiment(t *testing.T) {
	beyond := map[string]string{
		"truncated.json":             "it stops there",
		"win-4625-invalid-utf8.json": "it gives the byte as it came",
		"f2b-ban-private.json":       "it is one of the own network there",
	}
	names, err := filepath.Glob(filepath.Join(alertsDir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	w, d := newExperiment(t), newDFN(t)
	compared := 0
	for _, name := range names {
		if beyond[filepath.Base(name)] != "" {
			continue
		}
		alert, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		line := []byte(compactJSON(t, alert))
		got, err := w.Append(nil, line)
		want := strings.Join(d.messages(t, line), "")
		if err != nil || string(got) != want {
			t.Errorf("%s (%v):\ngot  %s\nwant %s", name, err, cutText(string(got)), cutText(want))
		}
		if want != "" {
			compared++
		}
	}
	if compared < 15 {
		t.Errorf("only %d alerts were wanted", compared)
	}
}

func newExperiment(tb testing.TB) *experiment.Worker {
	w, err := experiment.New()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.Close)
	return w
}
