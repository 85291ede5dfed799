//go:build failpoints

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/wazuh-etl/etl/runtime/state"
)

const (
	alert  = `{"n":"%06d","rule":{"level":5},"full_log":"something has happened on a machine, and this says what"}`
	broken = `"n":"%06d" is no alert, and nobody could make one of it`

	fileToFile = `
source "file" "in" { path = "%[1]s/in.jsonl" }
sink "file" "out" {
  from      = source.file.in
  path      = "out.jsonl"
  max_bytes = "20KiB"
  keep      = 1000
}
`
	toKafka = `
source "file" "in" { path = "%[1]s/in.jsonl" }
sink "kafka" "out" {
  from    = source.file.in
  brokers = [%[2]q]
  topic   = "dfn"
  compression = "none"
}
`
	kafkaSink = "sink.kafka.out"
	fileSink  = "sink.file.out"
)

var scenarios = []scenario{
	{
		name: "file", pipeline: fileToFile, line: alert, most: 5000, sink: fileSink, arrived: fromFiles,
		setup: tornTail, warm: runBefore("state.settle"),
		deaths: []string{
			"state.directories:1", "state.room:1", "state.room:2", "state.write:1", "state.write:3", "state.write:7", "state.sync:3", "state.sync:6",
			"state.synced:1", "state.synced:5", "state.directory:1", "state.directory:2", "state.settle:1", "state.abandon:1,state.sync:6:EIO",
			"file.open:1", "file.open:2", "file.cut:1", "file.directory:1", "file.directory:2", "file.write:1", "file.write:10", "file.sync:1", "file.sync:10",
			"file.synced:1", "file.synced:10", "file.rotate:1", "file.rotate:3", "file.renamed:1", "file.renamed:4", "file.rotated:1", "file.rotated:2",
			"file.undo:1,file.write:4:ENOSPC",
			"graph.checkpoint:1", "graph.checkpoint:3", "graph.checkpointed:1", "graph.checkpointed:3", "graph.settle:1", "graph.settle:9",
			"graph.settled:1", "graph.settled:9",
		},
	},
	{
		name: "set aside", line: alert, most: 5000, sink: fileSink, arrived: fromFiles,
		pipeline: `
source "file" "in" { path = "%[1]s/in.jsonl" }
sink "file" "out" {
  from = source.file.in
  path = "out.jsonl"
}
`,
		deaths: []string{"file.set-aside:1,file.sync:4:EIO", "file.aside:1,file.sync:4:EIO", "file.write:6,file.sync:4:EIO"},
	},
	{
		name: "stop", pipeline: fileToFile, line: alert, most: 2000, sink: fileSink, arrived: fromFiles,
		deaths: []string{"graph.stop:1", "graph.drained:1", "graph.stopped:1"},
		drive:  func(w *walk) { w.signalOnceRunning(syscall.SIGTERM) },
	},
	{
		name: "reload", line: alert, most: 5000, sink: fileSink, arrived: fromFiles,
		pipeline: `
source "file" "in" {
  path          = "%[1]s/in.jsonl"
  poll_interval = "EDITms"
}
sink "file" "out" {
  from      = source.file.in
  path      = "out.jsonl"
  max_bytes = "EDITKiB"
  keep      = 1000
}
`,
		deaths: []string{
			"graph.sink-stopped:1", "graph.sink-stopped:3", "graph.sink-closed:1", "graph.sink-closed:3",
			"graph.source-stopped:1", "graph.source-stopped:3", "graph.reloaded:1", "graph.reloaded:3",
		},
		drive: func(w *walk) {
			w.edits++
			w.configure()
			w.signalOnceRunning(syscall.SIGHUP)
		},
	},
	{
		name: "detached", line: alert, most: 60_000, burst: 300, // more than a Kafka sink has on its way
		sink: kafkaSink, arrived: fromTopic(kgo.ReadUncommitted()), setup: stuttering,
		pipeline: `
source "file" "in" { path = "%[1]s/in.jsonl" }
sink "kafka" "out" {
  from    = source.file.in
  brokers = [%[2]q]
  topic   = "dfn"
  queue { max_events = 200 }
}
sink "file" "other" {
  from = source.file.in
  path = "other.jsonl"
}
`,
		deaths: []string{"graph.detach:1", "graph.detached:1", "graph.join:1", "graph.joined:1"},
	},
	{
		name: "dead letters", line: broken, most: 600, burst: 4, sink: "sink.dead_letter.out", arrived: fromDeadLetters,
		pipeline: `
source "file" "in" { path = "%[1]s/in.jsonl" }
sink "blackhole" "none" { from = source.file.in }
sink "dead_letter" "out" {
  from      = source.file.in.errors
  path      = "out.jsonl"
  max_bytes = "400KiB"
}
`,
		deaths: []string{
			"file.write:2", "file.sync:2", "file.synced:2", "file.directory:1", "file.rotate:1", "file.renamed:1", "file.rotated:1",
			"file.undo:1,file.write:2:ENOSPC",
		},
	},
	{
		name: "kafka", pipeline: toKafka, line: alert, most: 5000, sink: kafkaSink, arrived: fromTopic(kgo.ReadUncommitted()), setup: kafka,
		deaths: []string{"kafka.produce:1", "kafka.produce:5", "kafka.answered:1", "kafka.answered:777", "graph.settle:3", "graph.checkpoint:2"},
	},
	{
		name: "exactly once", line: alert, most: 5000, arrived: fromTopic(kgo.ReadCommitted()), setup: kafka,
		pipeline: strings.Replace(toKafka, `topic   = "dfn"`, "topic   = \"dfn\"\n  delivery = \"exactly_once\"", 1),
		deaths: []string{
			"kafka.once.claim:1", "kafka.once.began:1", "kafka.once.begin:1", "kafka.once.begin:4", "kafka.once.produce:1", "kafka.once.produce:4",
			"kafka.once.commit:1", "kafka.once.commit:4", "kafka.once.committed:1", "kafka.once.committed:4", "kafka.once.answered:1", "kafka.once.answered:4",
			"graph.settle:3", "graph.checkpoint:2", "graph.checkpointed:2",
		},
	},
	{
		name: "renamed, exactly once", line: alert, most: 5000, arrived: fromTopic(kgo.ReadCommitted()), setup: kafka,
		pipeline: `
source "file" "inEDIT" { path = "%[1]s/in.jsonl" }
sink "kafka" "out" {
  from        = source.file.inEDIT
  brokers     = [%[2]q]
  topic       = "dfn"
  compression = "none"
  delivery    = "exactly_once"
}
`,
		deaths: []string{"graph.succeed:1", "graph.succeed:3", "graph.succeeded:1", "graph.succeeded:3"},
		drive: func(w *walk) {
			if len(w.arrived(w)) > 0 {
				w.edits++
				w.configure()
				_ = w.process.Process.Signal(syscall.SIGHUP)
			}
			w.over(100 * time.Millisecond)
		},
	},
	{
		// The records that the broker refuses are in the dead letters, which are at-least-once.
		name: "refused records", line: alert, most: 2000, sink: kafkaSink, setup: poisoned,
		arrived: fromTopic(kgo.ReadCommitted()), refused: fromBuiltinDeadLetters,
		pipeline: strings.Replace(toKafka, `topic   = "dfn"`, "topic   = \"dfn\"\n  delivery = \"exactly_once\"", 1),
		deaths:   []string{"kafka.once.abort:1", "kafka.once.abort:5", "kafka.once.aborted:1", "kafka.once.aborted:5"},
	},
	{
		name: "nats", line: alert, most: 3000, arrived: fromStream,
		pipeline: `
source "file" "in" { path = "%[1]s/in.jsonl" }
sink "nats" "out" {
  from    = source.file.in
  subject = "alerts.all"
  embedded {}
}
`,
		deaths: []string{
			"nats.stream:1", "nats.publish:1", "nats.publish:5", "nats.published:1", "nats.published:5", "nats.answered:1", "nats.answered:5", "graph.settle:3",
		},
	},
	{
		name: "queue on disk", line: alert, most: 20000, sink: fileSink, stdin: true, arrived: fromFiles,
		warm: damagedQueue("spool.aside"),
		pipeline: `
# %[1]s
source "stdin" "in" {
  queue {
    storage   = "disk"
    max_bytes = "512KiB"
  }
}
sink "file" "out" {
  from = source.stdin.in
  path = "out.jsonl"
}
`,
		deaths: []string{
			"spool.open:1", "spool.segment:1", "spool.segment:2", "spool.directory:1", "spool.directory:2", "spool.reserve:1", "spool.reserve:9",
			"spool.write:1", "spool.write:9", "spool.sync:1", "spool.sync:9", "spool.synced:1", "spool.synced:9",
			"spool.abandon:1,spool.sync:7:EIO", "spool.abandon:1,spool.write:7:ENOSPC", "spool.segment:2,spool.sync:7:EIO",
			"spool.trim:1", "spool.remove:1", "spool.removed:1", "spool.aside:1", "spool.close:1",
		},
		drive: func(w *walk) {
			if strings.HasPrefix(w.death, "spool.close") {
				w.signalOnceRunning(syscall.SIGTERM)
			}
			w.over(50 * time.Millisecond)
		},
	},
	{
		name: "renamed queue on disk", line: alert, most: 20000, sink: fileSink, stdin: true, arrived: fromFiles,
		warm: renamedQueue,
		pipeline: `
# %[1]s
source "stdin" "inEDIT" {
  queue { storage = "disk" }
}
sink "file" "out" {
  from = source.stdin.inEDIT
  path = "out.jsonl"
}
`,
		deaths: []string{"spool.move:1", "spool.moved:1"},
	},
}

