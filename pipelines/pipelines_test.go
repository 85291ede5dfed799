package pipelines_test

import (
	"context"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/lua"
	"github.com/wazuh-etl/etl/pipelines"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	pipelinetest "github.com/wazuh-etl/etl/runtime/testing"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// load loads a shipped pipeline as `etl test` does.
func load(t testing.TB, name string, mode lang.Mode, test string, vars map[string]string) *plan.Plan {
	t.Helper()
	p, list := lang.Load(name, lang.Options{
		Mode: mode, Test: test, Vars: vars,
		Specs:    builtin.Specs(),
		Embedded: map[string]fs.FS{"lua": lua.FS},
		StateDir: t.TempDir(),
	})
	if len(list) > 0 {
		var b strings.Builder
		_ = diag.Printer{Source: os.ReadFile}.Text(&b, list)
		t.Fatalf("loading %s:\n%s", name, b.String())
	}
	return p
}

func shipped(t *testing.T) []string {
	t.Helper()
	all, err := fs.Glob(pipelines.FS, "*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range all {
		if !strings.HasSuffix(name, ".test.hcl") {
			names = append(names, name)
		}
	}
	return names
}

// TestShipped runs the tests that the pipelines bring.
func TestShipped(t *testing.T) {
	for _, name := range shipped(t) {
		tests := load(t, name, lang.Graph, "", nil).Tests
		if len(tests) == 0 {
			t.Errorf("%s has no tests", name)
		}
		for _, test := range tests {
			t.Run(name+"/"+test.Name, func(t *testing.T) {
				p := load(t, name, lang.Test, test.Name, nil)
				result, err := pipelinetest.Run(context.Background(), p, p.Tests[0], pipelinetest.Options{World: world.OS()})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range result.Failures {
					t.Errorf("%s: %s\n%s", f.Range, f.Message, f.Diff)
				}
			})
		}
	}
}

// TestEveryExpectedMessageIsHeld holds that no expected message or datagram of
// the example alerts is forgotten in the tests.
func TestEveryExpectedMessageIsHeld(t *testing.T) {
	text, err := fs.ReadFile(pipelines.FS, "wazuh-dfn.test.hcl")
	if err != nil {
		t.Fatal(err)
	}
	expected, err := fs.Glob(testdata.FS, "alerts/expected/*")
	if err != nil || len(expected) == 0 {
		t.Fatal(expected, err)
	}
	for _, file := range expected {
		if !strings.Contains(string(text), `golden = "../testdata/alerts/expected/`+path.Base(file)+`"`) {
			t.Errorf("no test of wazuh-dfn.hcl holds %s", file)
		}
	}
}
