package lua

import (
	"errors"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/event"
)

// failure is what ended a call: err of PCall, or a limit that the script hit
// and swallowed. nil if the call went well.
func (m *machine) failure(err error) error {
	if err == nil && m.budget.broken == nil {
		return nil
	}
	f := &event.Failure{Code: codeError}
	var api *lua.ApiError
	if errors.As(err, &api) {
		f.Message = m.errorText(api.Object)
		f.Trace = strings.TrimPrefix(api.StackTrace, "stack traceback:\n")
		f.File, f.Line = position(f.Trace)
		if where := f.File + ":" + strconv.Itoa(f.Line) + ":"; f.Line > 0 && !strings.HasPrefix(f.Message, f.File+":") {
			f.Message = where + " " + f.Message
		} else if file, line := place(f.Message); line > 0 {
			f.File, f.Line = file, line
		}
	}
	if b := m.budget.broken; b != nil {
		f.Code = b.Code
		f.Message = b.Message
		if f.Line > 0 {
			f.Message = f.File + ":" + strconv.Itoa(f.Line) + ": " + b.Message
		}
	}
	return f
}

// errorText is what a script gave to error().
func (m *machine) errorText(v lua.LValue) string {
	switch v := v.(type) {
	case lua.LString:
		return strings.ToValidUTF8(cut(string(v)), "\ufffd")
	case *lua.LTable, *lua.LUserData:
		if value, err := m.toValue(v, 0); err == nil {
			return cut(value.String())
		}
	}
	return v.String()
}

// cut bounds a message: it goes into logs and dead letters.
func cut(s string) string {
	const most = 8 << 10
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// position is the innermost place in a script that a traceback names.
func position(trace string) (file string, line int) {
	for frame := range strings.Lines(trace) {
		where, _, ok := strings.Cut(strings.TrimPrefix(frame, "\t"), ": in ")
		if !ok {
			continue
		}
		if file, line = place(where + ":"); line > 0 {
			return file, line
		}
	}
	return "", 0
}

// place is the FILE:LINE: that a text begins with.
func place(text string) (file string, line int) {
	for at := 0; ; {
		colon := strings.IndexByte(text[at:], ':')
		if colon < 0 {
			return "", 0
		}
		at += colon + 1
		digits, _, ok := strings.Cut(text[at:], ":")
		if !ok {
			return "", 0
		}
		if n, err := strconv.Atoi(digits); err == nil && n > 0 {
			return text[:at-1], n
		}
	}
}
