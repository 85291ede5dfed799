package console

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
)

func TestLine(t *testing.T) {
	for _, c := range []struct {
		log  func(*slog.Logger)
		want string
	}{
		{func(l *slog.Logger) { l.Info("started") }, "INFO  started"},
		{func(l *slog.Logger) { l.Debug("hidden") }, ""},
		{func(l *slog.Logger) { l.With("component", "sink.kafka.dfn").Warn("waits", "after", 3*time.Second) }, "WARN  waits component=sink.kafka.dfn after=3s"},
		{func(l *slog.Logger) { l.Error("no", "error", errors.New("a b\x1b[2J")) }, `ERROR no error="a b\x1b[2J"`},
		{func(l *slog.Logger) { l.Info("two\nlines", "empty", "", "x=y", 1) }, "INFO  two\uFFFDlines empty=\"\" x=y=1"},
		{func(l *slog.Logger) { l.WithGroup("a").With("b", 1).Info("g", slog.Group("c", "d", "é")) }, "INFO  g a.b=1 a.c.d=é"},
	} {
		var b bytes.Buffer
		c.log(slog.New(New(&b, slog.LevelInfo, false)))
		got := strings.TrimSuffix(b.String(), "\n")
		if c.want == "" {
			if got != "" {
				t.Errorf("got %q, want nothing", got)
			}
			continue
		}
		date, rest := got[:24], got[24:]
		if _, err := time.Parse("2006-01-02 15:04:05.000 ", date); err != nil || rest != c.want {
			t.Errorf("got %q, want %q", rest, c.want)
		}
	}
}

func TestColor(t *testing.T) {
	var b bytes.Buffer
	slog.New(New(&b, slog.LevelInfo, true)).Error("x")
	if !strings.Contains(b.String(), "\x1b[31mERROR\x1b[0m x") {
		t.Errorf("got %q", b.String())
	}
}

// TestContract holds the handler to what slog wants of every handler; its lines
// are taken apart again.
func TestContract(t *testing.T) {
	var b bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler { b.Reset(); return New(&b, slog.LevelInfo, false) }, func(t *testing.T) map[string]any {
		line := strings.TrimSuffix(b.String(), "\n")
		out := map[string]any{}
		if _, err := time.Parse("2006-01-02 15:04:05.000", line[:min(23, len(line))]); err == nil {
			out[slog.TimeKey] = line[:23]
			line = line[24:]
		}
		level, rest, _ := strings.Cut(line, " ")
		out[slog.LevelKey] = level
		words := strings.Fields(rest)
		out[slog.MessageKey] = words[0]
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			at := out
			for group, inner, ok := strings.Cut(name, "."); ok; group, inner, ok = strings.Cut(name, ".") {
				if at[group] == nil {
					at[group] = map[string]any{}
				}
				at, name = at[group].(map[string]any), inner
			}
			at[name] = value
		}
		return out
	})
}
