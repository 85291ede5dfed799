package spool

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// The power goes behind every operation in turn, with any part of what was not
// synced, and writes torn anywhere: what was acknowledged and is not forgotten is there, in order, nothing
// is reported missing, and numbering goes on behind it.
func TestEveryCrash(t *testing.T) {
	files := worldtest.Record()
	m := &machine{files: files, root: "/state"}
	limits := plan.Queue{MaxBytes: 512 << 10, WhenFull: plan.Block, Disk: true} // segments of 64 KiB
	const each, rounds = 500, 7
	l, _ := m.start(t, limits)
	for n := range int64(rounds) {
		put(t, l, n*each, (n+1)*each)
		files.Mark()
		switch n {
		case 3: // the first segment goes
			l.Forget(component.Position{Generation: l.generation(), Offset: l.next - 10})
		case 5: // a clean stop
			l.Close()
			l, _ = m.start(t, limits)
		}
	}
	segments := len(l.segments)
	l.Close()
	if segments < 2 {
		t.Fatalf("only %d segments", segments)
	}
	crashes, stride := 0, 1
	if testing.Short() {
		stride = 5 // each landing behind every fifth operation, and so on in turn
	}
	for c := range files.Crashes() {
		if crashes++; crashes%stride != 0 {
			continue
		}
		l, lost := (&machine{files: c.FS, root: "/state"}).start(t, limits)
		got := drain(t, l).numbers
		// What was acknowledged is the numbers from first on, up to acked; behind it there may be some of the next lot.
		acked, first := int64(c.Marks)*each, int64(0)
		if len(got) > 0 && got[0] < acked {
			first = got[0]
		}
		if first > 4*each-10 || c.Marks < 4 && first > 0 || int64(len(got)) < acked-first {
			t.Fatalf("%s: %d acknowledged, %d there, the first is %d", c.What, acked, len(got), first)
		}
		want(t, c.What, got[:acked-first], first, acked)
		rest := got[acked-first:]
		if !slices.IsSorted(rest) || len(rest) > 0 && (rest[0] < acked || rest[len(rest)-1] >= acked+each) {
			t.Fatalf("%s: behind %d acknowledged there are %v", c.What, acked, rest)
		}
		// A write that has landed but for its beginning can't be told from damage: it may be counted.
		if n := lost.of(Lost); n > 0 && (len(rest) == 0 || rest[0] == acked || acked+n != rest[0]) {
			t.Fatalf("%s: %d reported lost, behind %d acknowledged there are %v", c.What, n, acked, rest)
		}
		l.end(false)
		put(t, l, acked+each, acked+each+3)
		l.Close()
		c.FS.Crash(nil)
		l, lost = (&machine{files: c.FS, root: "/state"}).start(t, limits)
		again := drain(t, l).numbers
		if n := lost.of(Lost); n != 0 || !slices.Equal(again[:len(got)], got) {
			t.Fatalf("%s, and a start: %d reported lost, %d there", c.What, n, len(again))
		}
		want(t, c.What+", and a start", again[len(got):], acked+each, acked+each+3)
		l.Close()
	}
	if crashes < 500 {
		t.Errorf("only %d crashes", crashes)
	}
}

// Who removes the queue of a running process takes nothing from that process.
// What only it had is counted by the next one.
func TestQueueRemovedWhileItIsUsed(t *testing.T) {
	files := worldtest.NewFS()
	var log strings.Builder
	m := &machine{files: files, root: "/state", log: &log}
	l, _ := m.start(t, big)
	put(t, l, 0, 10)
	for _, dir := range []string{l.dir, filepath.Join("/state", "components")} {
		entries, err := files.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			_ = files.Remove(filepath.Join(dir, e.Name()))
		}
		_ = files.Remove(dir)
	}
	put(t, l, 10, 20)
	if !strings.Contains(log.String(), "a segment of the queue was removed while it is used") {
		t.Errorf("the log is %s", log.String())
	}
	want(t, "at once", drain(t, l).numbers, 0, 20)
	next, lost := m.start(t, big) // the first one was killed
	want(t, "the next process", drain(t, next).numbers, 10, 20)
	if n := lost.of(Lost); n != 10 {
		t.Errorf("%d reported lost, want 10", n)
	}
	next.Close()
	l.Close()
}
