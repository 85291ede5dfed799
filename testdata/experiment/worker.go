package experiment

import (
	_ "embed"
	"net/netip"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fastjson"
	lua "github.com/yuin/gopher-lua"
)

//go:embed dfn.lua
var script string

// Worker is a Lua state and what it needs to take an alert.
type Worker struct {
	state  *lua.LState
	parser fastjson.Parser
	object *lua.LTable // metatable
}

// New is a Worker, to be closed.
func New() (*Worker, error) {
	w := &Worker{state: lua.NewState()}
	w.object = w.state.NewTable()
	w.object.RawSetString("__index", w.state.NewFunction(func(l *lua.LState) int {
		l.Push(w.value(object(l, 1).Get(l.CheckString(2))))
		return 1
	}))
	for name, f := range helpers {
		w.state.SetGlobal(name, w.state.NewFunction(f))
	}
	if err := w.state.DoString(script); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close frees the state.
func (w *Worker) Close() { w.state.Close() }

var ownNetwork = netip.MustParsePrefix("192.0.2.0/24")

var windowsEvents = map[string]bool{
	"1100": true, "1102": true, "3697": true, "4625": true, "4672": true, "4697": true, "4698": true,
	"4702": true, "4719": true, "4720": true, "4724": true, "4794": true, "4964": true,
}

// Append appends what goes out for an alert: nothing if no filter wants it.
func (w *Worker) Append(dst, alert []byte) ([]byte, error) {
	root, err := w.parser.ParseBytes(alert)
	if err != nil {
		return dst, err
	}
	switch {
	case windowsEvents[string(root.GetStringBytes("data", "win", "system", "eventID"))]:
		return w.call(dst, "windows_event", root)
	case isBan(root):
		return w.call(dst, "syslog_message", root)
	}
	return dst, nil
}

// isBan reports whether an alert is of fail2ban, about an address that is
// public and not the own network's.
func isBan(root *fastjson.Value) bool {
	if string(root.GetStringBytes("data", "program_name")) != "fail2ban.actions" {
		return false
	}
	ip, err := netip.ParseAddr(string(root.GetStringBytes("data", "srcip")))
	if err != nil || !ip.IsGlobalUnicast() || ip.IsPrivate() || ownNetwork.Contains(ip) {
		return false
	}
	for _, group := range root.GetArray("rule", "groups") {
		if string(group.GetStringBytes()) == "fail2ban" {
			return true
		}
	}
	return false
}

// call runs one of the script's functions, which gives names and values in
// turn, and appends them as an object. What it has not looked into goes out as
// fastjson has it: as it came.
func (w *Worker) call(dst []byte, function string, root *fastjson.Value) ([]byte, error) {
	if err := w.state.CallByParam(lua.P{Fn: w.state.GetGlobal(function), NRet: 1, Protect: true}, w.value(root)); err != nil {
		return dst, err
	}
	t := w.state.CheckTable(-1)
	w.state.Pop(1)
	dst = append(dst, '{')
	for i := 1; i <= t.Len(); i += 2 {
		if i > 1 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, t.RawGetInt(i).String()), ':')
		switch v := t.RawGetInt(i + 1).(type) {
		case *lua.LUserData:
			dst = v.Value.(*fastjson.Value).MarshalTo(dst)
		case lua.LString:
			dst = appendText(dst, string(v))
		default:
			dst = append(dst, v.String()...)
		}
	}
	return append(dst, '}'), nil
}

// appendText appends a text as JSON. fastjson's own way, strconv.AppendQuote, is
// for Go, and takes as long as all the rest.
func appendText(dst []byte, text string) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) // the error is of bytes that are not UTF-8: they become U+FFFD
	return dst
}

// value is a member as a script sees it.
func (w *Worker) value(v *fastjson.Value) lua.LValue {
	switch {
	case v == nil:
		return lua.LNil
	case v.Type() == fastjson.TypeString:
		return lua.LString(v.GetStringBytes())
	}
	ud := w.state.NewUserData()
	ud.Value, ud.Metatable = v, w.object
	return ud
}

func object(l *lua.LState, n int) *fastjson.Value { return l.CheckUserData(n).Value.(*fastjson.Value) }

var (
	content   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	attribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
)

// helpers are what the script is given.
var helpers = map[string]lua.LGFunction{
	// escape(text) is for an attribute.
	"escape": func(l *lua.LState) int {
		l.Push(lua.LString(attribute.Replace(l.CheckString(1))))
		return 1
	},
	"element": func(l *lua.LState) int {
		name := l.CheckString(1)
		l.Push(lua.LString("<" + name + ">" + content.Replace(l.CheckString(2)) + "</" + name + ">"))
		return 1
	},
	// data(object, name…) is a Data element for each member, and one for each name that no member has.
	"data": func(l *lua.LState) int {
		var b strings.Builder
		data := object(l, 1).GetObject()
		data.Visit(func(key []byte, v *fastjson.Value) {
			b.WriteString(`<Data Name="` + capitalize(string(key)) + `">`)
			content.WriteString(&b, string(v.GetStringBytes()))
			b.WriteString("</Data>")
		})
		for i := 2; i <= l.GetTop(); i++ {
			if name := l.CheckString(i); data.Get(name) == nil {
				b.WriteString(`<Data Name="` + capitalize(name) + `">-</Data>`)
			}
		}
		l.Push(lua.LString(b.String()))
		return 1
	},
	// elements(object) is an element for each member.
	"elements": func(l *lua.LState) int {
		var b strings.Builder
		object(l, 1).GetObject().Visit(func(key []byte, v *fastjson.Value) {
			name := capitalize(string(key))
			b.WriteString("<" + name + ">" + content.Replace(string(v.GetStringBytes())) + "</" + name + ">")
		})
		l.Push(lua.LString(b.String()))
		return 1
	},
}

func capitalize(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
