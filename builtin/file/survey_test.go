package file

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func surveyed(t *testing.T, files *worldtest.FS, path, text string) {
	t.Helper()
	f, err := files.OpenFile(path, 0x41, 0o640) // O_CREAT|O_WRONLY
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSurvey(t *testing.T) {
	files := worldtest.NewFS()
	if err := files.MkdirAll("/logs", 0o750); err != nil {
		t.Fatal(err)
	}
	surveyed(t, files, "/logs/a.json.1", "{\"old\":1}\n{\"old\":2}\n")
	surveyed(t, files, "/logs/a.json", "{\"new\":1}\n{\"new\":2}\n{\"new\"")
	surveyed(t, files, "/logs/other.json", "{}\n")
	v := NewSurvey(files, "/logs/a.json", "", nil)
	for _, c := range []struct {
		path         string
		offset, want int64
		behind       int64
	}{
		{"/logs/a.json", 0, 0, 26},
		{"/logs/a.json", 10, 10, 16},
		{"/logs/a.json", 15, 10, 16},
		{"/logs/a.json", 26, 20, 6}, // the line is not whole yet
		{"/logs/a.json", End, 20, 6},
		{"/logs/a.json.1", 3, 0, 46},
		{"/logs/a.json.1", End, 20, 26},
	} {
		p, err := v.At(c.path, c.offset)
		if err != nil {
			t.Fatal(err)
		}
		if p.Offset != c.want || p.Path != c.path || p.Generation == "" || p.Inode == 0 {
			t.Errorf("%s at %d: %+v, want offset %d", c.path, c.offset, p, c.want)
		}
		path, behind, ok := v.Find(p)
		if !ok || path != c.path || behind != c.behind {
			t.Errorf("%s at %d: found %v in %s, %d behind, want %d", c.path, c.offset, ok, path, behind, c.behind)
		}
	}
	if _, err := v.At("/logs/a.json", 27); err == nil || !strings.Contains(err.Error(), "26 bytes") {
		t.Errorf("beyond the end: %v", err)
	}
	if _, _, ok := v.Find(component.Position{Generation: "gone", Offset: 1}); ok {
		t.Error("a generation that is nowhere was found")
	}
	for path, want := range map[string]bool{"/logs/a.json": true, "/logs/a.json.1": true, "/logs/other.json": false} {
		if name, ok, err := v.Reads(path); err != nil || ok != want || ok && name != path {
			t.Errorf("%s: read as %s %v %v, want %v", path, name, ok, err, want)
		}
	}
}

// A position that is stored keeps the name of its generation, and so the ids.
func TestSurveyKeepsTheGeneration(t *testing.T) {
	files := worldtest.NewFS()
	surveyed(t, files, "/a.json", "{\"n\":1}\n{\"n\":2}\n")
	v := NewSurvey(files, "/a.json", "", nil)
	p, err := v.At("/a.json", 8)
	if err != nil {
		t.Fatal(err)
	}
	p.Generation += "~3"
	again, err := v.At("/a.json", 0, component.Position{Generation: "else"}, p)
	if err != nil || again.Generation != p.Generation {
		t.Errorf("%v: %s, want %s", err, again.Generation, p.Generation)
	}
}

// Under the Wazuh profile the generation has its dated path, as the source names it.
func TestSurveyOfWazuh(t *testing.T) {
	files := worldtest.NewFS()
	if err := files.MkdirAll("/alerts/2025/Nov", 0o750); err != nil {
		t.Fatal(err)
	}
	surveyed(t, files, "/alerts/2025/Nov/ossec-alerts-20.json", "{\"old\":1}\n")
	surveyed(t, files, "/alerts/2025/Nov/ossec-alerts-21.json", "{\"new\":1}\n")
	if err := files.Link("/alerts/2025/Nov/ossec-alerts-21.json", "/alerts/alerts.json"); err != nil {
		t.Fatal(err)
	}
	v := NewSurvey(files, "/alerts/alerts.json", "wazuh4", nil)
	p, err := v.At("/alerts/alerts.json", 0)
	if err != nil || !strings.HasPrefix(p.Generation, "2025/Nov/ossec-alerts-21.json:") {
		t.Errorf("%v: %+v", err, p)
	}
	var names []string
	for _, m := range v.Members() {
		names = append(names, m.Path)
	}
	if fmt.Sprint(names) != "[/alerts/2025/Nov/ossec-alerts-20.json /alerts/alerts.json]" {
		t.Errorf("members %v", names)
	}
}

func TestSurveyOfNothing(t *testing.T) {
	files := worldtest.NewFS()
	v := NewSurvey(files, "/a.json", "", nil)
	if _, err := v.At("/a.json", 0); err == nil || errors.Is(err, ErrNoLine) {
		t.Errorf("a file that is not there: %v", err)
	}
	surveyed(t, files, "/a.json", "{\"n\"")
	if _, err := v.At("/a.json", 0); !errors.Is(err, ErrNoLine) {
		t.Errorf("a file without a line: %v", err)
	}
}
