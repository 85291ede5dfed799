package lua

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
	lua "github.com/yuin/gopher-lua"
)

// BenchmarkWindowsExperiment is the experiment that this component began as,
// kept to be compared with: fastjson, a userdata for each object that a script
// looks into, Go functions for elements and escaping, and no bound on anything.
func BenchmarkWindowsExperiment(b *testing.B) {
	alert, err := os.ReadFile(filepath.Join(alertsDir, "win-4625-with-ip.json"))
	if err != nil {
		b.Fatal(err)
	}
	x := newExperiment(b)
	alert = []byte(compactJSON(b, alert))
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(alert)))
	for b.Loop() {
		if out, err = x.process(out[:0], alert); err != nil {
			b.Fatal(err)
		}
	}
	if len(out) < 3000 {
		b.Fatalf("%d bytes came out", len(out))
	}
}

// The experiment gives what the component does, so that comparing them means something.
func TestExperiment(t *testing.T) {
	alert, err := os.ReadFile(filepath.Join(alertsDir, "win-4625-with-ip.json"))
	if err != nil {
		t.Fatal(err)
	}
	compact := compactJSON(t, alert)
	got, err := newExperiment(t).process(nil, []byte(compact))
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := run(workerOf(t, configOf(t, map[string]any{"script": "lua/dfn_windows.lua"}, nil)), compact)
	if err != nil || len(want) != 1 || string(got) != want[0] {
		t.Errorf("got  %s\nwant %s (%v)", got, want, err)
	}
}

type experiment struct {
	state  *lua.LState
	parser fastjson.Parser
	arena  fastjson.Arena
	object *lua.LTable // metatable
}

func newExperiment(tb testing.TB) *experiment {
	x := &experiment{state: lua.NewState()}
	tb.Cleanup(x.state.Close)
	x.object = x.state.NewTable()
	x.object.RawSetString("__index", x.state.NewFunction(func(l *lua.LState) int {
		l.Push(x.value(l.CheckUserData(1).Value.(*fastjson.Value).Get(l.CheckString(2))))
		return 1
	}))
	x.state.SetGlobal("escape", x.state.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LString(experimentEscape.Replace(l.CheckString(1))))
		return 1
	}))
	x.state.SetGlobal("element", x.state.NewFunction(func(l *lua.LState) int {
		name := l.CheckString(1)
		l.Push(lua.LString("<" + name + ">" + experimentContent.Replace(l.CheckString(2)) + "</" + name + ">"))
		return 1
	}))
	x.state.SetGlobal("data", x.state.NewFunction(func(l *lua.LState) int {
		var b strings.Builder
		l.CheckUserData(1).Value.(*fastjson.Value).GetObject().Visit(func(key []byte, v *fastjson.Value) {
			b.WriteString(`<Data Name="` + strings.ToUpper(string(key[:1])) + string(key[1:]) + `">`)
			b.WriteString(experimentContent.Replace(string(v.GetStringBytes())) + "</Data>")
		})
		l.Push(lua.LString(b.String()))
		return 1
	}))
	if err := x.state.DoString(experimentScript); err != nil {
		tb.Fatal(err)
	}
	return x
}

var (
	experimentContent = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	experimentEscape  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
)

func (x *experiment) value(v *fastjson.Value) lua.LValue {
	switch {
	case v == nil:
		return lua.LNil
	case v.Type() == fastjson.TypeString:
		return lua.LString(v.GetStringBytes())
	}
	ud := x.state.NewUserData()
	ud.Value, ud.Metatable = v, x.object
	return ud
}

func (x *experiment) process(dst, alert []byte) ([]byte, error) {
	root, err := x.parser.ParseBytes(alert)
	if err != nil {
		return dst, err
	}
	if err := x.state.CallByParam(lua.P{Fn: x.state.GetGlobal("process"), NRet: 1, Protect: true}, x.value(root)); err != nil {
		return dst, err
	}
	x.arena.Reset()
	t := x.state.CheckTable(-1)
	x.state.Pop(1)
	dst = append(dst, '{')
	for i := 1; i <= t.Len(); i += 2 {
		if i > 1 {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendQuote(dst, t.RawGetInt(i).String()), ':')
		switch v := t.RawGetInt(i + 1).(type) {
		case *lua.LUserData:
			dst = v.Value.(*fastjson.Value).MarshalTo(dst)
		case lua.LString:
			dst = x.arena.NewString(string(v)).MarshalTo(dst)
		default:
			dst = append(dst, v.String()...)
		}
	}
	return append(dst, '}'), nil
}

const experimentScript = `
function process(alert)
  local w = alert.data.win
  local s = w.system
  local text = '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="' .. escape(s.providerName)
    .. '" Guid="' .. escape(s.providerGuid) .. '" />' .. element("EventID", s.eventID) .. element("Version", s.version)
    .. element("Level", s.level) .. element("Task", s.task) .. element("Opcode", s.opcode) .. element("Keywords", s.keywords)
    .. '<TimeCreated SystemTime="' .. escape(s.systemTime) .. '" />' .. element("EventRecordID", s.eventRecordID)
    .. '<Correlation /><Execution ProcessID="' .. escape(s.processID) .. '" ThreadID="' .. escape(s.threadID) .. '" />'
    .. element("Channel", s.channel) .. element("Computer", s.computer) .. '<Security /></System><EventData>'
    .. data(w.eventdata) .. '</EventData></Event>'
  return { "timestamp", alert.timestamp, "event_raw", text, "body", text, "event_format", "windows-xml", "event_forward", true,
    "event_parser", "wazuh", "event_source", "soc-agent", "data", alert.data }
end`
