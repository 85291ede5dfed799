package state

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func at(offset int64) Checkpoint {
	return Checkpoint{Source: "source.file.a", Sink: "sink.kafka.b", Position: component.Position{Generation: "g", Offset: offset, Path: "/x"}}
}

func open(t *testing.T, path string) (*Dir, []string) {
	t.Helper()
	d, warnings, err := Open(world.OS().FS, path, "p")
	if err != nil {
		t.Fatal(err)
	}
	return d, warnings
}

func save(t *testing.T, d *Dir, offset int64) {
	t.Helper()
	if err := d.Save([]Checkpoint{at(offset)}); err != nil {
		t.Fatal(err)
	}
}

func offset(d *Dir) int64 { return d.Checkpoints("source.file.a")["sink.kafka.b"].Offset }

func TestCheckpointsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	for i := range int64(10) {
		save(t, d, i*100)
	}
	other := Checkpoint{Source: "source.file.gone", Sink: "sink.kafka.b", Position: component.Position{Offset: 7}}
	if err := d.Save([]Checkpoint{other}); err != nil {
		t.Fatal(err)
	}
	d, warnings := open(t, dir)
	if offset(d) != 900 || len(warnings) != 0 {
		t.Errorf("offset %d, warnings %v", offset(d), warnings)
	}
	if d.Checkpoints("source.file.gone")["sink.kafka.b"].Offset != 7 {
		t.Error("a checkpoint that belongs to no component any more was not kept")
	}
}

// A loss of power does not take the directory that the checkpoints are in.
func TestTheStateDirectoryLasts(t *testing.T) {
	files := worldtest.NewFS()
	const path = "/var/lib/etl/p"
	if err := files.MkdirAll(path, 0o750); err != nil { // Lock does
		t.Fatal(err)
	}
	d, _, err := Open(files, path, "p")
	if err != nil {
		t.Fatal(err)
	}
	save(t, d, 100)
	if err := d.Component("source.file.a").Set("k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	files.Crash(nil)
	d, _, err = Open(files, path, "p")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Component("source.file.a").Get("k"); !ok || offset(d) != 100 {
		t.Errorf("after a loss of power: offset %d, component state %v", offset(d), ok)
	}
}

// A process is killed before its checkpoint is synced; the next one begins
// there, and what it begins with outlives a loss of power.
func TestWhatIsLoadedLasts(t *testing.T) {
	files := worldtest.NewFS()
	open := func() *Dir {
		d, _, err := Open(files, "/state", "p")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	save(t, d, 100)
	files.FailNth(worldtest.OpSync, 1, syscall.EIO)
	if err := d.Save([]Checkpoint{at(200)}); err == nil {
		t.Fatal("the sync did not fail")
	}
	files.Fault(nil)
	if got := offset(open()); got != 200 {
		t.Fatalf("began at %d, want what is in the file", got)
	}
	files.Crash(nil)
	if got := offset(open()); got != 200 {
		t.Errorf("after a loss of power: %d, while a process has begun at 200", got)
	}
}

// Whatever byte of the slot that was written last is torn or flipped, the one
// before it counts; never garbage, never an error.
func TestATornSlotLeavesTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	save(t, d, 100)
	save(t, d, 200)
	names := []string{filepath.Join(dir, "checkpoints.a"), filepath.Join(dir, "checkpoints.b")}
	newest := names[0] // the second save has sequence number 2
	whole, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	_, data, ok := unpack(whole)
	if !ok {
		t.Fatal("the newest slot is not whole")
	}
	whole = whole[:header+len(data)]
	try := func(what string, raw []byte) {
		t.Helper()
		if err := os.WriteFile(newest, raw, 0o640); err != nil {
			t.Fatal(err)
		}
		d, _ := open(t, dir)
		if got := offset(d); got != 100 && got != 200 {
			t.Fatalf("%s: offset %d, want 100 or 200", what, got)
		}
	}
	for i := range whole {
		try(fmt.Sprint("torn at ", i), whole[:i])
		flipped := append([]byte(nil), whole...)
		flipped[i] ^= 0x10
		try(fmt.Sprint("flipped at ", i), flipped)
	}
	try("zeros", make([]byte, len(whole)))
}

func TestDamagedStateIsSaidAndNotUsed(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	save(t, d, 100)
	save(t, d, 200)
	for _, s := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, "checkpoints."+s), []byte("garbage"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	d, warnings := open(t, dir)
	if len(warnings) != 1 || !strings.Contains(warnings[0], "damaged") || offset(d) != 0 {
		t.Errorf("warnings %q, offset %d", warnings, offset(d))
	}
	save(t, d, 300)
	if d, warnings = open(t, dir); offset(d) != 300 || len(warnings) != 0 {
		t.Errorf("after a new save: warnings %q, offset %d", warnings, offset(d))
	}
}

func TestStoreIsDurable(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	s := d.Component(`source.wazuh_agents.fleet["a/b"]`)
	for i := range 5 {
		if err := s.Set(fmt.Sprint("k", i), []byte{byte(i), 0xff}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete("k3"); err != nil {
		t.Fatal(err)
	}
	d, _ = open(t, dir)
	s = d.Component(`source.wazuh_agents.fleet["a/b"]`)
	if v, ok := s.Get("k4"); !ok || v[0] != 4 || v[1] != 0xff {
		t.Errorf("k4 is %v", v)
	}
	if got := strings.Join(s.Keys(), " "); got != "k0 k1 k2 k4" {
		t.Errorf("keys %s", got)
	}
}

func TestASecondProcessIsToldWhoHasTheState(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("got %v, want an error that names process %d", err, os.Getpid())
	}
	unlock()
	unlock, err = Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("etl1"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, data, ok := unpack(raw); ok && len(data)+header > len(raw) {
			t.Error("more data than there is")
		}
	})
}
