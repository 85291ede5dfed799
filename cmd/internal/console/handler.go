// Package console writes log records for a person to read.
package console

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Handler writes a record as one line: time, level, message, then its
// attributes as name=value, names of groups in front with a dot. Control
// characters of values never reach the terminal.
type Handler struct {
	mu     *sync.Mutex
	out    io.Writer
	level  slog.Leveler
	color  bool
	prefix string // of groups
	attrs  string // of With, as they are written
}

// New is a handler that writes records of at least level to out, with colours
// if color.
func New(out io.Writer, level slog.Leveler, color bool) *Handler {
	return &Handler{mu: new(sync.Mutex), out: out, level: level, color: color}
}

// Enabled says whether records of level are written.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

// WithAttrs is h with attrs in each record.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	k := *h
	var b bytes.Buffer
	for _, a := range attrs {
		attr(&b, h.prefix, a)
	}
	k.attrs += b.String()
	return &k
}

// WithGroup is h with name in front of the attributes to come.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	k := *h
	k.prefix += name + "."
	return &k
}

// Handle writes r.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	if !r.Time.IsZero() {
		b.WriteString(r.Time.Format("2006-01-02 15:04:05.000 "))
	}
	b.WriteString(h.paint(r.Level))
	b.WriteString(" " + visible(r.Message))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool { attr(&b, h.prefix, a); return true })
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.out.Write(b.Bytes())
	return err
}

func (h *Handler) paint(l slog.Level) string {
	text := l.String()
	text += strings.Repeat(" ", max(5-len(text), 0))
	switch {
	case h.color && l >= slog.LevelError:
		return "\x1b[31m" + text + "\x1b[0m"
	case h.color && l >= slog.LevelWarn:
		return "\x1b[33m" + text + "\x1b[0m"
	}
	return text
}

func attr(b *bytes.Buffer, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return
	}
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			attr(b, prefix, member)
		}
		return
	}
	b.WriteString(" " + visible(prefix+a.Key) + "=" + quote(text(v)))
}

func text(v slog.Value) string {
	if v.Kind() == slog.KindTime {
		return v.Time().Format(time.RFC3339Nano)
	}
	return v.String()
}

// quote is s as it is where it is one plain word.
func quote(s string) string {
	plain := func(c rune) bool { return c > ' ' && c != '"' && c != '=' && c != utf8.RuneError && unicode.IsPrint(c) }
	if s != "" && !slices.ContainsFunc([]rune(s), func(c rune) bool { return !plain(c) }) {
		return s
	}
	return strconv.Quote(s)
}

// visible is s without what a terminal would obey.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return utf8.RuneError
		}
		return c
	}, s)
}
