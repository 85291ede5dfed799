// Package shipped knows the pipelines that come in the binary, and puts one
// with all it needs into a folder of the operator's own.
package shipped

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/lua"
	"github.com/wazuh-etl/etl/pipelines"
	"github.com/wazuh-etl/etl/testdata"
)

// Pipeline is one that comes in the binary.
type Pipeline struct {
	Name    string
	Summary string // the comment that its file begins with
}

// All is every shipped pipeline, by name.
func All() ([]Pipeline, error) {
	names, err := fs.Glob(pipelines.FS, "*.hcl")
	if err != nil {
		return nil, err
	}
	var all []Pipeline
	for _, name := range names {
		if strings.HasSuffix(name, ".test.hcl") {
			continue
		}
		text, err := fs.ReadFile(pipelines.FS, name)
		if err != nil {
			return nil, err
		}
		all = append(all, Pipeline{strings.TrimSuffix(name, ".hcl"), summary(string(text))})
	}
	return all, nil
}

// summary is the first paragraph of the comment that text begins with.
func summary(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !ok || strings.TrimSpace(comment) == "" || strings.Contains(comment, "etl ") {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	return strings.Join(words, " ")
}

// In the repository a pipeline stands in a folder beside testdata; in a folder
// of its own testdata is beneath it.
var (
	fixture = regexp.MustCompile(`"\.\./testdata/([^"]+)"`)
	beside  = regexp.MustCompile(`"(testdata/[^"]+)"`)
	script  = regexp.MustCompile(`"lua/([^"]+)"`)
	module  = regexp.MustCompile(`require\s*\(?\s*["']([a-z0-9_]+)["']`)
)

// Files is the pipeline called name with its tests, and the scripts and
// fixtures that they read: content by path, relative to the folder it goes to.
func Files(name string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, file := range []string{name + ".hcl", name + ".test.hcl"} {
		text, err := fs.ReadFile(pipelines.FS, file)
		if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(file, ".test.hcl") {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, m := range fixture.FindAllSubmatch(text, -1) {
			if err := add(out, testdata.FS, string(m[1]), "testdata"); err != nil {
				return nil, err
			}
		}
		for _, m := range beside.FindAllSubmatch(text, -1) {
			if err := add(out, pipelines.FS, string(m[1]), ""); err != nil {
				return nil, err
			}
		}
		for _, m := range script.FindAllSubmatch(text, -1) {
			if err := addScript(out, string(m[1])); err != nil {
				return nil, err
			}
		}
		out[file] = fixture.ReplaceAll(text, []byte(`"testdata/$1"`))
	}
	return out, nil
}

// add puts what pattern means in from into out, below the folder to.
func add(out map[string][]byte, from fs.FS, pattern, to string) error {
	names, err := fs.Glob(from, pattern)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("a shipped pipeline names %s, which is not in the binary", pattern)
	}
	for _, name := range names {
		if out[path.Join(to, name)], err = fs.ReadFile(from, name); err != nil {
			return err
		}
	}
	return nil
}

// addScript puts a script into out, and the modules that it requires. Those
// written in Go are in the binary only.
func addScript(out map[string][]byte, name string) error {
	if _, ok := out[path.Join("lua", name)]; ok {
		return nil
	}
	if err := add(out, lua.FS, name, "lua"); err != nil {
		return err
	}
	for _, m := range module.FindAllSubmatch(out[path.Join("lua", name)], -1) {
		required := string(m[1]) + ".lua"
		if _, err := fs.Stat(lua.FS, required); err != nil {
			continue
		}
		if err := addScript(out, required); err != nil {
			return err
		}
	}
	return nil
}

// Copy puts files into dir, which is made if it is not there. A file that is
// there already is an error before anything is written.
func Copy(files map[string][]byte, dir string) error {
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s is there already; nothing was written", filepath.Join(dir, name))
		}
	}
	for _, name := range names {
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return fmt.Errorf("making the pipeline's folder: %w", err)
		}
		if err := create(target, files[name]); err != nil {
			return fmt.Errorf("writing the pipeline: %w", err)
		}
	}
	return nil
}

// create writes a file that must not be there.
func create(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
