package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

const (
	alertsDir      = "/alerts"
	alertsPath     = "/alerts/alerts.json"
	pipelineName   = "chaos"
	pipelinePath   = "/etc/chaos.hcl"
	stateRoot      = "/var/state"
	statePath      = "/var/state/chaos"
	deadLetterPath = "/var/state/chaos/dead_letters.jsonl"
	outPath        = "/srv/out/log.jsonl"

	source      = "source.file.alerts"
	deadLetters = "dead_letters"
	sinkA       = "sink.target.a"
	sinkLog     = "sink.file.log"
	receipts    = "sink.target.receipts"
)

// harness is one schedule at work.
type harness struct {
	seed    uint64
	rng     *rand.Rand
	world   *worldtest.World
	files   *worldtest.FS
	disk    *disk
	writer  *writer
	targets map[string]*target
	setup   setup
	runs    int

	mu         sync.Mutex
	running    *process
	oracle     *oracle
	strikes    map[kind]int // while events were in flight
	idle       map[kind]int // while there were none
	violations []string
}

// setup is how the pipeline is configured; a reload changes what is below variant.
type setup struct {
	sourceQueue, queue int
	batch, inFlight    int
	workers            int
	style              style

	filter, target, log, source int // variants
	invalid                     bool
}

var conditions = []string{
	`n % 10 != 3`,
	`not (n % 10 == 3)`,
	`n % 10 < 3 or n % 10 > 3`,
	`(n + 7) % 10 != 0`,
}

// text is the pipeline file.
func (s setup) text() string {
	profile := ""
	if s.style == byLink {
		profile = `profile = "wazuh4"`
	}
	where := conditions[s.filter%len(conditions)]
	if s.invalid {
		where = "n %"
	}
	return fmt.Sprintf(`
runtime {
  workers          = %d
  memory           = "4MiB"
  shutdown_timeout = "2s"
  drain_timeout    = "500ms"
}
source "file" "alerts" {
  path          = %q
  poll_interval = "%dms"
  %s
  queue { max_events = %d }
}
filter "wanted" {
  from  = source.file.alerts
  where = "n != nil and %s"
}
sink "target" "a" {
  from      = filter.wanted
  name      = "sink.target.a"
  batch     = %d
  in_flight = %d
  variant   = %d
  queue { max_events = %d }
}
sink "file" "log" {
  from     = filter.wanted
  path     = %q
  max_open = %d
  queue { max_events = %d }
}
sink "target" "receipts" {
  from  = sink.target.a.delivered
  name  = "sink.target.receipts"
  batch = %d
  queue { max_events = %d }
}
`, s.workers, alertsPath, 250+s.source, profile, s.sourceQueue, where,
		s.batch, s.inFlight, s.target, s.queue, outPath, 10+s.log, s.queue, s.batch, s.queue)
}

func (h *harness) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entry := time.Now().Format("04:05.000000 ") + fmt.Sprintf(format, args...)
	if *seedFlag != 0 {
		fmt.Println(entry)
	}
}

// violate says that a promise was broken.
func (h *harness) violate(format string, args ...any) {
	h.note("VIOLATION: "+format, args...)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.violations = append(h.violations, fmt.Sprintf(format, args...))
}

func (h *harness) current() *process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running
}

func (h *harness) setCurrent(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running = p
}

// strike counts a fault at the moment it happens.
func (h *harness) strike(k kind) { h.count(k, h.oracle.inFlight()) }

func (h *harness) count(k kind, inFlight bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if inFlight {
		h.strikes[k]++
	} else {
		h.idle[k]++
	}
}

// specs are the components of the pipelines here: those of package file and sink "target".
func (h *harness) specs() []*component.Spec {
	specs := []*component.Spec{{
		Role: component.RoleSink, Kind: "target", Summary: "A test's target",
		Attrs: []component.Attr{
			{Name: "name", Type: component.TypeString, Required: true},
			{Name: "batch", Type: component.TypeCount, Default: 100},
			{Name: "in_flight", Type: component.TypeCount, Default: 0},
			{Name: "variant", Type: component.TypeCount, Default: 0},
		},
		NewSink: func(c *component.Config) (component.Sink, error) {
			return h.record(c.Address, &connection{target: h.targets[c.String("name")], batch: c.Count("batch"), inFlight: c.Count("in_flight")}), nil
		},
	}}
	for _, s := range file.Specs() {
		wrapped := *s
		if s.NewSink != nil {
			wrapped.NewSink = func(c *component.Config) (component.Sink, error) {
				sink, err := s.NewSink(c)
				if err != nil {
					return nil, err
				}
				return h.record(c.Address, sink), nil
			}
		}
		if s.NewSource != nil {
			wrapped.NewSource = func(c *component.Config) (component.Source, error) {
				source, err := s.NewSource(c)
				if err != nil {
					return nil, err
				}
				return &recordedSource{source.(fileSource), h}, nil
			}
		}
		specs = append(specs, &wrapped)
	}
	return specs
}

// configure writes the pipeline file.
func (h *harness) configure() error {
	f, err := h.files.OpenFile(pipelinePath, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(h.setup.text())); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return h.files.SyncDir(path.Dir(pipelinePath))
}

// syncAlerts makes all below directory outlive a crash.
func (h *harness) syncAlerts(directory string) error {
	entries, err := h.files.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(directory, e.Name())
		if e.IsDir() {
			err = h.syncAlerts(name)
		} else if f, openErr := h.files.Open(name); openErr == nil {
			err = f.Sync()
			f.Close()
		}
		if err != nil {
			return err
		}
	}
	return h.files.SyncDir(directory)
}

// logHandler keeps the log of the process in the journal.
type logHandler struct {
	h     *harness
	attrs []slog.Attr
}

func (l *logHandler) Enabled(context.Context, slog.Level) bool { return true }
func (l *logHandler) WithGroup(string) slog.Handler            { return l }
func (l *logHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return &logHandler{l.h, append(slices.Clone(l.attrs), a...)}
}

func (l *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	attrs := slices.Clone(l.attrs)
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	for _, a := range attrs {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
	}
	l.h.note("  %s %s%s", r.Level, r.Message, b.String())
	l.h.oracle.hear(r.Message, attrs)
	return nil
}
