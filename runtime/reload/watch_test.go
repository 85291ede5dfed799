package reload

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write puts content over what the file holds, in one step: who empties it first
// may be held up for so long that the empty file is a change, too.
func write(t *testing.T, name, content string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
}

// Every way in which editors and deployments change a file is seen; a write
// of the same content is not.
func TestWatcherSeesRealEdits(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pipeline.hcl")
	link := filepath.Join(dir, "current")
	for _, v := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, v, "script.lua"), v)
	}
	write(t, file, "one")
	if err := os.Symlink("v1", link); err != nil {
		t.Fatal(err)
	}
	x := NewWatcher(world.OS(), []string{file, filepath.Join(link, "script.lua"), dir})
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := make(chan struct{}, 10), make(chan struct{})
	go func() { defer close(done); x.Run(ctx, func() { changes <- struct{}{} }) }()

	edits := []struct {
		name string
		edit func()
	}{
		{"in place", func() { write(t, file, "two") }},
		{"rename and replace", func() {
			write(t, file+".swp", "three")
			if err := os.Rename(file+".swp", file); err != nil {
				t.Fatal(err)
			}
		}},
		{"a symbolic link is switched", func() {
			if err := os.Symlink("v2", link+".new"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(link+".new", link); err != nil {
				t.Fatal(err)
			}
		}},
		{"a new pipeline file in the directory", func() { write(t, filepath.Join(dir, "more.hcl"), "") }},
		{"the file vanishes", func() {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, e := range edits {
		e.edit()
		select {
		case <-changes:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: not seen", e.name)
		}
	}
	write(t, filepath.Join(dir, "more.hcl"), "the content of a listed directory's files is not its business")
	write(t, filepath.Join(dir, "v2", "script.lua"), "v2")
	select {
	case <-changes:
		t.Error("a write of the same content was taken for a change")
	case <-time.After(poll + 2*settle):
	}
	cancel()
	<-done
}
