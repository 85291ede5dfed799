package view

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
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

// A connection that fails is told once, and by whom it is waited for.
func TestAConnectionIsToldOnce(t *testing.T) {
	s := moment(4)
	why := errors.New("dialing: refused")
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Type == plan.Sink {
			n.Health, n.Connection = why, "connection.nats.bus"
		}
	}
	s.Connections = []graph.ConnectionSnapshot{{Address: "connection.nats.bus", Users: 3, Health: why}, {Address: "connection.nats.calm", Users: 1}}
	if got := Status(pipeline(), s); !strings.HasSuffix(got, "errors 1; connection.nats.bus waits: dialing: refused") {
		t.Errorf("the status is %q", got)
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).LogAttrs(context.Background(), slog.LevelInfo, "stats", Stats(pipeline(), moment(2), s)...)
	for _, text := range []string{`connection.nats.bus.health="dialing: refused"`, `connection.nats.calm.health=well`, `sink.nats.alerts.health="waits for connection.nats.bus"`} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("the statistics lack %s: %s", text, &b)
		}
	}
	if n := strings.Count(b.String(), "refused"); n != 1 {
		t.Errorf("told %d times: %s", n, &b)
	}
}
