package lua

import (
	"math"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// timeModule works on seconds since 1970, with fractions:
//
//	time.now()
//	time.parse(text)                      RFC 3339 and Wazuh's +0000; nil and the reason for anything else
//	time.format(seconds[, format[, zone]]) format as in C's strftime, default RFC 3339; zone default UTC
func (m *machine) timeModule() functions {
	return functions{
		"now": func(L *lua.LState) int {
			L.Push(seconds(m.now()))
			return 1
		},
		"parse": func(L *lua.LState) int {
			t, err := parseTime(m.checkText(L, 1))
			if err != nil {
				L.Push(lua.LNil)
				L.Push(lua.LString(err.Error()))
				return 2
			}
			L.Push(seconds(t))
			return 1
		},
		"format": func(L *lua.LState) int {
			s := float64(m.checkNumber(L, 1))
			if math.IsNaN(s) || math.Abs(s) > 1e11 {
				L.ArgError(1, "no time that a calendar has")
			}
			zone, err := m.zone(L.OptString(3, "UTC"))
			if err != nil {
				L.ArgError(3, err.Error())
			}
			t := time.UnixMicro(int64(math.Round(s * 1e6))).In(zone)
			format := L.OptString(2, "")
			if format == "" {
				return m.push(L, t.Format(time.RFC3339Nano))
			}
			m.budget.alloc(int64(16 * len(format)))
			return m.push(L, strftime(t, format))
		},
	}
}

func seconds(t time.Time) lua.LNumber { return lua.LNumber(float64(t.UnixMicro()) / 1e6) }

// parseTime reads RFC 3339, also with a zone without colon as Wazuh writes it,
// and with a blank instead of T.
func parseTime(text string) (time.Time, error) {
	text = strings.Replace(text, " ", "T", 1)
	if t, err := time.Parse("2006-01-02T15:04:05.999999999Z0700", text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

// zone is a zone by its name: UTC, Europe/Berlin, +0200. Those with a name are
// read once.
func (m *machine) zone(name string) (*time.Location, error) {
	if offset, err := time.Parse("Z0700", name); err == nil {
		return offset.Location(), nil
	}
	if zone := m.zones[name]; zone != nil {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		if m.zones == nil {
			m.zones = map[string]*time.Location{}
		}
		m.zones[name] = zone // there are some hundred at most
	}
	return zone, err
}

// directives are those of strftime, in Go's way to write them.
var directives = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'j': "002",
	'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'f': "000000",
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January",
	'z': "-0700", 'Z': "MST", 'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06",
}

// strftime formats t; what it doesn't know stays as it is.
func strftime(t time.Time, format string) string {
	var b []byte
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b = append(b, format[i])
			continue
		}
		i++
		switch layout, ok := directives[format[i]]; {
		case format[i] == '%':
			b = append(b, '%')
		case format[i] == 'f': // microseconds
			b = append(b, t.Format(".000000")[1:]...)
		case ok:
			b = t.AppendFormat(b, layout)
		default:
			b = append(b, '%', format[i])
		}
	}
	return string(b)
}
