package spool

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// big is more than any test writes.
var big = plan.Queue{MaxEvents: 10_000, MaxBytes: 1 << 30, WhenFull: plan.Block, Disk: true}

// counts are what a log dropped, by reason.
type counts struct {
	mu sync.Mutex
	n  map[string]int64
}

func (c *counts) add(reason string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int64{}
	}
	c.n[reason] += n
}

func (c *counts) of(reason string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[reason]
}

// machine is where a log lives: files that can fail, and the state beside them.
type machine struct {
	files world.FS
	root  string
	log   io.Writer
}

func memory() *machine { return &machine{files: worldtest.NewFS(), root: "/state"} }

func (m *machine) host(t testing.TB) *component.Host {
	t.Helper()
	return m.hostOf(t, "source.test.in")
}

func (m *machine) hostOf(t testing.TB, address string) *component.Host {
	t.Helper()
	d, _, err := state.Open(m.files, m.root, "test")
	if err != nil {
		t.Fatal(err)
	}
	out := m.log
	if out == nil {
		out = io.Discard
	}
	return &component.Host{
		World: world.World{FS: m.files, Now: time.Now}, Address: address,
		Log: slog.New(slog.NewTextHandler(out, nil)), StateDir: d.ComponentDir(address), State: d.Component(address), Health: func(error) {},
	}
}

// start opens a log.
func (m *machine) start(t testing.TB, limits plan.Queue) (*Log, *counts) {
	t.Helper()
	c := &counts{}
	l := New(limits, c.add)
	if err := l.open(m.host(t)); err != nil {
		t.Fatal(err)
	}
	return l, c
}

func place(offset int64) document.Value {
	return document.NewObject([]document.Member{{Name: "at", Value: document.NewInt(offset)}})
}

// lot holds the numbers from from to before to.
func lot(from, to int64) *component.Lot {
	l := component.NewLot()
	l.Stream = &event.Stream{Source: "source.test.in", Generation: "run-1", File: "/the/file", Position: place}
	l.Received = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for n := from; n < to; n++ {
		at := len(l.Data)
		l.Data = fmt.Appendf(l.Data, `{"n":%d,"pad":"%s"}`, n, strings.Repeat("x", int(n%40)))
		line := component.Line{Start: at, End: len(l.Data), Offset: 1000 + n}
		if n%10 == 3 {
			line.Failure = &event.Failure{Code: "not_json", Message: fmt.Sprint("bad ", n)}
		}
		l.Lines = append(l.Lines, line)
	}
	return l
}

func put(t testing.TB, l *Log, from, to int64) {
	t.Helper()
	if err := l.Emit(context.Background(), lot(from, to)); err != nil {
		t.Fatal(err)
	}
}

// taker is an output that checks what it gets and keeps the numbers.
type taker struct {
	t       testing.TB
	mu      sync.Mutex
	numbers []int64
	last    component.Position
	block   chan struct{} // Emit waits for it, if set
}

