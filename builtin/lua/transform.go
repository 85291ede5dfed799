package lua

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// transform is transform "lua": a compiled script, and a state for each worker.
type transform struct {
	address  string
	program  *program
	settings settings
	repaired atomic.Int64 // characters that XML forbids, by all workers
}

// Repaired is how many characters that XML forbids were replaced.
func (t *transform) Repaired() int64 { return t.repaired.Load() }

// settings are what a state needs to know of its configuration.
type settings struct {
	timeout time.Duration
	memory  int64
	config  document.Value
}

// newTransform compiles the script and runs its chunk once, so that what is
// wrong with it is known when the pipeline is loaded.
func newTransform(c *component.Config) (component.Transform, error) {
	p, errs := load(c)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	t := &transform{address: c.Address, program: p, settings: settings{
		timeout: c.Duration("timeout"),
		memory:  c.Size("memory"),
		config:  c.Any("config"),
	}}
	if !c.Known("config") {
		return t, nil // the chunk may well need what this test doesn't have
	}
	m, err := newMachine(p, t.settings, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		return nil, loadError(c, err)
	}
	m.close()
	return t, nil
}

// loadError is the diagnostic of a chunk that can't be used: at the line that
// failed, or at the script as a whole.
func loadError(c *component.Config, err error) error {
	attr := "code"
	if c.Has("script") {
		attr = "script"
	}
	if errors.Is(err, errNoProcess) {
		return c.Error(attr, diag.LuaNoProcess, err.Error(), "write function process(event) … return event end")
	}
	var f *event.Failure
	if errors.As(err, &f) && f.Line > 0 {
		path := filepath.Join(c.Dir, f.File)
		if content, _, readErr := c.ReadFile(path); readErr == nil {
			message := strings.TrimPrefix(f.Message, f.File+":"+strconv.Itoa(f.Line)+": ")
			return diag.Diagnostic{Code: diag.LuaLoad, Range: lineIn(path, string(content), f.Line), Message: "Lua: " + message}
		}
	}
	return c.Error(attr, diag.LuaLoad, "running the script's chunk: "+err.Error(), "")
}

// Worker makes a state.
func (t *transform) Worker(host *component.Host) (component.Worker, error) {
	w := &worker{transform: t, host: host}
	return w, w.start()
}

// worker runs process for events.
type worker struct {
	transform *transform
	host      *component.Host
	machine   *machine
	replaced  uint64    // characters that XML forbids, by machines that are gone
	counted   uint64    // of them in the statistics
	told      uint64    // of them in the log
	toldAt    time.Time //
}

func (w *worker) start() error {
	now := w.host.Now
	if now == nil {
		now = time.Now
	}
	m, err := newMachine(w.transform.program, w.transform.settings, w.host.Log, now)
	w.machine = m
	return err
}

// Close says how many characters were replaced, and drops the state.
func (w *worker) Close() error {
	w.tell(0)
	w.stop()
	return nil
}

// tell counts how many characters were replaced, and logs it, not more often
// than every pause.
func (w *worker) tell(pause time.Duration) {
	n := w.replaced
	if w.machine != nil {
		n += w.machine.replaced
	}
	if n != w.counted {
		w.transform.repaired.Add(int64(n - w.counted)) //nolint:gosec // a number of characters
		w.counted = n
	}
	if n == w.told || pause > 0 && time.Since(w.toldAt) < pause {
		return
	}
	w.host.Log.Warn("characters that XML forbids were replaced by U+FFFD", "count", n-w.told, "total", n)
	w.told, w.toldAt = n, time.Now()
}

func (w *worker) stop() {
	if w.machine != nil {
		w.replaced += w.machine.replaced
		w.machine.close()
		w.machine = nil
	}
}

// Process runs process(e).
func (w *worker) Process(e *event.Event, out func(*event.Event)) error {
	root, err := e.Root()
	if err != nil {
		return err
	}
	if k := root.Kind(); k != document.Object && k != document.Array {
		return event.Failf(codeError, "the event is %s, and a script works on objects", root)
	}
	if w.machine == nil {
		if err := w.start(); err != nil {
			return err
		}
	}
	m := w.machine
	result, err := m.call(e, root)
	if err == nil {
		err = m.protect(func() error { return w.emit(e, result, out) })
	}
	if err == nil {
		err = m.checkKept()
	}
	w.tell(time.Minute)
	if m.broken() {
		w.stop() // the next event gets a new state
	}
	return err
}

// emit gives what process returned to out.
func (w *worker) emit(e *event.Event, result lua.LValue, out func(*event.Event)) error {
	m, address := w.machine, w.transform.address
	if result == lua.LNil {
		return nil
	}
	if result == lua.LValue(&m.root.ud) && !m.root.touched() {
		out(e)
		return nil
	}
	n, element, isList := m.asList(result)
	if !isList {
		root, err := m.eventValue(result)
		if err != nil {
			return m.outputError("what process returned", err)
		}
		out(e.Derive(address, -1, root))
		return nil
	}
	for i := range n {
		root, err := m.eventValue(element(i))
		if err != nil {
			return m.outputError(fmt.Sprintf("element %d of what process returned", i+1), err)
		}
		out(e.Derive(address, i, root))
	}
	return nil
}

// asList is the elements of a list of events: a table with elements, an empty
// table, or an array.
func (m *machine) asList(v lua.LValue) (n int, element func(int) lua.LValue, isList bool) {
	switch v := v.(type) {
	case *lua.LTable:
		n = v.MaxN()
		first, _ := v.Next(lua.LNil)
		return n, func(i int) lua.LValue { return v.RawGetInt(i + 1) }, n > 0 || first == lua.LNil
	case *lua.LUserData:
		p, ok := v.Value.(*proxy)
		if !ok || !p.array || p.stale(m) {
			return 0, nil, false
		}
		if p.table != nil {
			return m.asList(p.table)
		}
		m.load(p)
		return len(p.slots), func(i int) lua.LValue { return m.at(p, i) }, true
	}
	return 0, nil, false
}

// eventValue is a Lua value as the document of an event.
func (m *machine) eventValue(v lua.LValue) (document.Value, error) {
	value, err := m.toValue(v, 0)
	if err == nil && value.Kind() != document.Object {
		err = fmt.Errorf("%s is no event: an event is a table with names", kindText(v, value))
	}
	return value, err
}

func kindText(v lua.LValue, value document.Value) string {
	if value.Kind() == document.Array {
		return "a list"
	}
	if value.Kind() == document.Null {
		return "etl.null"
	}
	return "a " + v.Type().String()
}

// outputError is err about what process returned; a limit stays what it is.
func (m *machine) outputError(prefix string, err error) error {
	var f *event.Failure
	if errors.As(err, &f) {
		return f
	}
	return event.Failf(codeError, "%s: %v", prefix, err)
}
