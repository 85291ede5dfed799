package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// store is the content of all files below the state directory.
type store map[string][]byte

func save(t testing.TB, files world.FS, dir string) store {
	t.Helper()
	s := store{}
	entries, err := files.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if e.IsDir() {
			for k, v := range save(t, files, name) {
				s[k] = v
			}
			continue
		}
		if s[name], err = files.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s store) restore(t testing.TB) *machine {
	t.Helper()
	m := memory()
	for name, content := range s {
		if err := m.files.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		f, err := m.files.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o640)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(content)
		f.Close()
	}
	return m
}

// small makes a store of 24 records in two segments, and says which number comes next.
func small(t testing.TB) (store, int64) {
	m := memory()
	l, _ := m.start(t, big)
	put(t, l, 0, 4)
	put(t, l, 4, 5)
	put(t, l, 5, 12)
	l.Close()
	l, _ = m.start(t, big)
	put(t, l, 12, 16)
	put(t, l, 16, 24)
	next := l.next
	l.Close()
	return save(t, m.files, m.root), next
}

// judge opens a damaged store and wants: what it gives is true and in order,
// what it does not give is counted, and no number is used twice.
func judge(t *testing.T, what string, s store, all, next int64) (lost int64) {
	t.Helper()
	m := s.restore(t)
	l, c := m.start(t, big)
	if l.next < next {
		t.Errorf("%s: numbering goes on at %d, %d was used", what, l.next, next-1)
	}
	got := drain(t, l)
	if !slices.IsSorted(got.numbers) || len(slices.Compact(slices.Clone(got.numbers))) != len(got.numbers) {
		t.Errorf("%s: %v", what, got.numbers)
	}
	lost = c.of(Lost)
	if int64(len(got.numbers))+lost != all {
		t.Errorf("%s: %d records, and %d reported lost, of %d", what, len(got.numbers), lost, all)
	}
	l.end(false)
	put(t, l, 100, 103)
	l.Close()
	l, c = m.start(t, big)
	again := drain(t, l)
	if c.of(Lost) != 0 || len(again.numbers) != len(got.numbers)+3 {
		t.Errorf("%s: the next start has %d records, had %d, and reports %d lost", what, len(again.numbers), len(got.numbers), c.of(Lost))
	}
	l.Close()
	return lost
}

func TestEachFlippedByte(t *testing.T) {
	s, next := small(t)
	worst, flipped := int64(0), 0
	for name, content := range s {
		if strings.Contains(name, "checkpoints") {
			continue
		}
		for at := range bytes.TrimRight(content, "\x00") { // behind it is room for a value to grow
			for _, flip := range []byte{0x01, 0x80, 0xff} {
				content[at] ^= flip
				worst = max(worst, judge(t, fmt.Sprintf("%s byte %d ^ %x", filepath.Base(name), at, flip), s, 24, next))
				content[at] ^= flip
				if t.Failed() {
					t.FailNow()
				}
			}
			flipped++
		}
	}
	if worst != 1 || flipped < 4000 {
		t.Errorf("a byte cost up to %d records, %d bytes flipped", worst, flipped)
	}
}

// Whole pieces of a store that are zeros, or another's, cost what was in them.
func TestEachZeroedPiece(t *testing.T) {
	s, next := small(t)
	for name, content := range s {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		for at := 0; at < len(content); at += 37 {
			piece := content[at:min(at+600, len(content))]
			was := bytes.Clone(piece)
			clear(piece)
			judge(t, fmt.Sprintf("%s from %d", filepath.Base(name), at), s, 24, next)
			copy(piece, was)
		}
	}
}

func TestSegmentsThatAreGoneOrCutAreCounted(t *testing.T) {
	s, next := small(t)
	for name, content := range s {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		delete(s, name)
		if lost := judge(t, "without "+filepath.Base(name), s, 24, next); lost != 12 {
			t.Errorf("%d reported lost, want 12", lost)
		}
		for size := 0; size < len(content); size += 13 {
			s[name] = content[:size]
			judge(t, fmt.Sprintf("%s cut at %d", filepath.Base(name), size), s, 24, next)
		}
		s[name] = content
	}
}

// Where the state is lost, the files say what is in them.
func TestStateThatIsGone(t *testing.T) {
	s, next := small(t)
	for name := range s {
		if !strings.HasSuffix(name, suffix) {
			delete(s, name)
		}
	}
	if lost := judge(t, "without state", s, 24, next); lost != 0 {
		t.Errorf("%d reported lost", lost)
	}
}

