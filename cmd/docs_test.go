package cmd

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/cmd/internal/reference"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
)

func TestReferenceIsFresh(t *testing.T) {
	stale, err := reference.Stale("../docs/reference", builtin.Specs())
	if err != nil {
		t.Fatal(err)
	}
	if len(stale) > 0 {
		t.Errorf("docs/reference is stale: %s\nrun: go run ./cmd/etl docs --markdown docs/reference", strings.Join(stale, ", "))
	}
}

// TestExamplesLoad holds the examples of the reference and the guides against
// the loader.
func TestExamplesLoad(t *testing.T) {
	for _, s := range builtin.Specs() {
		if s.Example == "" {
			t.Errorf("%s has no example", reference.Title(s))
			continue
		}
		loads(t, reference.Title(s), s.Example)
	}
	fence := regexp.MustCompile("(?s)```hcl\n(.*?)```")
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fence.FindAllSubmatch(text, -1) {
			loads(t, page, string(m[1]))
		}
	}
}

// loads wants nothing to be wrong with an example but that it names components,
// variables and files that stand elsewhere.
func loads(t *testing.T, where, example string) {
	t.Helper()
	elsewhere := []diag.Code{
		diag.UnknownReference, diag.UnknownVariable, diag.UnknownLocal, diag.NoSource, diag.NoSink,
		diag.UnreadSource, diag.UnreadNode, diag.UnreachedSink, diag.NoValue, diag.MissingFile,
		diag.TestAddress, diag.TestNoFiles,
	}
	file := filepath.Join(t.TempDir(), "example.hcl")
	if err := os.WriteFile(file, []byte(example), 0o666); err != nil {
		t.Fatal(err)
	}
	o := load.Options(builtin.Specs())
	o.Mode = lang.Graph
	_, list := load.Pipeline(file, o)
	list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return slices.Contains(elsewhere, d.Code) })
	if len(list) > 0 {
		var b bytes.Buffer
		_ = diag.Printer{Source: os.ReadFile}.Text(&b, list)
		t.Errorf("an example of %s:\n%s", where, b.String())
	}
}

// pages are the guides and the reference.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"../README.md"}
	for _, root := range []string{"../docs", "../deploy"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".md") {
				found = append(found, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func TestEverySinkSaysWhatDeliveredMeans(t *testing.T) {
	for _, s := range builtin.Specs() {
		if (s.NewSink != nil) != strings.HasPrefix(s.Guarantee, "Delivered means") {
			t.Errorf("%s: a sink's guarantee begins with \"Delivered means\", nothing else has one: %.60q", reference.Title(s), s.Guarantee)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksOfTheDocumentation(t *testing.T) {
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, m[1])
			}
		}
	}
}