func (o *taker) Emit(ctx context.Context, l *component.Lot) error {
	if o.block != nil {
		select {
		case <-o.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, line := range l.Lines {
		n := line.Offset - 1000
		want := fmt.Sprintf(`{"n":%d,"pad":"%s"}`, n, strings.Repeat("x", int(max(n, 0)%40)))
		if got := string(l.Data[line.Start:line.End]); got != want {
			o.t.Errorf("record %d is %q", n, got)
		}
		if l.Stream.Generation != "run-1" || l.Stream.File != "/the/file" || !l.Received.Equal(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)) {
			o.t.Errorf("record %d is of %+v, received %v", n, l.Stream, l.Received)
		}
		if got := string(l.Stream.Position(line.Offset).AppendJSON(nil)); got != fmt.Sprintf(`{"at":%d}`, line.Offset) {
			o.t.Errorf("record %d has position %s", n, got)
		}
		if (line.Failure != nil) != (n%10 == 3) || line.Failure != nil && line.Failure.Message != fmt.Sprint("bad ", n) {
			o.t.Errorf("record %d has failure %+v", n, line.Failure)
		}
		if l.Offset(i) >= l.Position.Offset {
			o.t.Errorf("record %d is number %d, behind position %d", n, l.Offset(i), l.Position.Offset)
		}
		o.numbers = append(o.numbers, n)
	}
	if l.Position.Offset < o.last.Offset {
		o.t.Errorf("position %d after %d", l.Position.Offset, o.last.Offset)
	}
	o.last = l.Position
	l.Free()
	return nil
}

// drain reads all that l holds from from on.
func drain(t testing.TB, l *Log, from ...component.Position) *taker {
	t.Helper()
	l.end(true)
	out := &taker{t: t}
	r := &reader{log: l, first: true}
	r.begin(from)
	if err := r.run(context.Background(), "source.test.in", out); err != nil {
		t.Fatal(err)
	}
	return out
}

func want(t testing.TB, what string, got []int64, from, to int64) {
	t.Helper()
	for i, n := range got {
		if n != from+int64(i) {
			t.Fatalf("%s: number %d at %d, want %d; %d in all", what, n, i, from+int64(i), len(got))
		}
	}
	if int64(len(got)) != to-from {
		t.Fatalf("%s: %d records, want %d", what, len(got), to-from)
	}
}

func TestWhatIsAppendedIsReadAgainAsItWas(t *testing.T) {
	m := memory()
	l, _ := m.start(t, big)
	for n := range int64(20) {
		put(t, l, n*10, n*10+10)
	}
	got := drain(t, l)
	want(t, "at once", got.numbers, 0, 200)
	l.Close()
	l, lost := m.start(t, big)
	again := drain(t, l)
	want(t, "after a restart", again.numbers, 0, 200)
	if again.last != got.last {
		t.Errorf("position %+v, was %+v", again.last, got.last)
	}
	middle := got.last
	middle.Offset -= 55
	want(t, "from the middle", drain(t, l, middle).numbers, 145, 200)
	l.end(false)
	put(t, l, 200, 210)
	want(t, "with more", drain(t, l, middle).numbers, 145, 210)
	l.Close()
	if lost.of(Lost) != 0 {
		t.Errorf("%d are reported lost", lost.of(Lost))
	}
}

// The source hears of a lot when it is durable, and several share a sync.
func TestOneSyncForAllWhoWait(t *testing.T) {
	files := worldtest.NewFS()
	m := &machine{files: files, root: "/state"}
	l, _ := m.start(t, big)
	defer l.Close()
	put(t, l, 0, 1)
	var syncs int
	hold, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	files.Fault(func(op worldtest.Op, _ string) error {
		if op == worldtest.OpSync {
			syncs++
			if syncs == 1 {
				once.Do(func() { close(held) })
				<-hold
			}
		}
		return nil
	})
	var done sync.WaitGroup
	settled := make(chan []ack.Outcome, 20)
	emit := func(n int64) {
		done.Go(func() {
			one := lot(n, n+1)
			one.Settled = func(o []ack.Outcome) { settled <- o }
			if err := l.Emit(context.Background(), one); err != nil {
				t.Error(err)
			}
		})
	}
	emit(1)
	<-held
	if len(settled) != 0 {
		t.Error("a lot was settled before its sync")
	}
	for n := range int64(18) {
		emit(n + 2)
	}
	for waiting := 0; waiting < 18; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		waiting = len(l.pending)
		l.mu.Unlock()
	}
	close(hold)
	done.Wait()
	files.Fault(nil)
	if syncs != 2 {
		t.Errorf("%d syncs, want one and one for all that came meanwhile", syncs)
	}
	for range 19 {
		if o := <-settled; len(o) != 1 || o[0] != ack.Accepted {
			t.Errorf("settled with %v", o)
		}
	}
}

func TestForgottenSegmentsAreRemoved(t *testing.T) {
	m := memory()
	limits := big
	limits.MaxBytes = 1 << 20
	l, dropped := m.start(t, limits)
	for n := range int64(200) {
		put(t, l, n*100, n*100+100)
		l.Forget(component.Position{Generation: l.generation(), Offset: l.next})
	}
	l.Close()
	l, lost := m.start(t, limits)
	defer l.Close()
	got := drain(t, l)
	if len(got.numbers) > 3000 || lost.of(Lost) != 0 || dropped.of(Lost) != 0 {
		t.Errorf("%d records are left, %d lost", len(got.numbers), lost.of(Lost))
	}
	if l.bytes > limits.MaxBytes {
		t.Errorf("%d bytes", l.bytes)
	}
}

