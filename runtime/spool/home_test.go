package spool

import (
	"errors"
	"fmt"
	"testing"

	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// A move that is cut off at any of its operations is done by the next start, or given up: whoever has the log then has all
// of it, and nobody misses anything, the source that has given it away and the one that has not got it least of all.
func TestAMoveIsCutOff(t *testing.T) {
	const before, after = "source.test.in", "source.test.renamed"
	killed := errors.New("killed")
	for _, again := range []bool{true, false} {
		for n, whole := 0, false; !whole; n++ {
			what := fmt.Sprintf("cut off behind %d operations, and done again: %v", n, again)
			m := memory()
			l, _ := m.start(t, big)
			put(t, l, 0, 20)
			l.Close() // so that the numbers say which record is the last
			used := l.next

			home := func(address string) Home {
				h := m.hostOf(t, address)
				return Home{Files: h.FS, Dir: h.StateDir, State: h.State}
			}
			from, to := home(before), home(after)
			files, left := m.files.(*worldtest.FS), n
			files.Fault(func(worldtest.Op, string) error {
				if left--; left < 0 {
					return killed
				}
				return nil
			})
			err := from.Move(to)
			whole = left >= 0
			files.Fault(nil)
			if whole && err != nil {
				t.Fatal(err)
			}
			if from, to := home(before), home(after); again && from.Kept() {
				if err := from.Move(to); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}

			records := 0
			for _, address := range []string{before, after} {
				kept := home(address).Kept()
				c := &counts{}
				l := New(big, c.add)
				if err := l.open(m.hostOf(t, address)); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				got := drain(t, l)
				records += len(got.numbers)
				if n := c.of(Lost); n != 0 {
					t.Errorf("%s: %s reports %d lost", what, address, n)
				}
				if kept && l.next < used {
					t.Errorf("%s: numbering goes on at %d, %d was used", what, l.next, used-1)
				}
				l.end(false)
				put(t, l, 100, 103)
				l.Close()
				c = &counts{}
				l = New(big, c.add)
				if err := l.open(m.hostOf(t, address)); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if more := drain(t, l); len(more.numbers) != len(got.numbers)+3 || c.of(Lost) != 0 {
					t.Errorf("%s: then %s has %d records of %d, and reports %d lost", what, address, len(more.numbers), len(got.numbers)+3, c.of(Lost))
				}
				l.Close()
			}
			if records != 20 {
				t.Errorf("%s: %d records of 20", what, records)
			}
			if n > 200 {
				t.Fatal("it never ends")
			}
		}
	}
}