// Who looks at a queue while it is used, and has read the numbers before segments
// were removed, tells of no gap; one that is there is told.
func TestLookWhileItIsUsed(t *testing.T) {
	s, _ := small(t)
	before := s.restore(t)
	host := before.host(t)
	numbers := host.State // as they were
	if _, err := Look(before.files, host.StateDir, numbers); err != nil {
		t.Fatal(err)
	}
	l, _ := before.start(t, big)
	drain(t, l)
	l.Forget(component.Position{Generation: l.generation(), Offset: l.next})
	stale, err := Look(before.files, host.StateDir, numbers)
	if err != nil || len(stale.Missing) == 0 {
		t.Fatalf("what is to be tested is not there: %v, %v", err, stale)
	}
	later, err := Look(before.files, host.StateDir, before.host(t).State)
	if err != nil {
		t.Fatal(err)
	}
	stale.Confirm(later)
	if len(stale.Missing) > 0 {
		t.Errorf("missing %v", stale.Missing)
	}
	l.Close()

	for name := range s {
		if strings.HasSuffix(name, suffix) {
			delete(s, name)
			break
		}
	}
	damaged := s.restore(t)
	host = damaged.host(t)
	one, err := Look(damaged.files, host.StateDir, host.State)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Look(damaged.files, host.StateDir, host.State)
	if err != nil {
		t.Fatal(err)
	}
	one.Confirm(two)
	if len(one.Missing) != 1 || one.Missing[0].Count() != 12 {
		t.Errorf("missing %v, want 12", one.Missing)
	}
}

// A segment that a process at work removes between a look and the reading is none that is missed: all
// sinks have what was in it. The rest is given.
func TestASegmentGoesWhileItIsLookedAt(t *testing.T) {
	s, _ := small(t)
	m := s.restore(t)
	host := m.host(t)
	store, err := Look(m.files, host.StateDir, host.State)
	if err != nil || store.Records != 24 {
		t.Fatal(store, err)
	}
	if err := m.files.Remove(store.contents.segments[0].name); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := store.Each(func(*Record) error { n++; return nil }); err != nil || n != 12 {
		t.Errorf("%d records of 12, %v", n, err)
	}
	if behind, err := store.Behind(component.Position{Generation: store.Generation}); err != nil || behind != 12 {
		t.Errorf("%d records of 12 to come, %v", behind, err)
	}
}

func TestADamagedSegmentIsCopiedAside(t *testing.T) {
	s, _ := small(t)
	for name, content := range s {
		if strings.HasSuffix(name, suffix) {
			content[len(content)/2] ^= 1
			m := s.restore(t)
			l, _ := m.start(t, big)
			l.Close()
			aside := filepath.Join(l.dir, "damaged", filepath.Base(name))
			if got, err := m.files.ReadFile(aside); err != nil || !bytes.Equal(got, content) {
				t.Errorf("the copy: %v", err)
			}
			content[len(content)/2] ^= 1
		}
	}
}

