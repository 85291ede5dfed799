package view

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

var start = time.Date(2025, 10, 9, 12, 0, 0, 0, time.UTC)

type shelf struct{ place, command string }

func (shelf) Encode(*component.Message) error                     { return nil }
func (shelf) Open(context.Context, *component.Host) error         { return nil }
func (shelf) Deliver(context.Context, []*component.Message) error { return nil }
func (shelf) Close() error                                        { return nil }
func (s shelf) Destination() (string, string)                     { return s.place, s.command }

// pipeline is a source, a filter, a sink and a receipt behind it.
func pipeline() *plan.Plan {
	source := &plan.Node{Address: "source.file.alerts", Type: plan.Source, Kind: "file"}
	filter := &plan.Node{Address: "filter.bans", Type: plan.Filter, Inputs: []plan.Port{{Node: source}}}
	sink := &plan.Node{Address: "sink.nats.alerts", Type: plan.Sink, Inputs: []plan.Port{{Node: filter}}, Sink: shelf{"stream ALERTS in /s", "etl peek /s"}}
	receipt := &plan.Node{Address: "sink.wazuh.receipt", Type: plan.Sink, Inputs: []plan.Port{{Node: sink, Output: plan.Delivered}}}
	return &plan.Plan{Name: "quickstart", Nodes: []*plan.Node{source, filter, sink, receipt}}
}

// moment is what pipeline has done after so many seconds, at 100 lines a second.
func moment(seconds int64) graph.Snapshot {
	n := seconds * 100
	return graph.Snapshot{
		Time: start.Add(time.Duration(seconds) * time.Second), Workers: 2, WorkersBusy: 1, MemoryUsed: 4096,
		Nodes: []graph.NodeSnapshot{
			{Address: "source.file.alerts", Type: plan.Source, In: n, Out: n - 1, Errors: 1, HasProgress: true, Read: n * 1024, Total: 1000 * 1024, Path: "/a.json"},
			{Address: "filter.bans", Type: plan.Filter, In: n - 1, Out: n / 2, Rejected: n - 1 - n/2},
			{Address: "sink.nats.alerts", Type: plan.Sink, In: n / 2, Out: n / 4, QueueEvents: 25, QueueMaxEvents: 100,
				Health: errors.New("dialing\x1b[2J: refused"), LastAck: start, Retries: 3},
			{Address: "sink.wazuh.receipt", Type: plan.Sink, In: n / 4, Out: n / 5, Dropped: 7},
			{Address: graph.DeadLetters, Type: plan.Sink},
		},
		Drops: []graph.Drop{{Address: "sink.wazuh.receipt", Reason: "drop_oldest", Count: 7}},
	}
}

