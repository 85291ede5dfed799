package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func openIn(t *testing.T, files world.FS) (*Dir, []string) {
	t.Helper()
	d, warnings, err := Open(files, "/var/lib/etl/p", "p")
	if err != nil {
		t.Fatal(err)
	}
	return d, warnings
}

// The power goes behind every operation in turn, with any part of what was not
// synced: what was stored is there, or what was about to be, and it is there to stay.
func TestEveryCrash(t *testing.T) {
	files := worldtest.Record()
	d, _ := openIn(t, files)
	keep := func(d *Dir, n int) error {
		long := strings.Repeat("x", n%4*3000) // it grows beyond its room, and shrinks
		return d.Component("source.file.a").Set("k", fmt.Appendf(nil, "%d %s", n, long))
	}
	kept := func(d *Dir) (n int) {
		v, _ := d.Component("source.file.a").Get("k")
		_, _ = fmt.Sscan(string(v), &n)
		return n
	}
	const rounds = 8
	for n := range rounds {
		save(t, d, int64(n+1)*100)
		files.Mark()
		if err := keep(d, n+1); err != nil {
			t.Fatal(err)
		}
		files.Mark()
		if n == rounds/2 { // as a process that was killed leaves it
			d, _ = openIn(t, files)
		}
	}
	crashes := 0
	for c := range files.Crashes() {
		crashes++
		d, warnings := openIn(t, c.FS)
		saved, k := int(offset(d))/100, kept(d)
		if done := (c.Marks + 1) / 2; saved != done && (c.Marks%2 == 1 || saved != done+1) {
			t.Errorf("%s: position %d, %d were stored", c.What, saved, done)
		}
		if done := c.Marks / 2; k != done && (c.Marks%2 == 0 || k != done+1) {
			t.Errorf("%s: component state %d, %d were stored", c.What, k, done)
		}
		if c.Marks > 1 && len(warnings) > 0 {
			t.Errorf("%s: %v", c.What, warnings)
		}
		save(t, d, 5000)
		c.FS.Crash(nil)
		if d, _ = openIn(t, c.FS); offset(d) != 5000 || kept(d) != k {
			t.Errorf("%s: what is stored behind it does not last: position %d, component state %d, was %d", c.What, offset(d), kept(d), k)
		}
	}
	if crashes < 500 {
		t.Errorf("only %d crashes", crashes)
	}
}

// A sync that has failed is never tried again on the same file: the file is made anew.
func TestFailedSyncIsNotRepeated(t *testing.T) {
	for _, op := range []worldtest.Op{worldtest.OpSync, worldtest.OpSyncDir} {
		for n := int64(1); n <= 4; n++ {
			files := worldtest.NewFS()
			d, _ := openIn(t, files)
			save(t, d, 100)
			if n == 4 { // the value that was loaded is what is synced
				d, _ = openIn(t, files)
			}
			_ = files.Remove("/var/lib/etl/p/checkpoints.a") // so that a directory is synced too
			var trail []string
			count := int64(0)
			files.Fault(func(o worldtest.Op, name string) error {
				if strings.Contains(name, "checkpoints") || o == worldtest.OpSyncDir {
					trail = append(trail, fmt.Sprint(o, " ", name))
				}
				if o == op {
					if count++; count <= n%4 {
						return syscall.EIO
					}
				}
				return nil
			})
			stored := 0
			for i := range int64(6) {
				err := d.Save([]Checkpoint{at(200 + i)})
				if err == nil {
					stored++
				} else if !errors.Is(err, syscall.EIO) {
					t.Fatal(err)
				}
			}
			files.Fault(nil)
			if stored == 0 || op == worldtest.OpSync && stored != int(6-n%4) {
				t.Errorf("%s %d: stored %d times: %s", op, n, stored, strings.Join(trail, ", "))
			}
			files.Crash(nil)
			if d, warnings := openIn(t, files); offset(d) != 205 || len(warnings) > 0 {
				t.Errorf("%s %d: position %d, %v", op, n, offset(d), warnings)
			}
			if i := slices.Index(trail, "remove /var/lib/etl/p/checkpoints.a"); n%4 > 0 && i < 0 {
				t.Errorf("%s %d: the file was not given up: %s", op, n, strings.Join(trail, ", "))
			}
		}
	}
}

