package view

import (
	"fmt"
	"log/slog"
	"math"

	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Stats is the log line of what has happened between two snapshots: the five
// numbers, memory and workers, then a group for each component and connection.
func Stats(p *plan.Plan, from, to graph.Snapshot) []slog.Attr {
	t, before := Sum(p, to), Sum(p, from)
	seconds := to.Time.Sub(from.Time).Seconds()
	attrs := []slog.Attr{
		slog.Int64("read", t.Read), slog.Float64("read_per_s", ratio(t.Read-before.Read, seconds)),
		slog.Int64("matched", t.Matched),
		slog.Int64("delivered", t.Delivered), slog.Float64("delivered_per_s", ratio(t.Delivered-before.Delivered, seconds)),
		slog.Int64("dropped", t.Dropped), slog.Int64("errors", t.Errors),
		slog.Int64("memory_bytes", to.MemoryUsed),
	}
	if to.MemoryLimit > 0 {
		attrs = append(attrs, slog.Int64("memory_limit_bytes", to.MemoryLimit))
	}
	attrs = append(attrs, slog.Int("workers", to.Workers), slog.Int("workers_busy", to.WorkersBusy), slog.Int("lots_waiting", to.WorkersQueue))
	for _, n := range to.Nodes {
		attrs = append(attrs, slog.Attr{Key: n.Address, Value: slog.GroupValue(nodeStats(n, from, to)...)})
	}
	for _, c := range to.Connections {
		health := "well"
		if c.Health != nil {
			health = c.Health.Error()
		}
		attrs = append(attrs, slog.Group(c.Address, slog.Int("users", c.Users), slog.String("health", health)))
	}
	return attrs
}

func nodeStats(n graph.NodeSnapshot, from, to graph.Snapshot) []slog.Attr {
	attrs := []slog.Attr{slog.Int64("in", n.In), slog.Float64("in_per_s", tenths(Rate(from, to, n.Address, in))), slog.Int64("out", n.Out)}
	add := func(name string, v int64) {
		if v != 0 {
			attrs = append(attrs, slog.Int64(name, v))
		}
	}
	add("rejected", n.Rejected)
	add("dropped", n.Dropped)
	add("errors", n.Errors)
	add("unlike", n.Unlike)
	add("repaired", n.Repaired)
	if n.Type == plan.Source {
		if n.HasProgress {
			attrs = append(attrs, slog.String("path", n.Path), slog.Int64("read_bytes", n.Read), slog.Int64("behind_bytes", max(n.Total-n.Read, 0)))
		}
		add("gaps", n.Gaps)
		add("missed_bytes", n.MissedBytes)
		attrs = append(attrs, slog.String("queue", percent(fill(n))))
	}
	if n.Type == plan.Sink {
		attrs = append(attrs, slog.String("queue", percent(fill(n))), slog.Int("queue_events", n.QueueEvents), slog.Int("in_flight", n.InFlight))
		add("retries", n.Retries)
		switch {
		case n.Health == nil:
			attrs = append(attrs, slog.String("health", "well"))
		case n.Connection != "": // which says why, once for all
			attrs = append(attrs, slog.String("health", "waits for "+n.Connection))
		default:
			attrs = append(attrs, slog.String("health", n.Health.Error()))
			if next := nextTry(n, to.Time); next != "" {
				attrs = append(attrs, slog.String("next_try", next))
			}
		}
		attrs = append(attrs, slog.String("last_ack", ago(to.Time, n.LastAck)))
		if !n.Detached.IsZero() {
			attrs = append(attrs, slog.String("detached", ago(to.Time, n.Detached)), slog.Int64("behind_bytes", n.Behind))
		}
	}
	return attrs
}

// Status is the pipeline in one line, as systemctl status shows it. Components
// that wait for their connection are told by its name.
func Status(p *plan.Plan, s graph.Snapshot) string {
	t := Sum(p, s)
	line := fmt.Sprintf("read %d, matched %d, delivered %d, dropped %d, errors %d", t.Read, t.Matched, t.Delivered, t.Dropped, t.Errors)
	for _, c := range s.Connections {
		if c.Health != nil {
			line += fmt.Sprintf("; %s waits: %s", c.Address, Visible(c.Health.Error()))
		}
	}
	for _, n := range s.Nodes {
		if n.Health != nil && n.Connection == "" {
			line += fmt.Sprintf("; %s waits: %s", n.Address, waitsFor(n, s.Time))
		}
		if n.Gaps > 0 {
			line += fmt.Sprintf("; %s: %s", n.Address, gaps(n))
		}
	}
	return line
}

func ratio(n int64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return tenths(float64(n) / seconds)
}

func tenths(v float64) float64 { return math.Round(v*10) / 10 }
