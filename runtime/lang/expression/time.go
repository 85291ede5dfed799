package expression

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones by name, also where the machine has no zone files

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

var timeFunctions = []function{
	{name: "time", args: "value", doc: "The time of a text as RFC 3339 has it (also with +0200, with a blank for the T, without zone: UTC) or of a number of seconds, milli-, micro- or nanoseconds since 1970; nil of anything else.", result: document.Time, call: toTime},
	{name: "format_time", args: "time, format, zone?", doc: "The time as text, in the zone if one is named: `%Y %m %d %H %M %S`, `%L` milliseconds, `%f` microseconds, `%N` nanoseconds, `%z` +0200, `%:z` +02:00, `%Z`, `%j` day of the year, `%a %A %b %B` names, `%e`, `%I %p`, `%y`, `%G %V %u` ISO week, `%s` seconds since 1970, `%F` = `%Y-%m-%d`, `%T` = `%H:%M:%S`, `%%`. A text or number counts as time() of it.", result: document.Text, call: formatTime},
	{name: "now", args: "zone?", doc: "The time it is, in the zone if one is named.", result: document.Time, dynamic: true, call: func(f *frame, a []document.Value) document.Value {
		now := f.clock()
		if len(a) == 0 {
			return document.NewTime(now)
		}
		if z := zone(a[0]); z != nil {
			return document.NewTime(now.In(z))
		}
		return f.nothing()
	}},
	{name: "duration", args: "text", doc: "The duration that the text spells: \"250ms\", \"1h30m\", \"7d\".", result: document.Duration, call: toDuration},
	{name: "date", args: "text, layout?, zone?", doc: "The time that the text spells in a layout of Go (\"02.01.2006 15:04\"), or in one of the usual ones; nil if it does not.", result: document.Time, call: date},
	{name: "timezone", args: "name", doc: "The name, if a zone is called that; else nil.", result: document.Text, call: func(f *frame, a []document.Value) document.Value {
		if zone(a[0]) == nil {
			return f.nothing()
		}
		return a[0]
	}},
}

// instant is the time that v is or spells.
func instant(v document.Value) (time.Time, bool) {
	switch v.Kind() {
	case document.Time:
		return v.Time(), true
	case document.Text:
		return parseTime(v.Text())
	case document.Number:
		return epoch(v)
	}
	return time.Time{}, false
}

func toTime(f *frame, args []document.Value) document.Value {
	t, ok := instant(args[0])
	if !ok {
		return f.nothing()
	}
	return document.NewTime(t)
}

// epoch is a number of seconds since 1970, or of thousandths, millionths or
// billionths of them: each takes over where the one before would be past the year 5000.
func epoch(v document.Value) (time.Time, bool) {
	const farSecond = 1e11
	if i, ok := v.Int64(); ok {
		switch size := math.Abs(float64(i)); {
		case size < farSecond:
			return time.Unix(i, 0).UTC(), true
		case size < farSecond*1e3:
			return time.UnixMilli(i).UTC(), true
		case size < farSecond*1e6:
			return time.UnixMicro(i).UTC(), true
		}
		return time.Unix(0, i).UTC(), true
	}
	x, ok := v.Float64()
	if !ok || math.Abs(x) >= farSecond*1e3 {
		return time.Time{}, false
	}
	if math.Abs(x) >= farSecond {
		return time.UnixMicro(int64(math.Round(x * 1e3))).UTC(), true
	}
	second, fraction := math.Modf(x)
	return time.Unix(int64(second), int64(math.Round(fraction*1e6))*1e3).UTC(), true
}

