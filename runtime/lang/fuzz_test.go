package lang_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// Load never panics, and has a plan or an error that is in the table.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{whole, "source \"stdin\" \"x\" {}\nsink \"stdout\" \"o\" { from = [source.stdin.x, errors] }\n", "locals { a = local.a }", "filter x {\nfrom = filter.x\nwhere = \"a\"\n}", "test \"a\" {\n  vars = { a = 1 }\n  input \"filter.x\" { file = \"*\" }\n}", "variable \"a\" {\n type = object({a = optional(string, 1)})\n default = {}\n}"} {
		f.Add(s)
	}
	fixtures, err := filepath.Glob("testdata/*/*/pipeline.hcl")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range fixtures {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, s string) {
		files := worldtest.NewFS()
		if err := files.MkdirAll("/p", 0o755); err != nil {
			t.Fatal(err)
		}
		file, err := files.OpenFile("/p/p.hcl", os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		for _, m := range []lang.Mode{lang.Validate, lang.Graph} {
			p, list := lang.Load("/p/p.hcl", lang.Options{Mode: m, Specs: specs, StateDir: dir, FS: files, Env: env(nil)})
			if (p == nil) != list.Failed() {
				t.Fatalf("%v %v", p, list)
			}
			for _, d := range list {
				if d.Message == "" || d.Code == "" || diag.Meanings[d.Code] == "" {
					t.Fatalf("%+v", d)
				}
			}
			rendered(list)
		}
	})
}