// signalOnceRunning sends a signal if something was delivered already.
func (w *walk) signalOnceRunning(s syscall.Signal) {
	if len(fromFiles(w)) > 0 {
		_ = w.process.Process.Signal(s)
	}
	w.over(100 * time.Millisecond)
}

// tornTail leaves a line in the output as a crash does.
func tornTail(w *walk) []any {
	dir := filepath.Join(w.dir, "pipeline")
	err := os.Mkdir(dir, 0o750)
	if err == nil && strings.HasPrefix(w.death, "file.cut") {
		err = os.WriteFile(filepath.Join(dir, "out.jsonl"), []byte(`{"n":"9999`), 0o640)
	}
	if err != nil {
		w.Fatal(err)
	}
	return nil
}

// runBefore lets a process run to its end before the one that dies at point.
func runBefore(points ...string) func(*walk, string) {
	return func(w *walk, point string) {
		if slices.Contains(points, point) {
			w.write(100)
			w.start("")
			w.finish()
		}
	}
}

// damagedQueue leaves a queue with a byte that is not as it was written, and costs nothing.
func damagedQueue(at string) func(*walk, string) {
	return func(w *walk, point string) {
		if point != at {
			return
		}
		w.start("spool.synced:5")
		for !w.over(5 * time.Millisecond) {
			w.write(20)
		}
		w.process = nil
		names, err := filepath.Glob(filepath.Join(w.dir, "pipeline", "components", "source.stdin.in", "queue", "*.wal"))
		if err != nil || len(names) == 0 {
			w.Fatal("there is no queue", err)
		}
		content, err := os.ReadFile(names[0])
		if err != nil {
			w.Fatal(err)
		}
		mark := content[40:48] // behind the engine's headers; the end of a block begins with it too
		content[bytes.LastIndex(content, mark)+len(mark)+4] ^= 1
		if err := os.WriteFile(names[0], content, 0o640); err != nil {
			w.Fatal(err)
		}
	}
}

