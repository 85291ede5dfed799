package model

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var (
	update = flag.Bool("update", false, "write the traces under testdata")
	long   = os.Getenv("ETL_MODEL") == "long" // larger worlds: many minutes, and 10 GiB of memory
)

// The worlds are small, each around one part of the protocol. Crashes are not bounded.
var (
	delivery = bounds{lines: 3, generations: 1, lot: 2, feed: 1, queue: 1, window: 1, poison: 2}
	storing  = bounds{lines: 3, generations: 1, lot: 2, feed: 1, queue: 1, window: 1, plain: true, torn: true}
	windows  = bounds{lines: 3, generations: 1, lot: 1, feed: 1, queue: 2, window: 2, cut: true}
	errors   = bounds{lines: 3, generations: 1, lot: 3, feed: 2, queue: 1, window: 1, bad: 2, poison: 1, lazy: true}
	rotation = bounds{lines: 3, generations: 2, lot: 2, feed: 1, queue: 1, window: 1, plain: true, compress: true, halves: true}
	atEnd    = bounds{lines: 3, generations: 2, lot: 1, feed: 1, queue: 1, window: 1, plain: true, startAtEnd: true}
	copying  = bounds{lines: 3, generations: 3, lot: 1, feed: 1, queue: 1, window: 1, plain: true, copies: true}
	seenGone = bounds{lines: 4, generations: 3, lot: 2, feed: 1, queue: 2, window: 1, plain: true, copies: true} // what was read is not in the copy
	deleting = bounds{lines: 3, generations: 3, lot: 1, feed: 1, queue: 1, window: 1, plain: true, deletes: true}
	replaced = bounds{lines: 3, generations: 1, lot: 1, feed: 1, queue: 1, window: 2, reloads: 1, replace: true}
	going    = bounds{lines: 3, generations: 1, lot: 1, feed: 1, queue: 1, window: 1, reloads: 1, remove: true}
	coming   = bounds{lines: 2, generations: 1, lot: 1, feed: 1, queue: 1, window: 1, reloads: 1, add: true}
	sources  = bounds{lines: 3, generations: 2, lot: 1, feed: 1, queue: 1, window: 1, plain: true, reloads: 1, source: true}
	moved    = bounds{lines: 3, generations: 1, lot: 1, feed: 1, queue: 1, window: 1, plain: true, reloads: 1, move: true}
	alone    = bounds{lines: 3, generations: 2, lot: 2, feed: 1, queue: 1, window: 1, plain: true, detach: true}
	refusing = bounds{lines: 3, generations: 1, lot: 1, feed: 1, queue: 1, window: 1, poison: 1, detach: true}
	again    = bounds{lines: 4, generations: 1, lot: 1, feed: 1, queue: 1, window: 1, plain: true, detach: true}
	operated = bounds{lines: 3, generations: 1, lot: 2, feed: 1, queue: 1, window: 1, plain: true, detach: true, reloads: 1, replace: true, remove: true, source: true}
)

var worlds = []struct {
	name string
	bounds
	grow func(*bounds) // for the long run
}{
	{"delivery", delivery, func(b *bounds) { b.torn, b.cut = true, true }},
	{"storing", storing, func(b *bounds) { b.lines, b.cut = 4, true }},
	{"windows", windows, func(b *bounds) { b.lines, b.plain = 4, true }},
	{"errors", errors, func(b *bounds) { b.cut = true }},
	{"rotation", rotation, func(b *bounds) { b.plain = false }},
	{"start at the end", atEnd, func(b *bounds) { b.lines, b.lot = 4, 2 }},
	{"copy and truncate", copying, func(b *bounds) { b.lines = 4 }},
	{"removed files", deleting, func(b *bounds) { b.lines = 4 }},
	{"a sink is replaced", replaced, func(b *bounds) { b.lines, b.reloads, b.cut, b.plain = 4, 2, true, true }},
	{"a sink is removed", going, func(b *bounds) { b.lot, b.window = 2, 2 }},
	{"a sink is added", coming, func(b *bounds) { b.lines, b.plain = 3, true }},
	{"the source is replaced", sources, func(b *bounds) { b.lot, b.reloads = 2, 2 }},
	{"the source reads another file", moved, func(b *bounds) { b.lot, b.reloads = 2, 2 }},
	{"detached", alone, func(b *bounds) { b.lines = 4 }},
	{"detached, and refusing", refusing, func(b *bounds) { b.generations, b.lot = 2, 2 }},
	{"detached, and the operator", operated, func(b *bounds) { b.generations, b.cut = 2, true }},
}

// In every state that can be reached, every invariant holds.
func TestEveryState(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine and much arithmetic: nothing for the race detector")
	}
	var mu sync.Mutex
	states, ran := 0, 0
	var seen [rests]bool
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			m := &model{bounds: w.bounds}
			if long {
				w.grow(&m.bounds)
			} else {
				t.Parallel()
			}
			f := m.search()
			t.Logf("%d states, %d steps between them; the one farthest off is %d steps away", f.states, f.steps, f.depth)
			if f.broken != "" {
				t.Errorf("%s\n%s", f.broken, m.tell(f))
			}
			mu.Lock()
			defer mu.Unlock()
			states += f.states
			ran++
			for what := range seen {
				seen[what] = seen[what] || f.seen[what]
			}
		})
	}
	t.Cleanup(func() { // after the parallel ones
		t.Logf("%d states in all", states)
		for what, ok := range seen {
			if !ok && kind(what) != looksAt && ran == len(worlds) && !t.Failed() { // which is one fault's way
				t.Errorf("a world in which this happens is missing: %s", step{what: kind(what)}.words(&state{}))
			}
		}
	})
}

// Each planted fault breaks an invariant; the shortest way there is kept in testdata.
func TestFaultsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine and much arithmetic: nothing for the race detector")
	}
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			m := &model{bounds: p.world, fault: p.fault}
			f := m.search()
			if f.broken == "" {
				t.Fatalf("not found in %d states", f.states)
			}
			got := fmt.Sprintf("%s\n\n%s", p.name, m.tell(f))
			golden := filepath.Join("testdata", p.file()+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("found another way (-update keeps it):\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
