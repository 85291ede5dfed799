package shipped

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryPipelineIsWhole(t *testing.T) {
	all, err := All()
	if err != nil || len(all) < 2 {
		t.Fatal(all, err)
	}
	for _, p := range all {
		if p.Summary == "" {
			t.Errorf("%s begins with no comment that says what it does", p.Name)
		}
		files, err := Files(p.Name)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if text := string(files[p.Name+".hcl"]); text == "" || strings.Contains(text, `"../`) {
			t.Errorf("%s is not there, or reaches out of its folder", p.Name)
		}
	}
}

func TestCopyOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "lua", "b.lua")
	if err := os.MkdirAll(filepath.Dir(there), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", there); err != nil { // a dangling link is something too
		t.Fatal(err)
	}
	if err := Copy(map[string][]byte{"a.hcl": nil, "lua/b.lua": nil}, dir); err == nil || !strings.Contains(err.Error(), there) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.hcl")); err == nil {
		t.Error("a part was written")
	}
}

func TestModulesOfScriptsComeAlong(t *testing.T) {
	files, err := Files("wazuh-dfn")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lua/dfn_windows.lua", "lua/windows_xml.lua", "wazuh-dfn.test.hcl", "testdata/failure.wazuh.txt", "testdata/alerts/alerts.jsonl"} {
		if len(files[name]) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
}