// renamedQueue leaves a queue under a name that its source has no more.
func renamedQueue(w *walk, _ string) {
	w.start("graph.checkpoint:3")
	for !w.over(5 * time.Millisecond) {
		w.write(20)
	}
	w.process = nil
	w.edits++
	w.configure()
}

// fromFiles are the lines of out.jsonl, of what was rotated, and of what was set aside.
func fromFiles(w *walk) []string { return w.lines("pipeline/out.jsonl.*[0-9]", "pipeline/out.jsonl") }

func fromDeadLetters(w *walk) []string {
	return w.lines("pipeline/out.jsonl.1", "pipeline/out.jsonl")
}

func fromBuiltinDeadLetters(w *walk) []string {
	return w.lines("pipeline/dead_letters.jsonl")
}

// lines are those of all files that match, the one with the highest number first.
func (w *walk) lines(patterns ...string) (all []string) {
	w.Helper()
	var names []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(w.dir, p))
		if err != nil {
			w.Fatal(err)
		}
		slices.SortFunc(found, func(a, b string) int { return rotation(b) - rotation(a) })
		names = append(names, found...)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			w.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasSuffix(line, "\n") { // what a crash has cut is cut off
				all = append(all, line)
			}
		}
	}
	return all
}

func rotation(name string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Ext(name), "."))
	return n
}

