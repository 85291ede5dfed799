//go:build integration

package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sinkKind is a kind of sink, with the promise it makes about duplicates.
type sinkKind string

const (
	kafka sinkKind = "kafka"
	once  sinkKind = "kafka, exactly once"
	natsJ sinkKind = "nats"
	files sinkKind = "file"
)

// shape is the pipeline of a schedule, as the seed wants it.
type shape struct {
	pipe       bool // standard input behind a queue on disk; else the alerts file
	style      style
	sinks      []sinkKind
	partitions int32
	queue      int           // max_events in front of a sink
	workers    int           // of the process
	smallDisk  bool          // the state directory is on one
	patience   time.Duration // shutdown_timeout
	memory     int           // of the process; 0: as much as it likes

	edits int // of what means the same: each makes another configuration
	sink  int // of the sinks themselves
}

func drawShape(rng *rand.Rand) shape {
	s := shape{
		style:      []style{byLink, byLink, byLink, byNumber, byDate, byCopy, byTruncate}[rng.IntN(7)],
		partitions: []int32{1, 1, 3}[rng.IntN(3)],
		queue:      []int{30, 200, 10_000}[rng.IntN(3)],
		workers:    1 + rng.IntN(3),
		smallDisk:  rng.IntN(3) == 0,
		patience:   3 * time.Second,
	}
	s.sinks = [][]sinkKind{
		{kafka}, {kafka}, {once}, {once}, {natsJ}, {natsJ}, {files},
		{kafka, files}, {kafka, natsJ}, {once, natsJ}, {once, files}, {natsJ, files}, {once, kafka},
	}[rng.IntN(13)]
	s.pipe = rng.IntN(7) == 0 && !s.has(once) // exactly once wants positions
	return s
}

func (s shape) has(k sinkKind) bool { return slices.Contains(s.sinks, k) }

// networks says which of the servers the sinks need.
func (s shape) networks() (toKafka, toNATS bool) { return s.has(kafka) || s.has(once), s.has(natsJ) }

func (s shape) String() string {
	var b strings.Builder
	if s.pipe {
		b.WriteString("stdin with a queue on disk")
	} else {
		fmt.Fprintf(&b, "file rotated by %s", s.style)
	}
	fmt.Fprintf(&b, " → %v, %d partitions, queue of %d, %d workers", s.sinks, s.partitions, s.queue, s.workers)
	if s.smallDisk {
		b.WriteString(", small disk")
	}
	return b.String()
}

// source is the address of the source.
func (s shape) source() string {
	if s.pipe {
		return "source.stdin.alerts"
	}
	return "source.file.alerts"
}

// address is that of a sink.
func (k sinkKind) address() string {
	switch k {
	case kafka:
		return "sink.kafka.plain"
	case once:
		return "sink.kafka.once"
	case natsJ:
		return "sink.nats.stream"
	}
	return "sink.file.out"
}

// topic is the one of a Kafka sink in the schedule of this name.
func (k sinkKind) topic(schedule string) string {
	return schedule + strings.TrimPrefix(k.address(), "sink.kafka")
}

// text is the pipeline file.
func (s shape) text(alerts, name string, l *lane) string {
	var b strings.Builder
	fmt.Fprintf(&b, "runtime {\n  name = %q\n  workers = %d\n  shutdown_timeout = %q\n", name, s.workers, s.patience)
	if s.memory > 0 {
		fmt.Fprintf(&b, "  memory = \"%dMiB\"\n", s.memory>>20)
	}
	b.WriteString("}\n")
	switch {
	case s.pipe:
		b.WriteString("source \"stdin\" \"alerts\" {\n  queue {\n    storage = \"disk\"\n    max_bytes = \"8MiB\"\n  }\n}\n")
	case s.style == byLink:
		fmt.Fprintf(&b, "source \"file\" \"alerts\" {\n  path = %q\n  profile = \"wazuh4\"\n}\n", alerts)
	default:
		fmt.Fprintf(&b, "source \"file\" \"alerts\" {\n  path = %q\n}\n", alerts)
	}
	same := []string{filter, "not (rule.level < 3)", "rule.level > 2"}[s.edits%3]
	fmt.Fprintf(&b, "filter \"wanted\" {\n  from = %s\n  where = %q\n}\n", s.source(), same)
	for _, k := range s.sinks {
		switch k {
		case kafka, once:
			fmt.Fprintf(&b, "sink \"kafka\" %q {\n  from = filter.wanted\n  brokers = [%q]\n  topic = %q\n  key = \"{{ agent.id }}\"\n  client_id = \"etl%d\"\n",
				strings.TrimPrefix(k.address(), "sink.kafka."), l.kafka.Address, k.topic(name), s.sink)
			b.WriteString("  headers = { id = \"{{ meta.id }}\" }\n")
			if k == once {
				b.WriteString("  delivery = \"exactly_once\"\n")
			}
		case natsJ:
			fmt.Fprintf(&b, "sink \"nats\" \"stream\" {\n  from = filter.wanted\n  url = \"nats://%s\"\n  subject = \"%s.{{ agent.id }}\"\n  headers = { Event = \"{{ meta.id }}\", Edit = \"%d\" }\n", l.nats.Address, name, s.sink)
		case files:
			fmt.Fprintf(&b, "sink \"file\" \"out\" {\n  from = filter.wanted\n  path = \"out.jsonl\"\n  payload = \"{{ meta.id }} {{ origin }}\"\n  max_open = %d\n", 10+s.sink)
		}
		fmt.Fprintf(&b, "  retry { max = \"300ms\" }\n  queue { max_events = %d }\n}\n", s.queue)
	}
	return b.String()
}

// targets makes what the sinks deliver to, by their addresses.
func (s shape) targets(t *testing.T, on *site, name string, d *daemon) map[sinkKind]target {
	all := map[sinkKind]target{}
	for _, k := range s.sinks {
		switch k {
		case kafka, once:
			level := kgo.ReadUncommitted()
			if k == once {
				level = kgo.ReadCommitted()
			}
			all[k] = newTopic(t, on, k.topic(name), s.partitions, level)
		case natsJ:
			all[k] = newStream(t, on, name)
		case files:
			all[k] = out{d.state() + "/out.jsonl"}
		}
	}
	return all
}