// What a full log drops is counted to the record; what it takes is there.
func TestWhenFull(t *testing.T) {
	for _, policy := range []plan.WhenFull{plan.DropNewest, plan.DropOldest} {
		m := memory()
		limits := plan.Queue{MaxEvents: 1, MaxBytes: 1 << 20, WhenFull: policy, Disk: true}
		l, dropped := m.start(t, limits)
		const all = 30_000
		for n := int64(0); n < all; n += 100 {
			put(t, l, n, n+100)
			if l.bytes > limits.MaxBytes {
				t.Fatalf("%s: %d bytes on disk", policy, l.bytes)
			}
		}
		got := drain(t, l)
		n := dropped.of(string(policy))
		if n == 0 || n+int64(len(got.numbers)) != all {
			t.Errorf("%s: %d dropped and %d read of %d", policy, n, len(got.numbers), all)
		}
		if policy == plan.DropNewest {
			want(t, "oldest", got.numbers, 0, all-n)
		} else {
			want(t, "newest", got.numbers, n, all)
		}
		l.Close()
		l, lost := m.start(t, limits)
		if again := drain(t, l); len(again.numbers) != len(got.numbers) || lost.of(Lost) != 0 {
			t.Errorf("%s: %d after a restart, %d lost", policy, len(again.numbers), lost.of(Lost))
		}
		l.Close()
	}
}

// What a full log drops behind its reader is lost to a sink that reads it again, detached or after a
// restart: it is counted there, to the record.
func TestDroppedBehindTheReaderIsCounted(t *testing.T) {
	m := memory()
	limits := plan.Queue{MaxEvents: 1, MaxBytes: 1 << 20, WhenFull: plan.DropOldest, Disk: true}
	l, dropped := m.start(t, limits)
	const all = 30_000
	var read component.Position
	for n := int64(0); n < all; n += 1000 {
		for i := n; i < n+1000; i += 100 {
			put(t, l, i, i+100)
		}
		if n == 0 {
			read = drain(t, l).last
		} else {
			read = drain(t, l, read).last
		}
	}
	if n := dropped.of(string(plan.DropOldest)); n != 0 {
		t.Errorf("%d counted, and the reader had all", n)
	}
	const has = 1234
	from := component.Position{Generation: l.generation(), Offset: l.next - all + has}
	detached := func(l *Log, dropped *counts) {
		t.Helper()
		before := dropped.of(string(plan.DropOldest))
		out, r := &taker{t: t}, &reader{log: l}
		r.begin([]component.Position{from})
		if err := r.run(t.Context(), "source.test.in", out); err != nil {
			t.Fatal(err)
		}
		n := dropped.of(string(plan.DropOldest)) - before
		if n == 0 || has+n+int64(len(out.numbers)) != all {
			t.Errorf("%d dropped and %d read of %d", n, len(out.numbers), all-has)
		}
	}
	detached(l, dropped)
	l.Close()
	l, dropped = m.start(t, limits)
	got := drain(t, l, from)
	if n := dropped.of(string(plan.DropOldest)); n == 0 || has+n+int64(len(got.numbers)) != all || dropped.of(Lost) != 0 {
		t.Errorf("after a restart: %v dropped and %d read of %d", dropped.n, len(got.numbers), all-has)
	}
	detached(l, dropped)
	l.Forget(read)
	if len(l.numbers.Dropped) > 0 {
		t.Errorf("all sinks are past %v", l.numbers.Dropped)
	}
	l.Close()
}

func TestBlockWaitsForRoom(t *testing.T) {
	m := memory()
	limits := plan.Queue{MaxEvents: 1, MaxBytes: 256 << 10, WhenFull: plan.Block, Disk: true}
	l, dropped := m.start(t, limits)
	defer l.Close()
	const all = 20_000
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &taker{t: t}
	r := &reader{log: l, first: true}
	r.begin(nil)
	var done sync.WaitGroup
	done.Go(func() { r.run(ctx, "source.test.in", out) })
	done.Go(func() {
		for ctx.Err() == nil {
			out.mu.Lock()
			p := out.last
			out.mu.Unlock()
			l.Forget(p)
			time.Sleep(time.Millisecond)
		}
	})
	for n := int64(0); n < all; n += 50 {
		put(t, l, n, n+50)
	}
	l.end(true)
	for {
		out.mu.Lock()
		n := len(out.numbers)
		out.mu.Unlock()
		if n == all {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	done.Wait()
	want(t, "all", out.numbers, 0, all)
	if len(dropped.n) > 0 {
		t.Errorf("dropped %v", dropped.n)
	}

	stop, cancelled := context.WithCancel(t.Context())
	l.SetLimits(plan.Queue{MaxBytes: 1, WhenFull: plan.Block})
	go func() { time.Sleep(10 * time.Millisecond); cancelled() }()
	if err := l.Emit(stop, lot(0, 1)); err == nil {
		if err := l.Emit(stop, lot(0, 1)); err == nil {
			t.Error("a full log took a lot after ctx was done")
		}
	}
}