// An event can't pretend to be part of the log, not even where the log around it is damaged.
func TestAnEventThatLooksLikeALog(t *testing.T) {
	m := memory()
	l, _ := m.start(t, big)
	fake := newMark([8]byte{1, 2, 3, 4, 5, 6, 7, 8})
	inner, err := fake.block(nil, lot(50, 60), lot(50, 60).Lines, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	evil := lot(0, 1)
	evil.Data, evil.Lines[0].End = inner, len(inner)
	if err := l.Emit(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for name, content := range save(t, m.files, l.dir) {
		if blocks, _ := l.mark.scan(content); len(blocks) != 1 || blocks[0].count != 1 {
			t.Errorf("%s: %d blocks", name, len(blocks))
		}
	}
}

// Power is lost at every operation in turn, with any part of what was not
// synced: nothing that was acknowledged is lost, and what is there is in order.
func TestPowerLossAtEveryOperation(t *testing.T) {
	limits := big
	limits.MaxBytes = 512 << 10 // several segments
	for n := int64(1); ; n++ {
		files := worldtest.NewFS()
		m := &machine{files: files, root: "/state"}
		ctx, dead := context.WithCancel(t.Context())
		host := m.host(t)
		c := &counts{}
		l := New(limits, c.add)
		var ops atomic.Int64
		files.Fault(func(op worldtest.Op, _ string) error {
			if op == worldtest.OpStat || op == worldtest.OpRead {
				return nil
			}
			if ops.Add(1) < n {
				return nil
			}
			dead()
			return errors.New("no power")
		})
		acked := int64(0)
		if err := l.open(host); err == nil {
			for k := int64(0); k < 15 && ctx.Err() == nil; k++ {
				next := acked + 200 + k
				if l.Emit(ctx, lot(acked, next)) != nil {
					break
				}
				acked = next
			}
		}
		l.Close()
		alive := ctx.Err() == nil
		dead()
		random := rand.New(rand.NewPCG(uint64(n), 0))
		files.Crash(func(_ string, unsynced int) int { return random.IntN(unsynced + 1) })
		files.Fault(nil)
		l, c = m.start(t, limits)
		got := drain(t, l)
		want(t, fmt.Sprintf("operation %d: %d acknowledged", n, acked), got.numbers, 0, max(acked, int64(len(got.numbers))))
		if lost := c.of(Lost); lost != 0 {
			t.Errorf("operation %d: %d reported lost", n, lost)
		}
		l.Close()
		if alive {
			if n < 40 {
				t.Errorf("only %d operations", n)
			}
			return
		}
	}
}

// A sync that fails is not tried again on the same file; everything is written again elsewhere.
func TestFailedSyncsAndWrites(t *testing.T) {
	for _, op := range []worldtest.Op{worldtest.OpSync, worldtest.OpWrite} {
		for n := int64(1); n < 12; n++ {
			synctest.Test(t, func(t *testing.T) {
				files := worldtest.NewFS()
				m := &machine{files: files, root: "/state"}
				l, c := m.start(t, big)
				put(t, l, 0, 10)
				failed, count := "", int64(0)
				files.Fault(func(o worldtest.Op, name string) error {
					if o == op && name == failed && strings.HasSuffix(name, suffix) {
						t.Errorf("%s of %s again after it has failed", o, name)
					}
					if o == op {
						if count++; count == n {
							failed = name
							return syscall.EIO
						}
					}
					return nil
				})
				for k := int64(1); k < 10; k++ {
					put(t, l, k*10, k*10+10)
				}
				files.Fault(nil)
				want(t, "at once", drain(t, l).numbers, 0, 100)
				l.Close()
				l, lost := m.start(t, big)
				want(t, "after a restart", drain(t, l).numbers, 0, 100)
				if c.of(Lost)+lost.of(Lost) != 0 {
					t.Errorf("%s %d: reported lost %d", op, n, lost.of(Lost))
				}
				l.Close()
			})
		}
	}
}

func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := worldtest.NewFS()
		var log bytes.Buffer
		m := &machine{files: files, root: "/state", log: &log}
		host := m.host(t)
		var health atomic.Value
		host.Health = func(err error) { health.Store(fmt.Sprint(err)) }
		l := New(big, (&counts{}).add)
		if err := l.open(host); err != nil {
			t.Fatal(err)
		}
		put(t, l, 0, 10)
		files.Space(2000)
		done := make(chan bool)
		go func() {
			for k := int64(1); k < 10; k++ {
				put(t, l, k*10, k*10+10)
			}
			close(done)
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("written on a full disk")
		default:
		}
		if h := fmt.Sprint(health.Load()); !strings.Contains(h, "the disk is full") {
			t.Errorf("health is %s", h)
		}
		files.Space(-1)
		<-done
		if h := fmt.Sprint(health.Load()); h != "<nil>" {
			t.Errorf("health is %s", h)
		}
		want(t, "all", drain(t, l).numbers, 0, 100)
		l.Close()
		if n := strings.Count(log.String(), "the source waits"); n != 1 {
			t.Errorf("told %d times: %s", n, log.String())
		}
		l, _ = m.start(t, big)
		want(t, "after a restart", drain(t, l).numbers, 0, 100)
		l.Close()
	})
}

// FuzzScan: nothing that stands in a file makes the scan fail.
func FuzzScan(f *testing.F) {
	m := newMark([8]byte{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'})
	b, err := m.block(nil, lot(0, 3), lot(0, 3).Lines, 1, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(append(b[:40:40], b...))
	f.Fuzz(func(t *testing.T, content []byte) {
		blocks, _ := m.scan(content)
		w := walk{}
		for i := range blocks {
			w.see(&blocks[i])
		}
		findMark(content)
	})
}

// All files are gone after a kill: what one sink had and another had not is counted all the same.
func TestFilesThatAreAllGoneAreCounted(t *testing.T) {
	for name, c := range map[string]struct{ slow, lost int64 }{"one is behind": {101, 200}, "all are through": {301, 0}} {
		t.Run(name, func(t *testing.T) {
			m := memory()
			l, _ := m.start(t, big)
			put(t, l, 0, 300)
			l.end(true)
			close(l.closed) // killed: nothing is stored
			l.commits.Wait()
			for _, s := range l.segments {
				s.close()
				if err := m.files.Remove(s.name); err != nil {
					t.Fatal(err)
				}
			}
			from := []component.Position{{Generation: l.generation(), Offset: c.slow}, {Generation: l.generation(), Offset: 301}}
			l, lost := m.start(t, big)
			defer l.Close()
			for range 2 { // a reload asks again
				r := &reader{log: l, first: true}
				if _, err := r.resume(m.host(t), from); err != nil {
					t.Fatal(err)
				}
			}
			if n := lost.of(Lost); n != c.lost {
				t.Errorf("%d lost, want %d", n, c.lost)
			}
		})
	}
}
