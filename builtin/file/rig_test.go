package file

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// collector is what stands behind a source in a test.
type collector struct {
	mu        sync.Mutex
	lines     []string
	ids       []string
	failures  []string
	positions []component.Position // behind each line
	last      component.Position   // behind everything
	hold      chan struct{}        // if set, each Emit waits for it
}

func (c *collector) Emit(ctx context.Context, lot *component.Lot) error {
	if c.hold != nil && len(lot.Lines) > 0 {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = lot.Position
	for i, line := range lot.Lines {
		c.lines = append(c.lines, string(lot.Data[line.Start:line.End]))
		c.ids = append(c.ids, fmt.Sprintf("%s@%d", lot.Stream.Generation, line.Offset))
		failure := ""
		if line.Failure != nil {
			failure = line.Failure.Code
		}
		c.failures = append(c.failures, failure)
		p := lot.Position
		if i+1 < len(lot.Lines) {
			p.Offset = lot.Lines[i+1].Offset
		}
		c.positions = append(c.positions, p)
	}
	lot.Free()
	return nil
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines...)
}

// health remembers the last that a component said.
type health struct {
	mu  sync.Mutex
	err error
}

func (h *health) set(err error) { h.mu.Lock(); h.err = err; h.mu.Unlock() }
func (h *health) get() error    { h.mu.Lock(); defer h.mu.Unlock(); return h.err }

// logged is a log that a test can read.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.text.String() }

// memory is a component's state.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	full   bool // nothing can be stored
}

func (m *memory) Get(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[key]
	return v, ok
}

func (m *memory) Set(key string, value []byte) error {
	return m.change(func() { m.values[key] = value })
}

func (m *memory) Delete(key string) error { return m.change(func() { delete(m.values, key) }) }

func (m *memory) change(do func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return syscall.ENOSPC
	}
	if m.values == nil {
		m.values = map[string][]byte{}
	}
	do()
	return nil
}

func (m *memory) fill(full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = full
}

func (m *memory) Keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.values))
}

// rig is a source on a world in memory.
type rig struct {
	t      *testing.T
	files  *worldtest.FS
	host   *component.Host
	health health
	log    logged
	source *Source
	out    *collector
	cancel context.CancelFunc
	ended  chan error
}

const alerts = "/logs/alerts.json"

func newRig(t *testing.T) *rig {
	w := worldtest.New()
	r := &rig{t: t, files: w.Files, out: &collector{}}
	r.host = &component.Host{World: w.World, Address: "source.file.alerts", Log: slog.New(slog.NewTextHandler(&r.log, nil)), Health: r.health.set, State: &memory{}, StateDir: "/state"}
	r.source = sourceAt(alerts)
	if err := w.Files.MkdirAll("/logs", 0o755); err != nil {
		t.Fatal(err)
	}
	return r
}

func sourceAt(path string) *Source {
	return &Source{address: "source.file.alerts", path: path, follow: true, poll: 250 * time.Millisecond,
		options: codec.Options{Format: codec.JSON, MaxLine: codec.DefaultMaxLine}}
}

// onRig runs a test in a bubble, on a rig of its own.
func onRig(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t)) })
}

// newManaged is a rig with a profile and a manager that writes for it.
func newManaged(t *testing.T, profile string) (*rig, *manager, *rand.Rand) {
	r := newRig(t)
	r.source.profile = profile
	m := newManager(t, r.files, alerts, stems[profile])
	m.link()
	return r, m, rand.New(rand.NewPCG(1, 1))
}

// onManaged is onRig with a manager.
func onManaged(t *testing.T, profile string, test func(t *testing.T, r *rig, m *manager, random *rand.Rand)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, profile)
		test(t, r, m, random)
	})
}

// start runs the source until stop.
func (r *rig) start(from ...component.Position) {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.cancel, r.ended = cancel, make(chan error, 1)
	go func() { r.ended <- r.source.Run(ctx, r.host, from, r.out) }()
	synctest.Wait()
}

func (r *rig) stop() {
	r.t.Helper()
	r.cancel()
	if err := <-r.ended; err != nil {
		r.t.Errorf("Run: %v", err)
	}
}

// once runs the source to the end of its input.
func (r *rig) once(from ...component.Position) error {
	r.source.Finite()
	return r.source.Run(r.t.Context(), r.host, from, r.out)
}

// again runs another process to the end of its input.
func (r *rig) again(from ...component.Position) {
	r.t.Helper()
	r.out = &collector{}
	r.must(r.once(from...))
}

// finish stops the source when it has had time for what is there.
func (r *rig) finish() {
	r.t.Helper()
	time.Sleep(time.Second)
	r.stop()
}

func (r *rig) append(path, text string) {
	r.t.Helper()
	f, err := r.files.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err == nil {
		_, err = io.WriteString(f, text)
		f.Close()
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) want(lines ...string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.out.got(); strings.Join(got, "\n") != strings.Join(lines, "\n") {
		r.t.Fatalf("got  %q\nwant %q\nlog:\n%s", got, lines, r.log.String())
	}
}

func line(n int) string { return fmt.Sprintf(`{"n":%d}`, n) }

func lines(from, to int) (text string) {
	for ; from < to; from++ {
		text += line(from) + "\n"
	}
	return text
}

// truncate cuts a file to nothing.
func (r *rig) truncate(name string) {
	r.t.Helper()
	f, err := r.files.OpenFile(name, os.O_WRONLY, 0)
	r.must(err)
	r.must(f.Truncate(0))
	r.must(f.Close())
}

// restart makes what is started next another process.
func (r *rig) restart() { r.out, r.source = &collector{}, sourceAt(alerts) }

// wantGaps fails unless there were so many gaps, and the log has what is given of each.
func (r *rig) wantGaps(n int64, told ...string) {
	r.t.Helper()
	gaps, _ := r.source.Missed()
	log := r.log.String()
	if gaps != n || slices.ContainsFunc(told, func(text string) bool { return !strings.Contains(log, text) }) {
		r.t.Errorf("%d gaps, want %d, with %q:\n%s", gaps, n, told, log)
	}
}
