package builtin_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/lua"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/schemas"
	"github.com/wazuh-etl/etl/testdata/certs"
)

var update = flag.Bool("update", false, "write the goldens anew")

// What components find wrong with their configuration and the files that it
// names: runtime/lang has the fixtures of what is wrong with the language.
func TestFindings(t *testing.T) {
	told := map[string]string{}
	for _, severity := range []diag.Severity{diag.Error, diag.Warning} {
		dir := map[diag.Severity]string{diag.Error: "invalid", diag.Warning: "warning"}[severity]
		fixtures, err := filepath.Glob(filepath.Join("testdata", dir, "*"))
		if err != nil || len(fixtures) == 0 {
			t.Fatal(fixtures, err)
		}
		for _, fixture := range fixtures {
			t.Run(filepath.Base(fixture), func(t *testing.T) {
				golden, err := filepath.Abs(filepath.Join(fixture, "want.txt"))
				if err != nil {
					t.Fatal(err)
				}
				work := t.TempDir()
				if err := os.CopyFS(work, os.DirFS(fixture)); err != nil {
					t.Fatal(err)
				}
				t.Chdir(work)
				writeCertificates(t)
				p, list := lang.Load("pipeline.hcl", lang.Options{
					Mode: lang.Validate, Specs: builtin.Specs(), StateDir: t.TempDir(),
					Env:      func(string) (string, bool) { return "", false },
					Embedded: map[string]fs.FS{"lua": lua.FS, "schemas": schemas.FS},
				})
				if list.Failed() != (severity == diag.Error) || (p == nil) != list.Failed() || len(list) == 0 {
					t.Errorf("failed is %v, %d findings", list.Failed(), len(list))
					return
				}
				key := string(list[0].Code) + " " + list[0].Message
				if other, is := told[key]; is {
					t.Errorf("told apart from %s by nothing: %s", other, key)
				}
				told[key] = fixture
				check(t, golden, list)
			})
		}
	}
}

// passing is what differs from run to run: dates and the authorities' names.
var passing = regexp.MustCompile(`\d{4}-\d\d-\d\d([T ][0-9:.]+)?( ?(Z|UTC|[+-]\d{4}))?|Test Authority \w+`)

func check(t *testing.T, golden string, list diag.List) {
	t.Helper()
	var b bytes.Buffer
	if err := (diag.Printer{Source: os.ReadFile}).Text(&b, list); err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got := passing.ReplaceAllString(strings.ReplaceAll(b.String(), wd, "/work"), "…")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

// writeCertificates makes what the fixtures name.
func writeCertificates(t *testing.T) {
	t.Helper()
	now := time.Now()
	day := 24 * time.Hour
	authority := certs.NewAuthorityFor(t, now.Add(-1000*day), now.Add(1000*day))
	other := certs.NewAuthorityFor(t, now.Add(-day), now.Add(1000*day))
	files := map[string][]byte{
		"ca.pem": authority.PEM(), "other-ca.pem": other.PEM(),
		"expired-ca.pem": certs.NewAuthorityFor(t, now.Add(-9*day), now.Add(-day)).PEM(),
	}
	for name, c := range map[string]struct {
		from *certs.Authority
		pair certs.Pair
	}{
		"cert":    {authority, authority.IssueFor(t, "client", now.Add(-day), now.Add(900*day))},
		"other":   {other, other.IssueFor(t, "other", now.Add(-day), now.Add(900*day))},
		"expired": {authority, authority.IssueFor(t, "client", now.Add(-9*day), now.Add(-day))},
		"early":   {authority, authority.IssueFor(t, "client", now.Add(day), now.Add(900*day))},
		"soon":    {authority, authority.IssueFor(t, "client", now.Add(-day), now.Add(day))},
	} {
		files[name+".pem"], files[name+".key"] = c.pair.Cert, c.pair.Key
	}
	files["key.pem"] = files["cert.key"]
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
