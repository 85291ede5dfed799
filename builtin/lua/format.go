package lua

import (
	"fmt"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// maxFormat is how long the result of one directive of string.format can be,
// beside a text itself: Lua allows two digits of width and of precision.
const maxFormat = 512

// stringFormat is Lua's, not Go's: gopher-lua hands the format to package fmt,
// with all its directives and without a bound.
func (m *machine) stringFormat(L *lua.LState) int {
	format := m.checkText(L, 1)
	m.budget.alloc(int64(len(format)))
	out := make([]byte, 0, len(format)+32)
	arg := 1
	for {
		percent := strings.IndexByte(format, '%')
		if percent < 0 {
			out = append(out, format...)
			break
		}
		out = append(out, format[:percent]...)
		format = format[percent+1:]
		if strings.HasPrefix(format, "%") {
			out, format = append(out, '%'), format[1:]
			continue
		}
		d, rest := m.directive(format)
		format = rest
		arg++
		m.budget.spend(2)
		out = m.appendFormatted(out, L, d, arg)
	}
	return m.push(L, string(out))
}

// directive is one %…c.
type directive struct {
	spec string // flags, width and precision
	verb byte
}

func (m *machine) directive(format string) (directive, string) {
	i := 0
	digits := func(most int) {
		from := i
		for i < len(format) && format[i] >= '0' && format[i] <= '9' {
			i++
		}
		if i-from > most {
			m.L.RaiseError("invalid format (width or precision too long)")
		}
	}
	for i < len(format) && strings.IndexByte("-+ #0", format[i]) >= 0 {
		i++
	}
	if i > 5 {
		m.L.RaiseError("invalid format (repeated flags)")
	}
	digits(2)
	if i < len(format) && format[i] == '.' {
		i++
		digits(2)
	}
	if i == len(format) {
		m.L.RaiseError("invalid format (ends with '%%')")
	}
	return directive{spec: format[:i], verb: format[i]}, format[i+1:]
}

func (m *machine) appendFormatted(out []byte, L *lua.LState, d directive, arg int) []byte {
	switch d.verb {
	case 'd', 'i':
		if n, ok := numberOf(L.Get(arg)); ok && d.spec == "" {
			return append(out, n.value.Number()...)
		}
		return fmt.Appendf(out, "%"+d.spec+"d", int64(m.checkNumber(L, arg)))
	case 'u':
		return fmt.Appendf(out, "%"+d.spec+"d", uint64(int64(m.checkNumber(L, arg))))
	case 'c':
		return append(out, byte(int64(m.checkNumber(L, arg))))
	case 'o', 'x', 'X':
		return fmt.Appendf(out, "%"+d.spec+string(d.verb), uint64(int64(m.checkNumber(L, arg))))
	case 'e', 'E', 'f', 'g', 'G':
		return fmt.Appendf(out, "%"+d.spec+string(d.verb), float64(m.checkNumber(L, arg)))
	case 'q':
		s := m.checkText(L, arg)
		m.budget.alloc(int64(2 * len(s)))
		return appendQuoted(out, s)
	case 's':
		s := m.tostring(L.CheckAny(arg))
		m.budget.alloc(int64(len(s)) + maxFormat)
		if d.spec == "" {
			return append(out, s...)
		}
		return appendPadded(out, d.spec, s)
	}
	L.RaiseError("invalid option '%%%c' to 'format'", d.verb)
	return out
}

// checkNumber is argument n as a float.
func (m *machine) checkNumber(L *lua.LState, n int) lua.LNumber {
	if number, ok := numberOf(L.Get(n)); ok {
		f, _ := number.value.Float64()
		return lua.LNumber(f)
	}
	if f, ok := L.Get(n).(lua.LNumber); ok {
		return f
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(L.CheckString(n)), 64)
	if err != nil {
		L.ArgError(n, "number expected, got string")
	}
	return lua.LNumber(f)
}

// appendPadded is %s with width and precision, which count bytes.
func appendPadded(out []byte, spec, s string) []byte {
	left := strings.Contains(spec, "-")
	width, precision, cutting := strings.Cut(strings.TrimLeft(spec, "-+ #0"), ".")
	if cutting {
		n, _ := strconv.Atoi(precision)
		s = s[:min(n, len(s))]
	}
	n, _ := strconv.Atoi(width)
	pad := strings.Repeat(" ", max(n-len(s), 0))
	if left {
		return append(append(out, s...), pad...)
	}
	return append(append(out, pad...), s...)
}

// appendQuoted is %q: a string that Lua reads back.
func appendQuoted(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			out = append(out, '\\', c)
		case '\r':
			out = append(out, `\r`...)
		case 0:
			out = append(out, `\000`...)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