func TestSumCountsADeliveryOnce(t *testing.T) {
	if got, want := Sum(pipeline(), moment(4)), (Totals{Read: 400, Matched: 200, Delivered: 100, Dropped: 7, Errors: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTable(t *testing.T) {
	var m meter
	for s := int64(0); s <= 8; s++ {
		m.add(moment(s))
	}
	lines := table(pipeline(), &m, start, 140, 40)
	want := []string{
		"quickstart  0:08  4.0 KiB in flight",
		"read 800 (100/s)  matched 400  delivered 200  dropped 7  errors 1",
		"                        in    in/s   out   dropped   errors   queue",
		"  source.file.alerts   800   100/s   799         0        1",
		"  filter.bans          799   100/s   400       399        0",
		"  sink.nats.alerts     400    50/s   200         0        0    25 %  waiting: dialing\uFFFD[2J: refused (last answer 0:08 ago)",
		"  sink.wazuh.receipt   200    25/s   160         7        0     0 %",
		"  source.file.alerts  ████████████████████████░░░░░░  80 %  800 KiB of 1.0 MiB, 0:02 left",
	}
	for i := range max(len(lines), len(want)) {
		if i >= len(lines) || i >= len(want) || lines[i] != want[i] {
			t.Fatalf("line %d differs; got\n%s\nwant\n%s", i, strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
	if small := table(pipeline(), &m, start, 40, 8); len(small) > 7 || len([]rune(small[0])) > 39 {
		t.Errorf("the table doesn't fit a small terminal:\n%s", strings.Join(small, "\n"))
	}
	done := moment(10)
	if b := bar(done.Nodes[0], 0, 80); !strings.Contains(b, "nothing waits") {
		t.Errorf("a source that has caught up: %s", b)
	}
}

// terminal is what a screen shows after what Live writes: text, cursor up, and
// clear to the end.
type terminal struct{ lines []string }

func (t *terminal) Write(p []byte) (int, error) {
	for line := range strings.SplitAfterSeq(string(p), "\n") {
		for strings.HasPrefix(line, "\x1b[") {
			up := 0
			rest := strings.TrimPrefix(line, "\x1b[")
			for rest[0] >= '0' && rest[0] <= '9' {
				up, rest = up*10+int(rest[0]-'0'), rest[1:]
			}
			t.lines = t.lines[:len(t.lines)-up]
			line = strings.TrimPrefix(rest, "A\r\x1b[J")
		}
		if strings.HasSuffix(line, "\n") {
			t.lines = append(t.lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return len(p), nil
}

func TestLiveStaysInPlaceBelowTheLog(t *testing.T) {
	screen := &terminal{}
	l := NewLive(screen, func() (int, int) { return 120, 30 }, pipeline(), start)
	log := slog.New(slog.NewTextHandler(l, nil))
	for s := range int64(3) {
		if err := l.Update(moment(s)); err != nil {
			t.Fatal(err)
		}
		log.Info("tick", "second", s)
	}
	if _, err := l.Write([]byte("half ")); err != nil {
		t.Fatal(err)
	}
	height := len(l.drawn)
	if got := screen.lines[len(screen.lines)-height]; !strings.HasPrefix(got, "quickstart  0:02") {
		t.Errorf("the table begins with %q", got)
	}
	if logged := screen.lines[:len(screen.lines)-height]; len(logged) != 3 || !strings.Contains(logged[2], "second=2") {
		t.Errorf("above the table: %q", logged)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Write([]byte("line\n")); err != nil {
		t.Fatal(err)
	}
	if len(screen.lines) != 4 || screen.lines[3] != "line" && screen.lines[3] != "half line" {
		t.Errorf("after the end: %q", screen.lines)
	}
}

func TestStats(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	log.LogAttrs(context.Background(), slog.LevelInfo, "stats", Stats(pipeline(), moment(2), moment(4))...)
	for _, want := range []string{
		"read=400 read_per_s=100 matched=200 delivered=100 delivered_per_s=25 dropped=7 errors=1 memory_bytes=4096 workers=2 workers_busy=1",
		"source.file.alerts.path=/a.json source.file.alerts.read_bytes=409600 source.file.alerts.behind_bytes=614400",
		`sink.nats.alerts.queue="25 %" sink.nats.alerts.queue_events=25 sink.nats.alerts.in_flight=0 sink.nats.alerts.retries=3`,
		`sink.nats.alerts.last_ack="0:04 ago"`, "sink.wazuh.receipt.dropped=7", "sink.wazuh.receipt.health=well", "sink.wazuh.receipt.last_ack=never",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the line lacks %s:\n%s", want, b.String())
		}
	}
}

func TestStatus(t *testing.T) {
	want := "read 400, matched 200, delivered 100, dropped 7, errors 1; sink.nats.alerts waits: dialing\uFFFD[2J: refused"
	if got := Status(pipeline(), moment(4)); got != want {
		t.Errorf("got %q", got)
	}
}

// What a transform keeps back because it is there for that is not told as a loss; what its full queue drops is.
func TestSummaryTellsWhatIsMeantFromLosses(t *testing.T) {
	const address = "transform.anomaly.outage"
	s := moment(10)
	s.Nodes = append(s.Nodes, graph.NodeSnapshot{Address: address, Type: plan.Transform, In: 27, Rejected: 20})
	s.Drops = []graph.Drop{{Address: address, Reason: "counted", Count: 20}, {Address: address, Reason: "drop_oldest", Count: 7}}
	var b strings.Builder
	if err := Summary(&b, pipeline(), s, 10*time.Second, nil, "etl", false); err != nil {
		t.Fatal(err)
	}
	want := "\n" + address + " kept back 20 events, as it is meant to (no loss): counted\n" + address + " dropped 7 events: drop_oldest\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s\nwant in it\n%s", b.String(), want)
	}
}

func TestSummary(t *testing.T) {
	var b strings.Builder
	s := moment(10)
	s.Nodes[4].In, s.Nodes[4].Out = 1, 1
	s.Nodes[1].Repaired = 12
	if err := Summary(&b, pipeline(), s, 10*time.Second, shelf{"/s/dead.jsonl", "tail /s/dead.jsonl"}, "go run ./cmd/etl", false); err != nil {
		t.Fatal(err)
	}
	const want = `quickstart ran for 0:10: read 1 000 (100/s), matched 500, delivered 250, dropped 7, errors 1

  component               in   out   dropped   errors
  source.file.alerts   1 000   999         0        1
  filter.bans            999   500       499        0
  sink.nats.alerts       500   250         0        0
  sink.wazuh.receipt     250   200         7        0
  dead_letters             1     1         0        0

sink.wazuh.receipt dropped 7 events: drop_oldest

filter.bans: characters replaced by U+FFFD since they may not be in its results: 12

sink.nats.alerts: 25 events not delivered: dialing�[2J: refused

sink.nats.alerts: 250 events to stream ALERTS in /s
  go run ./cmd/etl peek /s

dead_letters: 1 event to /s/dead.jsonl
  tail /s/dead.jsonl
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// What a source could not read is told wherever an operator looks.
func TestGapsAreTold(t *testing.T) {
	s := moment(10)
	s.Nodes[0].Gaps, s.Nodes[0].MissedBytes = 2, 4096
	const told = "source.file.alerts: 2 gaps, 4.0 KiB that are known of, can't be read any more"
	var summary strings.Builder
	if err := Summary(&summary, pipeline(), s, time.Second, nil, "etl", false); err != nil || !strings.Contains(summary.String(), "\n"+told+": each is in the log\n") {
		t.Errorf("the summary says %s, %v", &summary, err)
	}
	if got := Status(pipeline(), s); !strings.Contains(got, "; "+told) {
		t.Errorf("the status is %s", got)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).LogAttrs(context.Background(), slog.LevelInfo, "stats", Stats(pipeline(), moment(2), s)...)
	if !strings.Contains(log.String(), "source.file.alerts.gaps=2 source.file.alerts.missed_bytes=4096") {
		t.Errorf("the statistics are %s", &log)
	}
	m := meter{}
	s.Nodes[0].MissedBytes = 0
	m.add(s)
	if got := strings.Join(table(pipeline(), &m, start, 140, 40), "\n"); !strings.Contains(got, "2 gaps of unknown size can't be read any more") {
		t.Errorf("the table is\n%s", got)
	}
}

// Of many components those are shown that have something to say.
func TestSummaryOfALongPipeline(t *testing.T) {
	p := pipeline()
	s := moment(10)
	filters := []graph.NodeSnapshot{}
	for i := range 1000 {
		filters = append(filters, graph.NodeSnapshot{Address: fmt.Sprint("filter.f", i), Type: plan.Filter, In: int64(1000 - i)})
	}
	filters[500].Errors, filters[600].Dropped, filters[700].In = 3, 1, 5000
	s.Nodes = slices.Insert(s.Nodes, 2, filters...)
	summary := func(verbose bool) string {
		var b strings.Builder
		if err := Summary(&b, p, s, 10*time.Second, nil, "etl", verbose); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	short := summary(false)
	if n := strings.Count(short, "\n"); n > 45 {
		t.Errorf("%d lines", n)
	}
	last := -1
	for _, want := range []string{"source.file.alerts ", "filter.bans ", "filter.f0 ", "filter.f500 ", "filter.f600 ", "filter.f700 ", "sink.nats.alerts ", "sink.wazuh.receipt ", "and 974 more, without anything to say (--verbose shows all)\n"} {
		at := strings.Index(short, want)
		if at <= last {
			t.Errorf("%s is not there, or not in its place:\n%s", want, short)
		}
		last = at
	}
	if long := summary(true); strings.Count(long, "filter.f") != 1000 || strings.Contains(long, "more") {
		t.Errorf("verbose has %d filters", strings.Count(long, "filter.f"))
	}
	for i := range 100 {
		s.Nodes[10+i].Errors = 1
	}
	if short := summary(false); !strings.Contains(short, "974 more, 75 of them with errors, drops or gaps") {
		t.Errorf("many are in trouble:\n%s", short)
	}
}

func TestFormat(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(-1234): "-1 234", count(1234567): "1 234 567",
		size(999): "999 B", size(1536): "1.5 KiB", size(344616): "337 KiB", size(5 << 40): "5.0 TiB",
		perSecond(0): "0/s", perSecond(2.66): "2.7/s", perSecond(12345.6): "12 346/s",
		span(5 * time.Second): "0:05", span(3723 * time.Second): "1:02:03", span(176523 * time.Second): "2d 1:02:03",
		clip("abcdef", 4): "abc…",
		strings.Join(align([][]string{{"é", "in"}, {"abc", "100"}}), "|"): "  é      in|  abc   100",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
