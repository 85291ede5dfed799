package builtin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/builtin"
)

var namedTest = regexp.MustCompile(`\bTest[A-Z]\w+`)

// What a component's page, or docs/delivery.md, says happens is held by the
// test that it names.
func TestPagesNameTestsThatExist(t *testing.T) {
	declared := map[string]bool{}
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range declaration.FindAllSubmatch(text, -1) {
			declared[string(m[1])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(page, text string) {
		names := namedTest.FindAllString(text, -1)
		for _, name := range names {
			if !declared[name] {
				t.Errorf("%s names %s, which is nowhere", page, name)
			}
		}
	}
	for _, spec := range builtin.Specs() {
		check(string(spec.Role)+" "+spec.Kind, spec.Doc)
	}
	promise, err := os.ReadFile("../docs/delivery.md")
	if err != nil {
		t.Fatal(err)
	}
	check("docs/delivery.md", string(promise))
}
