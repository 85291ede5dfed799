package builtin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/runtime/component"
)

// asked is what an operator asks of a page: each is a row that begins with it
// in bold.
var asked = map[string][]string{
	"sink":            {"down", "full", "bad data", "reload", "crash"},
	"source file":     {"gone", "rotated", "unreadable", "bad data", "reload", "crash"},
	"source stdin":    {"gone", "unreadable", "bad data", "reload", "crash"},
	"source generate": {"reload", "crash"},

	"source wazuh_agents": {"gone", "locked", "replaced", "unreadable", "bad data", "reload", "crash"},
}

// TestPagesSayWhatHappens holds the page of each source and sink to its
// tables: whose error it is (of a sink), and what happens when the rest of the
// world misbehaves; and each row of them to the tests that show it, in the
// component's own package or in what runs it.
func TestPagesSayWhatHappens(t *testing.T) {
	declared := declaredTests(t)
	for _, spec := range builtin.Specs() {
		page := string(spec.Role) + " " + spec.Kind
		if spec.Role == component.RoleTransform {
			continue
		}
		own := folder(spec)
		happens := ""
		whose := false
		for _, table := range tables(spec.Doc) {
			if table.head[len(table.head)-1] != "test" {
				t.Errorf("%s: the table %q names no tests", page, table.head)
				continue
			}
			whose = whose || slices.Contains(table.head, "whose error")
			for _, row := range table.rows {
				if table.head[0] == "what happens when …" {
					happens += row[0] + "\n"
				}
				names := namedTest.FindAllString(row[len(row)-1], -1)
				if len(names) == 0 {
					t.Errorf("%s: no test shows that %s", page, row[0])
				}
				for _, name := range names {
					if !slices.ContainsFunc(declared[name], func(dir string) bool {
						return dir == own || dir == "cmd" || strings.HasPrefix(dir, "runtime")
					}) {
						t.Errorf("%s: %s is not in %s, nor in runtime or cmd", page, name, own)
					}
				}
			}
		}
		if spec.Role == component.RoleSink && !whose {
			t.Errorf("%s: no table says whose error it is", page)
		}
		questions, ok := asked[page]
		if !ok {
			questions = asked[string(spec.Role)]
		}
		if len(questions) == 0 {
			t.Errorf("%s: what can happen to it?", page)
		}
		for _, question := range questions {
			if !regexp.MustCompile(`(?m)^\*\*` + question + `\*\*(:|,|$)`).MatchString(happens) {
				t.Errorf("%s: nothing says what happens when: %s", page, question)
			}
		}
	}
}

// What a page of the documentation says happens is held by the test that it
// names, and each row of the promise names one.
func TestPagesNameTestsThatExist(t *testing.T) {
	declared := declaredTests(t)
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	reference, err := filepath.Glob("../docs/reference/*.md")
	if err != nil || len(reference) == 0 {
		t.Fatal(reference, err)
	}
	for _, page := range append(pages, reference...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range namedTest.FindAllString(string(text), -1) {
			if len(declared[name]) == 0 {
				t.Errorf("%s names %s, which is nowhere", page, name)
			}
		}
		if filepath.Base(page) == "delivery.md" {
			for _, row := range tables(string(text))[0].rows {
				if !namedTest.MatchString(row[len(row)-1]) {
					t.Errorf("%s: no test shows that %s", page, row[0])
				}
			}
		}
	}
}

var (
	namedTest   = regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`)
	declaration = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// declaredTests are the folders that declare a test of a name, below the
// module's own.
func declaredTests(t *testing.T) map[string][]string {
	t.Helper()
	declared := map[string][]string{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range declaration.FindAllSubmatch(text, -1) {
			declared[string(m[1])] = append(declared[string(m[1])], strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), "../"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return declared
}

// folder is where a component stands: where its constructor is.
func folder(spec *component.Spec) string {
	var made any = spec.NewSink
	if spec.Role == component.RoleSource {
		made = spec.NewSource
	}
	entry := reflect.ValueOf(made).Pointer()
	file, _ := goruntime.FuncForPC(entry).FileLine(entry) // …/builtin/file/sink.go
	return filepath.ToSlash(filepath.Dir(file[strings.LastIndex(file, "/builtin/")+1:]))
}

type table struct {
	head []string
	rows [][]string
}

// tables are the tables of a page, without the line below the head.
func tables(text string) (found []table) {
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			inside = false
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i, c := range cells {
			cells[i] = strings.TrimSpace(c)
		}
		switch {
		case !inside:
			found, inside = append(found, table{head: cells}), true
		case !strings.HasPrefix(cells[0], "---"):
			last := &found[len(found)-1]
			last.rows = append(last.rows, cells)
		}
	}
	return found
}