// parseTime reads 2025-06-02T21:47:23.199+0800 and what looks like it. It is
// written by hand because time.Parse wants to know beforehand how the zone is
// written and how many digits a fraction has.
func parseTime(s string) (time.Time, bool) {
	p := clockText{rest: s, ok: true}
	year, month, day := p.number(4), p.after('-', 2), p.after('-', 2)
	if !p.ok {
		return time.Time{}, false
	}
	if p.rest == "" {
		return p.time(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	if c := p.rest[0]; c != 'T' && c != 't' && c != ' ' {
		return time.Time{}, false
	}
	p.rest = p.rest[1:]
	hour, minute, second, nano := p.number(2), p.after(':', 2), 0, 0
	if strings.HasPrefix(p.rest, ":") {
		second = p.after(':', 2)
		nano = p.fraction()
	}
	at := p.zone()
	if !p.ok || p.rest != "" {
		return time.Time{}, false
	}
	return p.time(year, month, day, hour, minute, second, nano, at)
}

type clockText struct {
	rest string
	ok   bool
}

func (p *clockText) number(digits int) int {
	if len(p.rest) < digits {
		p.ok = false
		return 0
	}
	n := 0
	for _, c := range []byte(p.rest[:digits]) {
		if c < '0' || c > '9' {
			p.ok = false
			return 0
		}
		n = n*10 + int(c-'0')
	}
	p.rest = p.rest[digits:]
	return n
}

func (p *clockText) after(separator byte, digits int) int {
	if p.rest == "" || p.rest[0] != separator {
		p.ok = false
		return 0
	}
	p.rest = p.rest[1:]
	return p.number(digits)
}

// fraction is what stands behind the seconds, in nanoseconds; what is finer is cut.
func (p *clockText) fraction() int {
	if p.rest == "" || p.rest[0] != '.' && p.rest[0] != ',' {
		return 0
	}
	end := 1
	nano, unit := 0, 100_000_000
	for end < len(p.rest) && p.rest[end] >= '0' && p.rest[end] <= '9' {
		nano += int(p.rest[end]-'0') * unit
		unit /= 10
		end++
	}
	p.ok = p.ok && end > 1
	p.rest = p.rest[end:]
	return nano
}

func (p *clockText) zone() *time.Location {
	p.rest = strings.TrimPrefix(p.rest, " ")
	if p.rest == "" {
		return time.UTC
	}
	sign := 1
	switch p.rest[0] {
	case 'Z', 'z':
		p.rest = p.rest[1:]
		return time.UTC
	case '-':
		sign = -1
	case '+':
	default:
		p.ok = false
		return time.UTC
	}
	p.rest = p.rest[1:]
	hours, minutes := p.number(2), 0
	if p.rest != "" {
		p.rest = strings.TrimPrefix(p.rest, ":")
		minutes = p.number(2)
	}
	p.ok = p.ok && hours < 24 && minutes < 60
	return fixedZone(sign * (hours*3600 + minutes*60))
}

var fixedZones sync.Map // seconds east -> *time.Location

func fixedZone(east int) *time.Location {
	if east == 0 {
		return time.UTC
	}
	if z, ok := fixedZones.Load(east); ok {
		return z.(*time.Location)
	}
	z, _ := fixedZones.LoadOrStore(east, time.FixedZone("", east))
	return z.(*time.Location)
}

func (p *clockText) time(year, month, day, hour, minute, second, nano int, at *time.Location) (time.Time, bool) {
	if !p.ok || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nano, at)
	if day < 1 || time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() != day {
		return time.Time{}, false
	}
	return t, true
}

var zones sync.Map // name -> *time.Location, nil if there is none

// zone is the time zone that v names; nil if there is none. The machine's own
// zone is none: a pipeline means the same everywhere.
func zone(v document.Value) *time.Location {
	name := v.Text()
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location)
	}
	if name == "" || name == "Local" || len(name) > 64 {
		return nil
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil // not kept: events could name any number of them
	}
	zones.Store(strings.Clone(name), z)
	return z
}

func formatTime(f *frame, args []document.Value) document.Value {
	t, ok := instant(args[0])
	if !ok || args[1].Kind() != document.Text {
		return f.nothing()
	}
	if len(args) > 2 {
		z := zone(args[2])
		if z == nil {
			return f.nothing()
		}
		t = t.In(z)
	}
	out, wrong := appendTime(f.buffer[:0], t, args[1].Text())
	if wrong != "" {
		return f.nothing()
	}
	return f.finish(out)
}

