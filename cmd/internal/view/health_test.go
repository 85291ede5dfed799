package view

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// When a target that fails is tried again stands wherever its health does.
func TestNextTry(t *testing.T) {
	for _, c := range []struct {
		after time.Duration // 0: the sink sees to it itself
		open  bool
		want  string
	}{
		{0, false, ""},
		{30 * time.Second, false, "tried again in 30s"},
		{90*time.Second + time.Millisecond, true, "open: one event is tried in 1m30s"},
		{-time.Second, false, ""},
		{-time.Second, true, "open: one event is tried now"},
	} {
		s := moment(4)
		n := &s.Nodes[2]
		n.Health, n.CircuitOpen = errors.New("429 slow down"), c.open
		if c.after != 0 {
			n.RetryAt = s.Time.Add(c.after)
		}
		waits := "429 slow down"
		if c.want != "" {
			waits += "; " + c.want
		}
		if got := Status(pipeline(), s); !strings.HasSuffix(got, "sink.nats.alerts waits: "+waits) {
			t.Errorf("the status is %q, want %q", got, waits)
		}
		if got := trouble(*n, s.Time); got != "  waiting: "+waits+" (last answer 0:04 ago)" {
			t.Errorf("the table says %q", got)
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).LogAttrs(context.Background(), slog.LevelInfo, "stats", Stats(pipeline(), moment(2), s)...)
		if got, want := b.String(), `sink.nats.alerts.next_try="`+c.want+`"`; strings.Contains(got, want) == (c.want == "") {
			t.Errorf("the statistics lack %s: %s", want, got)
		}
	}
}
