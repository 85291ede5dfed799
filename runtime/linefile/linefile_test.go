package linefile

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

const path = "/state/out/lines"

func content(t *testing.T, files world.FS, name string) string {
	t.Helper()
	b, err := files.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAppendOnDisk(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a", "b", "lines")
	f := New(world.OS().FS, name, Options{})
	must(t, f.Append([]byte("1\n2\n")))
	must(t, f.Close())
	must(t, os.WriteFile(name, []byte("1\n2\nto"), 0o600))
	must(t, f.Append([]byte("3\n")))
	if got := content(t, world.OS().FS, name); got != "1\n2\n3\n" {
		t.Errorf("%q", got)
	}
	if f.Size() != 6 {
		t.Errorf("size %d", f.Size())
	}
	must(t, f.Close())
}

func TestRotate(t *testing.T) {
	for keep, want := range map[int][]string{
		0: {"5\n", "", ""},
		1: {"5\n", "3\n4\n", ""},
		2: {"5\n", "3\n4\n", "1\n2\n"},
	} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			files := worldtest.NewFS()
			f := New(files, path, Options{MaxBytes: 4, Keep: keep})
			for n := 1; n <= 5; n++ {
				must(t, f.Append(fmt.Appendf(nil, "%d\n", n)))
			}
			for i, name := range []string{path, path + ".1", path + ".2"} {
				if got := content(t, files, name); got != want[i] {
					t.Errorf("%s: %q, want %q", name, got, want[i])
				}
			}
			if want := int64(max(0, 4-2*keep)); f.Discarded() != want {
				t.Errorf("%d lines discarded, want %d", f.Discarded(), want)
			}
			must(t, f.Close())
		})
	}
}

func TestOneAppendOverTheLimitGoesInWhole(t *testing.T) {
	files := worldtest.NewFS()
	f := New(files, path, Options{MaxBytes: 4, Keep: 1})
	must(t, f.Append([]byte("a long line\n")))
	must(t, f.Append([]byte("2\n")))
	if got := content(t, files, path+".1"); got != "a long line\n" {
		t.Errorf("%q", got)
	}
}

// A full disk leaves nothing of what could not be written, and all before it.
func TestDiskFull(t *testing.T) {
	files := worldtest.NewFS()
	f := New(files, path, Options{})
	must(t, f.Append([]byte("first\n")))
	files.Space(8)
	if err := f.Append([]byte("second\nthird\n")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v", err)
	}
	if got := content(t, files, path); got != "first\n" {
		t.Errorf("%q", got)
	}
	files.Space(-1)
	must(t, f.Append([]byte("second\nthird\n")))
	if got := content(t, files, path); got != "first\nsecond\nthird\n" {
		t.Errorf("%q", got)
	}
}

func TestWhatCannotBeTakenBackIsSetAside(t *testing.T) {
	files := worldtest.NewFS()
	f := New(files, path, Options{})
	must(t, f.Append([]byte("first\n")))
	files.Fault(func(op worldtest.Op, _ string) error {
		switch op {
		case worldtest.OpWrite:
			return worldtest.ShortWrite{Bytes: 9, Err: syscall.EIO}
		case worldtest.OpTruncate:
			return syscall.EIO
		}
		return nil
	})
	if err := f.Append([]byte("second\nthird\n")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("error %v", err)
	}
	files.Fault(nil)
	must(t, f.Append([]byte("second\nthird\n")))
	if got := content(t, files, path); got != "second\nthird\n" {
		t.Errorf("%q", got)
	}
}

