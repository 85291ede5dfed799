package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/world"
)

func TestLookMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, _, err := Look(world.OS().FS, dir, "p"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory was made")
	}
}

func TestLook(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	before := time.Now().Add(-time.Minute)
	save(t, d, 100)
	address := `source.file.a["x/y"]`
	if err := d.Component(address).Set("key", []byte("value")); err != nil {
		t.Fatal(err)
	}
	own := d.ComponentDir("sink.nats.b")
	if err := os.MkdirAll(filepath.Join(own, "deep"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(own, "deep", "f"), make([]byte, 1000), 0o640); err != nil {
		t.Fatal(err)
	}
	l, warnings, err := Look(world.OS().FS, dir, "p")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if l.Modified().Before(before) || offset(l) != 100 {
		t.Errorf("modified %s, offset %d", l.Modified(), offset(l))
	}
	got, err := l.Stored()
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i].Bytes == 0 {
			t.Errorf("%s has no bytes", got[i].Address)
		}
	}
	want := []Stored{{Address: "sink.nats.b", Bytes: 1000, Dir: own}, {Address: address, Keys: 1, Bytes: got[1].Bytes}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMoveAndDelete(t *testing.T) {
	dir := t.TempDir()
	d, _ := open(t, dir)
	save(t, d, 100)
	if err := d.Move("source.file.a", "source.file.new"); err != nil {
		t.Fatal(err)
	}
	d, _ = open(t, dir)
	if all := d.All(); len(all) != 1 || all[0].Source != "source.file.new" || all[0].Offset != 100 {
		t.Errorf("after the move: %v", all)
	}
	if err := d.Delete([]Checkpoint{{Source: "source.file.new", Sink: "sink.kafka.b"}}); err != nil {
		t.Fatal(err)
	}
	d, _ = open(t, dir)
	if all := d.All(); len(all) != 0 {
		t.Errorf("after the deletion: %v", all)
	}
}

func TestHolder(t *testing.T) {
	dir := t.TempDir()
	if pid := Holder(dir); pid != "" {
		t.Errorf("held by %q", pid)
	}
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if pid := Holder(dir); pid != fmt.Sprint(os.Getpid()) {
		t.Errorf("held by %q", pid)
	}
	unlock()
	if pid := Holder(dir); pid != "" {
		t.Errorf("held by %q behind the end", pid)
	}
}
