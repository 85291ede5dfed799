package world_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOpenOfWhatIsMissing(t *testing.T) {
	f, err := world.OS().FS.Open(filepath.Join(t.TempDir(), "missing"))
	if f != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("file %v, error %v", f, err)
	}
}

func TestIdentityIsThatOfTheFile(t *testing.T) {
	files, dir := world.OS().FS, t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	inode := func(name string) uint64 {
		info, err := files.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		_, inode := files.Identity(info)
		return inode
	}
	if inode("a") != inode("link") || inode("a") == inode("b") || inode("a") == 0 {
		t.Errorf("inodes %d %d %d", inode("a"), inode("link"), inode("b"))
	}
}

// Each kind of change is told, by the name of its entry; closing ends it.
func TestNotifier(t *testing.T) {
	dir := t.TempDir()
	changes, stop, err := world.OS().Notifier.Watch(dir)
	if err != nil {
		t.Fatal(err)
	}
	name, other := filepath.Join(dir, "alerts.json"), filepath.Join(dir, "other")
	for _, step := range []struct {
		what string
		do   func() error
		told string
	}{
		{"create", func() error { return os.WriteFile(name, nil, 0o600) }, name},
		{"write", func() error { return os.WriteFile(name, []byte("x"), 0o600) }, name},
		{"rename", func() error { return os.Rename(name, other) }, other},
		{"link", func() error { return os.Link(other, name) }, name},
		{"remove", func() error { return os.Remove(name) }, name},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		for told, deadline := "", time.After(20*time.Second); told != step.told; {
			select {
			case told = <-changes:
			case <-deadline:
				t.Fatalf("%s was not told", step.what)
			}
		}
	}
	stop()
	stop()
	for range changes { // it is closed
	}
	if _, _, err := world.OS().Notifier.Watch(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("watching what is missing: %v", err)
	}
}

// Directories last when MakeDirs returns, also where it had failed before.
func TestMakeDirs(t *testing.T) {
	const name = "/var/lib/etl/state"
	for n := int64(1); ; n++ {
		files := worldtest.NewFS()
		files.FailNth(worldtest.OpSyncDir, n, syscall.EIO)
		err := world.MakeDirs(files, name, 0o750)
		if err != nil {
			if err = world.MakeDirs(files, name, 0o750); err != nil {
				t.Fatalf("%d: the second time: %v", n, err)
			}
		} else if n <= 4 {
			t.Errorf("%d: no error", n)
		}
		files.Fault(nil)
		files.Crash(nil)
		if _, err := files.Stat(name); err != nil {
			t.Errorf("%d: after a crash: %v", n, err)
		}
		if n > 4 {
			return
		}
	}
}
