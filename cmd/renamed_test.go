package cmd

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/builtin"
)

// A file source that has a new name knows which files came after which, as it did under the old one: the names of
// archives alone do not say whether the rotation counts on or shifts them.
func TestARenamedFileSourceKnowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	next := 0
	write := func(n int) {
		var text strings.Builder
		for range n {
			next++
			fmt.Fprintf(&text, "{\"n\":%d}\n", next)
		}
		if err := os.WriteFile(in("alerts.json"), []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	aside := func(n int) {
		text, err := os.ReadFile(in("alerts.json"))
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in(fmt.Sprintf("alerts.json.%d.gz", n)), packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(in("alerts.json")); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string) {
		t.Helper()
		pipeline := fmt.Sprintf(`
source "file" %[1]q {
  path     = %[2]q
  start_at = "beginning"
}
sink "file" "out" {
  from = source.file.%[1]s
  path = %[3]q
}
`, name, in("alerts.json"), in("out.jsonl"))
		if err := os.WriteFile(in("pipeline.hcl"), []byte(pipeline), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		args := []string{"run", in("pipeline.hcl"), "--once", "--state-dir", in("state")}
		if code := execute(t.Context(), builtin.Specs(), args, strings.NewReader(""), &out, &out); code != 0 {
			t.Fatalf("exit code %d\n%s", code, out.String())
		}
	}
	write(3)
	run("old")
	aside(1)
	write(3)
	run("old")
	aside(2)
	write(3)
	aside(3)
	write(3)
	run("new")
	raw, err := os.ReadFile(in("out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for n := range next {
		fmt.Fprintf(&want, "{\"n\":%d}\n", n+1)
	}
	if got := string(raw); got != want.String() {
		t.Errorf("got %swant %s", got, want.String())
	}
}
