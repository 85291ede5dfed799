package console

import (
	"io"
	"log/slog"
)

// NewJSON is a handler that writes records of at least level to out, one JSON
// object a line. Durations are texts with their units.
func NewJSON(out io.Writer, level slog.Leveler) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: readable})
}

// readable is a with a duration in words: alone it would be a number of nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