// A sync that has failed is never repeated: what was to be synced goes to
// another file.
func TestSyncFails(t *testing.T) {
	files := worldtest.NewFS()
	var log strings.Builder
	f := New(files, path, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	must(t, f.Append([]byte("first\n")))
	syncs := 0
	files.Fault(func(op worldtest.Op, name string) error {
		if op == worldtest.OpSync {
			if syncs++; syncs <= 2 {
				return syscall.EIO
			}
		}
		return nil
	})
	for range 2 {
		if err := f.Append([]byte("second\n")); !errors.Is(err, syscall.EIO) {
			t.Fatalf("error %v", err)
		}
	}
	must(t, f.Append([]byte("second\n")))
	files.Fault(nil)
	if got := content(t, files, path); got != "second\n" {
		t.Errorf("%q", got)
	}
	entries, err := files.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(entries) != 2 { // the new one, and the one that had lines on disk; not the one in between
		t.Errorf("files %v", entries)
	}
	if aside := filepath.Join(filepath.Dir(path), entries[1].Name()); !strings.HasPrefix(content(t, files, aside), "first\n") || !strings.Contains(log.String(), aside) {
		t.Errorf("%s: %q, log %s", aside, content(t, files, aside), log.String())
	}
}

func TestMovedAway(t *testing.T) {
	files := worldtest.NewFS()
	f := New(files, path, Options{})
	must(t, f.Append([]byte("1\n")))
	must(t, files.Rename(path, path+".old"))
	must(t, f.Append([]byte("2\n")))
	must(t, files.Remove(path))
	must(t, f.Append([]byte("3\n")))
	if got := content(t, files, path); got != "3\n" {
		t.Errorf("%q", got)
	}
}

// Who empties the file while it is open takes what was in it; what could not be
// written behind that leaves no hole.
func TestEmptied(t *testing.T) {
	files := worldtest.NewFS()
	f := New(files, path, Options{})
	must(t, f.Append([]byte("first\n")))
	other, err := files.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	must(t, err)
	must(t, other.Close())
	files.Space(3)
	if err := f.Append([]byte("second\n")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v", err)
	}
	files.Space(-1)
	must(t, f.Append([]byte("second\n")))
	if got := content(t, files, path); got != "second\n" || f.Size() != 7 {
		t.Errorf("%q, size %d", got, f.Size())
	}
}

func TestUnusable(t *testing.T) {
	files := worldtest.NewFS()
	must(t, files.MkdirAll(path, 0o755))
	if err := New(files, path, Options{}).Open(); !Unusable(err) {
		t.Errorf("a directory: %v", err)
	}
	files.FailNth(worldtest.OpOpen, 1, syscall.EIO)
	if err := New(files, path+"/x", Options{}).Open(); err == nil || Unusable(err) {
		t.Errorf("a broken disk: %v", err)
	}
}

// Whatever fails and whenever the power goes: every line of an Append that has
// returned is there, no line is cut, and order stays.
func TestCrashAnywhere(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 3))
		files := worldtest.NewFS()
		newFile := func() *File { return New(files, path, Options{MaxBytes: 60, Keep: 1000}) }
		f := newFile()
		acknowledged, next := 0, 0
		for range 30 {
			if random.IntN(4) == 0 {
				ops := []worldtest.Op{worldtest.OpWrite, worldtest.OpSync, worldtest.OpTruncate, worldtest.OpRename, worldtest.OpOpen, worldtest.OpSyncDir, worldtest.OpMkdir, worldtest.OpStat}
				files.FailNth(ops[random.IntN(len(ops))], int64(1+random.IntN(3)), worldtest.ShortWrite{Bytes: random.IntN(6), Err: syscall.EIO})
			}
			var batch []byte
			next = acknowledged
			for range 1 + random.IntN(4) {
				batch = fmt.Appendf(batch, "%d\n", next)
				next++
			}
			if f.Append(batch) == nil {
				acknowledged = next
			}
			if random.IntN(6) == 0 {
				files.Fault(nil)
				files.Crash(func(_ string, unsynced int) int { return random.IntN(unsynced + 1) })
				f = newFile()
			}
		}
		files.Fault(nil)
		files.Crash(nil)
		must(t, newFile().Open())
		have := map[string]bool{}
		entries, err := files.ReadDir(filepath.Dir(path))
		must(t, err)
		for _, entry := range entries {
			text := content(t, files, filepath.Join(filepath.Dir(path), entry.Name()))
			if strings.Contains(entry.Name(), "unsynced") {
				text = text[:strings.LastIndexByte(text, '\n')+1]
			}
			last := -1
			for line := range bytes.Lines([]byte(text)) {
				var n int
				if _, err := fmt.Sscanf(string(line), "%d\n", &n); err != nil || n < last-4 {
					t.Fatalf("seed %d: %s holds %q", seed, entry.Name(), text)
				}
				last = n
				have[strings.TrimSpace(string(line))] = true
			}
		}
		for n := range acknowledged {
			if !have[fmt.Sprint(n)] {
				t.Fatalf("seed %d: line %d of %d is lost", seed, n, acknowledged)
			}
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	f := New(world.OS().FS, filepath.Join(b.TempDir(), "lines"), Options{MaxBytes: 16 << 20})
	defer f.Close()
	batch := bytes.Repeat([]byte(`{"rule":{"level":3},"data":{"x":"y"}}`+"\n"), 1000)
	b.SetBytes(int64(len(batch)))
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Append(batch); err != nil {
			b.Fatal(err)
		}
	}
}
