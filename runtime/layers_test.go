package runtime_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/wazuh-etl/etl/"

// public is what a component may import of the runtime.
var public = []string{
	"runtime/ack", "runtime/codec", "runtime/component", "runtime/deadletter", "runtime/diag",
	"runtime/document", "runtime/event", "runtime/failpoint", "runtime/linefile", "runtime/world",
}

// helpers are packages below builtin that several components share and that
// are no components.
var helpers = []string{"builtin/compression", "builtin/tlsconfig"}

// The runtime knows no component, a component knows only the runtime's public
// packages and no other component, and nothing knows the commands.
func TestLayers(t *testing.T) {
	root := ".."
	files := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files++
		from := path.Dir(filepath.ToSlash(rel))
		for _, spec := range f.Imports {
			quoted, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to, ours := strings.CutPrefix(quoted, module); ours {
				if why := forbidden(from, to); why != "" {
					t.Errorf("%s imports %s: %s", rel, to, why)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d files were looked at", files)
	}
}

func forbidden(from, to string) string {
	switch {
	case below(to, "cmd") && !below(from, "cmd"):
		return "nothing knows the commands"
	case below(from, "runtime") && below(to, "builtin"):
		return "the runtime knows no component"
	case from == "builtin":
		return ""
	case below(from, "builtin") && below(to, "runtime") && !slices.Contains(public, to):
		return "a component knows only what is public of the runtime"
	case below(from, "builtin") && below(to, "builtin") && component(from) != component(to) && !slices.Contains(helpers, to):
		return "components do not know each other"
	}
	return ""
}

func below(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// component is the folder of the component that a package below builtin is of.
func component(name string) string {
	parts := strings.SplitN(name, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}
