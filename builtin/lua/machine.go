package lua

import (
	"log/slog"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// machine is one Lua state with the script loaded: what one worker has. It is
// used by one goroutine.
type machine struct {
	L       *lua.LState
	budget  budget
	program *program
	log     *slog.Logger
	now     func() time.Time

	env     *lua.LTable // the globals as the script sees them: a front for real
	real    *lua.LTable // the globals themselves
	sealed  bool        // the chunk has run
	process lua.LValue

	proxyMeta, numberMeta, markupMeta, nullMeta *lua.LTable
	null                                        *lua.LUserData
	loaded                                      map[string]lua.LValue // modules
	patterns                                    patternCache
	zones                                       map[string]*time.Location

	event        *event.Event
	generation   uint64
	root         *proxy
	origin, meta *lua.LUserData // of the current event, once looked at
	arena        []slot         // of the current event's proxies
	proxies      pool[proxy]    // of the current event
	mades        pool[proxy]    // that the script has made for it
	markups      pool[markup]   // the same
	buffer       []byte         // what the markups of the current event are written into
	replaced     uint64         // characters that XML forbids
	kept         int64          // allocated since the size of what is kept was last measured
}

// limits of a state: nested calls, and registers (a call's arguments and
// results are registers).
const (
	callDepth    = 250
	registers    = 4 << 10
	maxRegisters = 128 << 10
)

// newMachine makes a state and runs the script's chunk in it. The error is a
// *event.Failure.
func newMachine(p *program, settings settings, log *slog.Logger, now func() time.Time) (*machine, error) {
	m := &machine{program: p, log: log, now: now, loaded: map[string]lua.LValue{}}
	m.proxies.extra = 15
	m.L = lua.NewState(lua.Options{
		SkipOpenLibs:     true,
		CallStackSize:    callDepth,
		RegistrySize:     registers,
		RegistryMaxSize:  maxRegisters,
		RegistryGrowStep: 1 << 10,
	})
	m.budget = budget{state: m.L, limit: settings.timeout, memory: settings.memory}
	m.budget.begin()
	m.L.SetContext(&m.budget)
	m.openLibraries()
	m.real.RawSetString("config", &m.configProxy(settings.config).ud)

	chunk := m.L.NewFunctionFromProto(p.main)
	chunk.Env = m.env
	m.L.Push(chunk)
	err := m.L.PCall(0, 0, nil)
	if f := m.failure(err); f != nil {
		return nil, f
	}
	m.sealed = true
	m.budget.stored = true // what the chunk has made is the script's
	m.process = m.real.RawGetString("process")
	if m.process.Type() != lua.LTFunction {
		return nil, errNoProcess
	}
	return m, nil
}

var errNoProcess = event.Failf(codeError, "the script has no function process")

func (m *machine) configProxy(v document.Value) *proxy {
	if v.Kind() != document.Object && v.Kind() != document.Array {
		v = document.NewObject(nil)
	}
	return m.lasting(v, "config")
}

// begin makes e the current event; all that belongs to the one before it is
// stale from here on.
func (m *machine) begin(e *event.Event, root document.Value) {
	m.forget()
	m.event, m.origin, m.meta = e, nil, nil
	m.generation++
	m.budget.begin()
	m.root = m.newProxy(root, "")
}

// call runs process for e and gives its result.
func (m *machine) call(e *event.Event, root document.Value) (lua.LValue, error) {
	m.begin(e, root)
	m.L.Push(m.process)
	m.L.Push(&m.root.ud)
	err := m.L.PCall(1, 1, nil)
	if f := m.failure(err); f != nil {
		return nil, f
	}
	result := m.L.Get(-1)
	m.L.SetTop(0)
	return result, nil
}

// protect runs f outside of a call: what it raises becomes its error.
func (m *machine) protect(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *lua.ApiError:
			err = m.failure(r)
		default:
			panic(r)
		}
	}()
	return f()
}

// broken says that a limit was hit: what the script has kept may be half done,
// so the state is not used again.
func (m *machine) broken() bool { return m.budget.broken != nil }

func (m *machine) close() { m.L.Close() }