// Room for checkpoints is there before the disk is full.
func TestRoomIsReserved(t *testing.T) {
	files := worldtest.NewFS()
	d, _ := openIn(t, files)
	files.Space(0)
	for i := range int64(40) {
		save(t, d, i)
		if err := d.Save([]Checkpoint{{Source: "source.file.b", Sink: fmt.Sprint("sink.file.", i%5)}}); err != nil {
			t.Fatal(err)
		}
	}
	files.Crash(nil)
	d, warnings := openIn(t, files)
	if offset(d) != 39 || len(warnings) > 0 {
		t.Errorf("position %d, %v", offset(d), warnings)
	}
}

// A full disk at the first start is said, and no reason not to run.
func TestNoRoom(t *testing.T) {
	files := worldtest.NewFS()
	files.Space(10)
	d, warnings := openIn(t, files)
	if len(warnings) != 1 || !strings.Contains(warnings[0], "no room for checkpoints") {
		t.Errorf("warnings %q", warnings)
	}
	if err := d.Save([]Checkpoint{at(1)}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	files.Space(-1)
	save(t, d, 2)
	if d, _ = openIn(t, files); offset(d) != 2 {
		t.Errorf("position %d", offset(d))
	}
}

// Who removes files of a running process, or all, or empties them, takes only what was in them.
func TestStateRemovedWhileItIsUsed(t *testing.T) {
	for what, harm := range map[string]func(files *worldtest.FS, name string){
		"removed": func(files *worldtest.FS, name string) { _ = files.Remove(name) },
		"emptied": func(files *worldtest.FS, name string) {
			if f, err := files.OpenFile(name, 2, 0); err == nil {
				_ = f.Truncate(0)
				f.Close()
			}
		},
	} {
		files := worldtest.NewFS()
		d, _ := openIn(t, files)
		store := d.Component("source.file.a")
		for i := range int64(3) {
			save(t, d, i)
			if err := store.Set("k", []byte("v")); err != nil {
				t.Fatal(err)
			}
		}
		const dir = "/var/lib/etl/p"
		for _, name := range []string{"/checkpoints.a", "/checkpoints.b", "/components/source.file.a.state.a", "/components/source.file.a.state.b", "/components", ""} {
			harm(files, dir+name)
		}
		save(t, d, 100)
		if err := store.Set("k", []byte("w")); err != nil {
			t.Fatal(err)
		}
		files.Crash(nil)
		d, warnings := openIn(t, files)
		if v, _ := d.Component("source.file.a").Get("k"); offset(d) != 100 || string(v) != "w" || len(warnings) > 0 {
			t.Errorf("%s: position %d, component state %q, %v", what, offset(d), v, warnings)
		}
	}
}

// A component's store that is damaged is said.
func TestDamagedStoreIsSaid(t *testing.T) {
	files := worldtest.NewFS()
	d, _ := openIn(t, files)
	save(t, d, 1)
	if err := d.Component("source.file.a").Set("k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"a", "b"} {
		f, err := files.OpenFile("/var/lib/etl/p/components/source.file.a.state."+s, 0x41, 0o640)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("garbage")); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	d, warnings := openIn(t, files)
	if len(warnings) != 1 || !strings.Contains(warnings[0], "what source.file.a keeps in /var/lib/etl/p is damaged") || offset(d) != 1 {
		t.Errorf("warnings %q, position %d", warnings, offset(d))
	}
	if _, ok := d.Component("source.file.a").Get("k"); ok {
		t.Error("a damaged store has something in it")
	}
}