// kafka is a broker in memory; it outlives the process.
func kafka(w *walk) []any {
	c := w.cluster()
	return []any{c.ListenAddrs()[0]}
}

func (w *walk) cluster() *kfake.Cluster {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "dfn"))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(c.Close)
	return c
}

// stuttering is a broker that takes nothing until the sink is detached, or its process dead.
func stuttering(w *walk) []any {
	c := w.cluster()
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		said, _ := os.ReadFile(w.log.Name())
		return nil, errors.New("not now"), !w.killed.Load() && !bytes.Contains(said, []byte("it is detached"))
	})
	return []any{c.ListenAddrs()[0]}
}

// poisoned is a broker that refuses some of the records.
func poisoned(w *walk) []any {
	c := w.cluster()
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "dfn", Err: kerr.MessageTooLarge, Count: -1, When: func(r kmsg.Request) bool {
		for _, t := range r.(*kmsg.ProduceRequest).Topics {
			for _, p := range t.Partitions {
				if bytes.Contains(p.Records, []byte(`77","rule"`)) {
					return true
				}
			}
		}
		return false
	}})
	return []any{c.ListenAddrs()[0]}
}

// fromTopic is what a reader of the topic gets.
func fromTopic(level kgo.IsolationLevel) func(*walk) []string {
	return func(w *walk) (all []string) {
		w.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		client, err := kgo.NewClient(kgo.SeedBrokers(w.values[0].(string)), kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(),
			kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"dfn": {0: kgo.NewOffset().AtStart()}}))
		if err != nil {
			w.Fatal(err)
		}
		defer client.Close()
		ask := kadm.NewClient(client).ListEndOffsets
		if level == kgo.ReadCommitted() {
			ask = kadm.NewClient(client).ListCommittedOffsets
		}
		ends, err := ask(ctx, "dfn")
		if err != nil {
			w.Fatal(err)
		}
		end, _ := ends.Lookup("dfn", 0)
		for next := int64(0); next < end.Offset; {
			fetches := client.PollFetches(ctx)
			if ctx.Err() != nil {
				w.Fatalf("the topic ends at %d, read up to %d", end.Offset, next)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				next = r.Offset + 1
				if !r.Attrs.IsControl() {
					all = append(all, string(r.Value))
				}
			})
		}
		return all
	}
}

// fromStream is what the embedded server's stream holds.
func fromStream(w *walk) []string {
	w.Helper()
	if names, _ := filepath.Glob(filepath.Join(w.dir, "pipeline", "components", "sink.nats.out", "jetstream", "*", "streams", "*")); len(names) == 0 {
		return nil
	}
	return slices.Collect(strings.Lines(w.command("peek", filepath.Join("pipeline", "components", "sink.nats.out"), "--json")))
}

// kept are the numbers in the queue on disk: they have to arrive.
func (w *walk) kept() (numbers []int) {
	for _, r := range w.queued() {
		numbers = append(numbers, numberOf(r.Text))
	}
	return numbers
}

type queued struct {
	Number int64
	Text   string
}

func (w *walk) queued() (list []queued) {
	w.Helper()
	if names, _ := filepath.Glob(filepath.Join(w.dir, "pipeline", "components", "*", "queue", "*.wal")); len(names) == 0 {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(w.command("queue", "show", filepath.Join(w.dir, "pipeline"))))
	for d.More() {
		var r queued
		if err := d.Decode(&r); err != nil {
			w.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// storedInQueue is the number of the first line in the queue that the sink's checkpoint does not cover.
func (w *walk) storedInQueue(d *state.Dir) int {
	next := int64(0)
	for _, c := range d.All() {
		if c.Sink == w.sink {
			next = c.Offset
		}
	}
	for _, r := range w.queued() {
		if r.Number >= next {
			return numberOf(r.Text)
		}
	}
	return w.written
}
