package reference

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// Tree is the whole generated reference: file names and their content.
func Tree(specs []*component.Spec) map[string]string {
	tree := map[string]string{
		"README.md":      index(specs),
		"common.md":      common(),
		"diagnostics.md": diagnostics(),
	}
	for _, s := range specs {
		var b strings.Builder
		_ = Page(&b, s) // a Builder takes everything
		tree[Name(s)+".md"] = b.String()
	}
	return tree
}

// Write puts the reference into dir, which is made if it is not there. Pages
// of components that are no more are removed; files that it doesn't know as
// its own stay.
func Write(dir string, specs []*component.Spec) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("making the reference folder: %w", err)
	}
	tree := Tree(specs)
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(tree[name]), 0o666); err != nil {
			return fmt.Errorf("writing the reference: %w", err)
		}
	}
	stale, err := Stale(dir, specs)
	if err != nil {
		return err
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("removing a page of the reference: %w", err)
		}
	}
	return nil
}

// Stale names what in dir is not as Write would leave it, sorted.
func Stale(dir string, specs []*component.Spec) ([]string, error) {
	tree := Tree(specs)
	var stale []string
	for name, want := range tree {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("reading the reference: %w", err)
		}
		if string(got) != want {
			stale = append(stale, name)
		}
	}
	for _, role := range []component.Role{component.RoleSource, component.RoleTransform, component.RoleSink} {
		pages, err := filepath.Glob(filepath.Join(dir, string(role)+"-*.md"))
		if err != nil {
			return nil, err
		}
		for _, page := range pages {
			if _, ok := tree[filepath.Base(page)]; !ok {
				stale = append(stale, filepath.Base(page))
			}
		}
	}
	slices.Sort(stale)
	return stale, nil
}

func index(specs []*component.Spec) string {
	var b strings.Builder
	b.WriteString("# Reference\n\nMade from the components themselves by `etl docs --markdown docs/reference`. " +
		"`etl docs sink.kafka` shows one of these pages on the terminal.\n\n")
	fmt.Fprintf(&b, "- [What all components share](common.md), `filter` included\n- [Expressions](expressions.md)\n- [Diagnostics](diagnostics.md)\n\n")
	b.WriteString("| component | what it does |\n| --- | --- |\n")
	for _, s := range Sorted(specs) {
		fmt.Fprintf(&b, "| [`%s`](%s.md) | %s |\n", Title(s), Name(s), cell(s.Summary))
	}
	return b.String()
}

func diagnostics() string {
	var b strings.Builder
	b.WriteString(`# Diagnostics

What ` + "`etl validate`" + ` finds, and ` + "`etl run`" + ` before it starts and at a reload. The codes are stable: one is
never given another meaning. ETL10 is about the file's form, ETL11 about blocks and attributes, ETL12
about names and the graph, ETL13 about values, ETL14 about what happens per event, ETL15 about files and
certificates, ETL16 about tests. ETL19 are warnings: the pipeline runs all the same.

| code | severity | meaning |
| --- | --- | --- |
`)
	for _, code := range slices.Sorted(maps.Keys(diag.Meanings)) {
		severity := diag.Error
		if strings.HasPrefix(string(code), "ETL19") {
			severity = diag.Warning
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", code, severity, cell(diag.Meanings[code]))
	}
	return b.String()
}