// appendTime appends t as format says; wrong is the first directive that is none.
func appendTime(dst []byte, t time.Time, format string) (out []byte, wrong string) {
	for {
		at := strings.IndexByte(format, '%')
		if at < 0 {
			return append(dst, format...), ""
		}
		dst = append(dst, format[:at]...)
		format = format[at+1:]
		directive := format[:min(1, len(format))]
		if strings.HasPrefix(format, ":z") {
			directive = ":z"
		}
		format = format[len(directive):]
		switch directive {
		case "%":
			dst = append(dst, '%')
		case "s":
			dst = strconv.AppendInt(dst, t.Unix(), 10)
		case "L":
			dst = padded(dst, t.Nanosecond()/1e6, 3)
		case "f":
			dst = padded(dst, t.Nanosecond()/1e3, 6)
		case "N":
			dst = padded(dst, t.Nanosecond(), 9)
		case "u":
			dst = append(dst, '0'+byte((t.Weekday()+6)%7+1))
		case "w":
			dst = append(dst, '0'+byte(t.Weekday()))
		case "G":
			year, _ := t.ISOWeek()
			dst = padded(dst, year, 4)
		case "V":
			_, week := t.ISOWeek()
			dst = padded(dst, week, 2)
		default:
			layout, ok := layouts[directive]
			if !ok {
				return dst, "%" + directive
			}
			dst = t.AppendFormat(dst, layout)
		}
	}
}

var layouts = map[string]string{
	"Y": "2006", "y": "06", "m": "01", "d": "02", "e": "_2", "H": "15", "I": "03", "M": "04", "S": "05", "p": "PM", "j": "002",
	"a": "Mon", "A": "Monday", "b": "Jan", "B": "January", "h": "Jan",
	"z": "-0700", ":z": "-07:00", "Z": "MST", "F": "2006-01-02", "T": "15:04:05", "R": "15:04", "D": "01/02/06",
}

func padded(dst []byte, n, digits int) []byte {
	s := strconv.Itoa(n)
	for i := len(s); i < digits; i++ {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

func toDuration(f *frame, args []document.Value) document.Value {
	s := args[0].Text()
	if args[0].Kind() == document.Duration {
		return args[0]
	}
	if d, err := time.ParseDuration(s); err == nil {
		return document.NewDuration(d)
	}
	if days, ok := strings.CutSuffix(s, "d"); ok && looksNumeric(days) {
		if x, err := strconv.ParseFloat(days, 64); err == nil {
			return document.NewDuration(clampDuration(x * float64(24*time.Hour)))
		}
	}
	return f.nothing()
}

var usualLayouts = []string{time.DateOnly, time.TimeOnly, time.DateTime, time.RFC3339, time.RFC822, time.RFC850, time.RFC1123, time.RFC1123Z, time.ANSIC}

func date(f *frame, args []document.Value) document.Value {
	s, ok := texts(args)
	if !ok || args[0].Kind() != document.Text {
		return f.nothing()
	}
	in := time.UTC
	if len(args) > 2 {
		if in = zone(args[2]); in == nil {
			return f.nothing()
		}
	}
	tries := usualLayouts
	if len(args) > 1 {
		tries = []string{s[1]}
	}
	for _, layout := range tries {
		if t, err := time.ParseInLocation(layout, s[0], in); err == nil {
			return document.NewTime(t)
		}
	}
	return f.nothing()
}

// checkTimeArguments reports a zone or a format that is none.
func (c *compiler) checkTimeArguments(name string, args []code, nodes []ast.Node) {
	zoneAt := map[string]int{"format_time": 2, "date": 2}[name]
	if zoneAt < len(args) && args[zoneAt].known {
		if v := args[zoneAt].value; !v.IsNil() && zone(v) == nil {
			c.problem(nodes[zoneAt], Literal, "there is no time zone called "+string(v.AppendText(nil)), "write a name like 'Europe/Berlin' or 'UTC'")
		}
	}
	if name == "format_time" && args[1].known && args[1].value.Kind() == document.Text {
		if _, wrong := appendTime(nil, time.Time{}, args[1].value.Text()); wrong != "" {
			c.problem(nodes[1], Literal, "format_time knows no "+wrong, "see format_time in the reference; a percent sign is %%")
		}
	}
}
