package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

func TestReadsWhatIsThereAndWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.append(alerts, lines(0, 2))
		r.start()
		r.want(line(0), line(1))
		r.append(alerts, lines(2, 3)+`{"n"`)
		r.want(line(0), line(1), line(2)) // a line is handed over at once, its half is not
		r.append(alerts, ":3}\n")
		r.want(line(0), line(1), line(2), line(3))
		if want := printOf(r.out.ids[0][:16]) + "@24"; r.out.ids[3] != want {
			t.Errorf("id %s, want %s", r.out.ids[3], want)
		}
		if read, total := r.source.Progress(); read != 32 || total != 32 {
			t.Errorf("progress %d of %d", read, total)
		}
		r.stop()
	})
}

func TestWaitsForTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.source.path = "/later/on/alerts.json"
		r.source.atEnd = true // which is about files that are there at the start
		r.start()
		if err := r.health.get(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("health %v", err)
		}
		r.must(r.files.MkdirAll("/later/on", 0o755))
		r.append(r.source.path, lines(0, 1))
		time.Sleep(time.Second)
		r.want(line(0))
		r.append(r.source.path, lines(1, 2))
		r.want(line(0), line(1)) // the new directory is watched
		if err := r.health.get(); err != nil {
			t.Errorf("health %v", err)
		}
		r.stop()
	})
}

func TestOnceWithoutFile(t *testing.T) {
	r := newRig(t)
	if err := r.once(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run: %v", err)
	}
}

func TestStartAtEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.source.atEnd = true
		r.append(alerts, lines(0, 2)+`{"n"`)
		r.start()
		r.want()
		position := r.out.last
		r.append(alerts, ":2}\n")
		r.want(line(2))
		r.stop()
		r.out = &collector{}
		r.append(alerts, lines(3, 5)) // while the process is down
		r.start(position)
		r.want(line(2), line(3), line(4))
		r.stop()
	})
}

func TestLastLineWithoutBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.append(alerts, lines(0, 1)+line(1))
		r.must(r.once())
		r.want(line(0), line(1))
		last := r.out.positions[1]

		r = newRig(t)
		r.append(alerts, lines(0, 1)+`{"n":`)
		r.must(r.once())
		r.want(line(0), `{"n":`)
		if r.out.failures[1] != "not_an_object" {
			t.Errorf("failure %q", r.out.failures[1])
		}

		r = newRig(t) // it is completed after all
		r.append(alerts, lines(0, 2)+lines(2, 3))
		r.must(r.once(last))
		r.want(line(2))

		r = newRig(t) // rotated away, nothing will complete it
		r.append(alerts, lines(0, 1)+line(1))
		r.start()
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(2, 3))
		r.want(line(0), line(1), line(2))
		r.stop()
	})
}

func TestBrokenLinesAreFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.source.options.MaxLine = 100
		long := `{"long":"` + strings.Repeat("x", 200_000) + `"}`
		r.append(alerts, "{\"cut\":\n"+lines(0, 1)+long+"\n"+lines(1, 2)+"[]\n")
		r.must(r.once())
		r.want(`{"cut":`, line(0), long[:64<<10], line(1), "[]")
		if got := fmt.Sprint(r.out.failures); got != "[not_an_object  line_too_long  not_an_object]" {
			t.Errorf("failures %v", got)
		}
	})
}

// What a position means can't be said as long as the file can't be read: that is for a while, and says what to do.
func TestUnreadableAtAResume(t *testing.T) {
	r := newRig(t)
	r.append(alerts, lines(0, 3))
	r.must(r.once())
	position := r.out.positions[0]
	r.files.Fault(func(op worldtest.Op, name string) error {
		if op == worldtest.OpOpen && name == alerts {
			return syscall.EACCES
		}
		return nil
	})
	_, err := r.source.Resume(r.host, []component.Position{position})
	if !errors.Is(err, syscall.EACCES) || !component.IsNotYet(err) || !strings.Contains(err.Error(), "etl runs as user "+userName(os.Geteuid())) {
		t.Errorf("error %v", err)
	}
	r.files.Fault(nil)
	if reachable, err := r.source.Resume(r.host, []component.Position{position}); err != nil || !reachable[0] {
		t.Errorf("reachable %v, error %v", reachable, err)
	}
}

