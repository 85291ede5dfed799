package builtin_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/wazuh-etl/etl/builtin"
)

// What a component's page says happens is held by the test that it names.
func TestPagesNameTestsThatExist(t *testing.T) {
	declared := map[string]bool{}
	files, err := filepath.Glob("*/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			declared[string(m[1])] = true
		}
	}
	for _, spec := range builtin.Specs() {
		for _, name := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(spec.Doc, -1) {
			if !declared[name] {
				t.Errorf("%s %q names %s, which is nowhere", spec.Role, spec.Kind, name)
			}
		}
	}
}
