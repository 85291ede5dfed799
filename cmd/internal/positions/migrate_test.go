package positions

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wazuh-etl/etl/cmd/internal/filebeat"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

func written(t *testing.T, name, text string) filebeat.Entry {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	var info syscall.Stat_t
	if err := syscall.Stat(name, &info); err != nil {
		t.Fatal(err)
	}
	return filebeat.Entry{Key: name, Path: name, Device: info.Dev, Inode: info.Ino}
}

// reading is a pipeline that reads path.
func reading(t *testing.T, path, profile string) *Target {
	source := &plan.Node{Address: "source.file.in", Type: plan.Source, Kind: "file",
		Config: &component.Config{Values: map[string]any{"path": path, "profile": profile}}}
	sink := &plan.Node{Address: "sink.test.out", Type: plan.Sink, Required: true, Inputs: []plan.Port{{Node: source}}}
	receipt := &plan.Node{Address: "sink.test.receipt", Type: plan.Sink, Required: true, Inputs: []plan.Port{{Node: sink, Output: plan.Delivered}}}
	return &Target{Path: t.TempDir(), Name: "p", FS: world.OS().FS, Plan: &plan.Plan{Nodes: []*plan.Node{source, sink, receipt}}}
}

// Filebeat has read each file of a rotation by itself: the oldest that it has
// not read to the end is where to go on.
func TestFilebeatOverRotations(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "alerts.json")
	dated := func(day string) string { return filepath.Join(dir, "2025", "Nov", "ossec-alerts-"+day+".json") }
	for name, c := range map[string]struct {
		read    [3]int64 // to these offsets; -1: not in the registry
		in      string   // goes on in this file
		offset  int64
		without bool // the registry has no inodes
		note    string
	}{
		"all read":            {[3]int64{16, 16, 16}, path, 16, false, "the beginning of a line"},
		"in the current":      {[3]int64{16, 16, 8}, path, 8, false, "the beginning of a line"},
		"stopped before":      {[3]int64{16, 8, -1}, dated("20"), 8, false, "ossec-alerts-20.json: Filebeat read it to offset 8"},
		"another file":        {[3]int64{-1, -1, 11}, path, 0, false, "inside of a line, and Filebeat stops between lines: another file got its inode. source.file.in reads it from its beginning"},
		"another older file":  {[3]int64{-1, 11, 16}, dated("20"), 0, false, "another file got its inode"},
		"an older one, short": {[3]int64{-1, 99, 16}, dated("20"), 0, false, "it has only 16 bytes"},
		"before another file": {[3]int64{8, 11, 16}, dated("19"), 8, false, "the beginning of a line"},
		"two behind":          {[3]int64{8, 3, 0}, dated("19"), 8, false, "the beginning of a line"},
		"truncated":           {[3]int64{-1, -1, 99}, path, 0, false, "left out, if it is in an older file: etl state set goes back to one, as to " + dated("20")},
		"by path":             {[3]int64{-1, -1, 8}, path, 8, true, "the beginning of a line"},
		"nothing is known":    {[3]int64{-1, -1, -1}, "", 0, false, "Filebeat knows nothing of"},
		"by path, none of it": {[3]int64{-1, -1, -1}, "", 0, true, "Filebeat knows nothing of"},
	} {
		t.Run(name, func(t *testing.T) {
			os.RemoveAll(dir)
			all := []filebeat.Entry{
				written(t, dated("19"), "{\"n\":1}\n{\"n\":2}\n"),
				written(t, dated("20"), "{\"n\":3}\n{\"n\":4}\n"),
				written(t, dated("21"), "{\"n\":5}\n{\"n\":6}\n"),
			}
			if err := os.Link(dated("21"), path); err != nil {
				t.Fatal(err)
			}
			var entries []filebeat.Entry
			for i, e := range all {
				e.Path, e.Offset = path, c.read[i] // as it was called when it was read
				if c.without {
					e.Device, e.Inode = 0, 0
				}
				if e.Offset >= 0 {
					entries = append(entries, e)
				}
			}
			target := reading(t, path, "wazuh4")
			changes, err := target.FromFilebeat(entries)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(changes.Notes, func(n string) bool { return strings.Contains(n, c.note) }) {
				t.Errorf("said %q, want %q", changes.Notes, c.note)
			}
			if c.in == "" {
				if len(changes.Checkpoints) > 0 {
					t.Errorf("checkpoints %v", changes.Checkpoints)
				}
				return
			}
			if len(changes.Checkpoints) != 1 {
				t.Fatalf("checkpoints %v", changes.Checkpoints)
			}
			k := changes.Checkpoints[0]
			if k.Source != "source.file.in" || k.Sink != "sink.test.out" || k.Path != c.in || k.Offset != c.offset {
				t.Errorf("%+v, want offset %d of %s", k, c.offset, c.in)
			}
			if err := target.Apply(changes); err != nil {
				t.Fatal(err)
			}
			if saved := target.Saved(); len(saved) != 1 || saved[0].Position != k.Position {
				t.Errorf("saved %v", saved)
			}
		})
	}
}

func TestFilebeatsFileIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	e := written(t, path, "{\"n\":1}\n")
	e.Inode++
	e.Offset = 8
	changes, err := reading(t, path, "").FromFilebeat([]filebeat.Entry{e})
	if err != nil {
		t.Fatal(err)
	}
	if len(changes.Checkpoints) != 0 || !strings.Contains(strings.Join(changes.Notes, "\n"), "that file is not there any more") ||
		strings.Contains(strings.Join(changes.Notes, "\n"), "knows nothing") {
		t.Errorf("%+v", changes)
	}
}

// An archive that has got the inode of a file in the registry is none that Filebeat has read.
func TestFilebeatReadsNoArchives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("{\"n\":1}\n{\"n\":2}\n"))
	z.Close()
	archive, now := written(t, path+".1.gz", packed.String()), written(t, path, "{\"n\":3}\n")
	archive.Path, archive.Offset, now.Offset = path, 11, 8
	changes, err := reading(t, path, "").FromFilebeat([]filebeat.Entry{archive, now})
	if err != nil {
		t.Fatal(err)
	}
	if len(changes.Checkpoints) != 1 || changes.Checkpoints[0].Path != path || changes.Checkpoints[0].Offset != 8 ||
		!strings.Contains(strings.Join(changes.Notes, "\n"), "a.json.1.gz: it has the inode") {
		t.Errorf("%+v", changes)
	}
}