// Who may not read a file is told whose it is.
func TestDeniedSaysWhoseTheFileIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	me := userName(os.Geteuid())
	err := denied(world.OS().FS, path, fs.ErrPermission)
	if text := err.Error(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(text, "of "+me+":") || !strings.Contains(text, "-rw-r-----") || !strings.Contains(text, "usermod -aG ") {
		t.Error(err)
	}
	if err := denied(world.OS().FS, path+"/x/y", fs.ErrPermission); !strings.Contains(err.Error(), "may not search a directory") {
		t.Error(err)
	}
	if err := denied(world.OS().FS, path, syscall.EIO); err != syscall.EIO {
		t.Error(err)
	}
}

func TestUnreadableFileIsTriedAgain(t *testing.T) {
	for name, op := range map[string]worldtest.Op{"open": worldtest.OpOpen, "read": worldtest.OpRead} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.append(alerts, lines(0, 3))
				position := func() component.Position {
					r := newRig(t)
					r.append(alerts, lines(0, 3))
					r.must(r.once())
					return r.out.positions[0]
				}()
				r.files.Fault(func(o worldtest.Op, name string) error {
					if o == op && name == alerts {
						return syscall.EACCES
					}
					return nil
				})
				if op == worldtest.OpOpen {
					r.start(position)
				} else {
					r.start()
				}
				time.Sleep(time.Minute)
				r.want()
				if err := r.health.get(); !errors.Is(err, syscall.EACCES) {
					t.Errorf("health %v", err)
				}
				if n := strings.Count(r.log.String(), "trying again"); n != 1 {
					t.Errorf("said %d times:\n%s", n, r.log.String())
				}
				r.files.Fault(nil)
				time.Sleep(time.Second)
				if op == worldtest.OpOpen {
					r.want(line(1), line(2))
				} else {
					r.want(line(0), line(1), line(2))
				}
				if err := r.health.get(); err != nil {
					t.Errorf("health %v", err)
				}
				r.stop()
			})
		})
	}
}

func TestPollsWhereNothingNotifies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.files.Blind(true)
		r.append(alerts, lines(0, 1))
		r.start()
		r.append(alerts, lines(1, 2))
		r.want(line(0))
		time.Sleep(r.source.poll)
		r.want(line(0), line(1))
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(2, 3))
		time.Sleep(r.source.poll)
		r.want(line(0), line(1), line(2))
		r.stop()
	})
}

func TestWithoutNotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.host.Notifier = brokenNotifier{}
		r.start()
		r.append(alerts, lines(0, 1))
		time.Sleep(time.Second)
		r.want(line(0))
		r.stop()
	})
}

type brokenNotifier struct{ world.Notifier }

func (brokenNotifier) Watch(string) (<-chan string, func(), error) { return nil, nil, syscall.EMFILE }

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.source.rate = 10
		r.append(alerts, lines(0, 100))
		began := time.Now()
		r.must(r.once())
		if took := time.Since(began); took < 9800*time.Millisecond || took > 10*time.Second {
			t.Errorf("100 lines at 10/s took %v", took)
		}
		for i, p := range r.out.positions {
			if want := int64(len(lines(0, i+1))); p.Offset != want {
				t.Fatalf("line %d: position %d, want %d", i, p.Offset, want)
			}
		}
	})
}

func TestDecodeNamesTextByItsFirstLine(t *testing.T) {
	out := &collector{}
	s := sourceAt(alerts)
	for _, text := range []string{"{\"n\":0}\n{\"cut", "{\"n\":1}"} {
		if err := s.Decode([]byte(text), out); err != nil {
			t.Fatal(err)
		}
	}
	if len(out.ids) != 3 || out.ids[0] == out.ids[2] || out.failures[1] != "not_an_object" {
		t.Errorf("%q %q", out.ids, out.failures)
	}
}
