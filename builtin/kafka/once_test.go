package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// onceRig is a rig whose sink delivers exactly once, and whose connections can
// be made to swallow all answers, as those of a process that dies.
type onceRig struct {
	*rig
	dead atomic.Bool
}

func newOnceRig(t testing.TB, brokers []string) *onceRig {
	o := &onceRig{rig: newRig(t, map[string]any{"brokers": brokers, "topic": text("dfn"), "compression": "none", "delivery": exactlyOnce})}
	dial := o.host.Dial
	o.host.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil || o.dead.Load() {
			return nil, errors.Join(err, io.ErrClosedPipe)
		}
		return &mortal{conn, &o.dead}, nil
	}
	return o
}

type mortal struct {
	net.Conn
	dead *atomic.Bool
}

func (m *mortal) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if m.dead.Load() {
		return 0, io.ErrClosedPipe
	}
	return n, err
}

func (m *mortal) Write(p []byte) (int, error) {
	if m.dead.Load() {
		return 0, io.ErrClosedPipe
	}
	return m.Conn.Write(p)
}

// die ends the sink without a word to the brokers.
func (o *onceRig) die() {
	o.dead.Store(true)
	o.sink.Close()
}

// line is one line of a source: its events, as messages.
func (r *rig) line(s *event.Stream, offset int64, events ...string) (out []*component.Message) {
	origin := event.New(s, offset, []byte("{}"), time.Now(), ack.Token{})
	for i, name := range events {
		e := origin.Derive("transform.lua.split", i, document.NewObject([]document.Member{{Name: "n", Value: document.NewText(name)}}))
		m := &component.Message{Event: e, Payload: []byte(name), Answer: r.answer}
		if err := r.sink.Encode(m); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// lines are lines with one event each: PREFIX<i> at offset 10*i.
func (r *rig) lines(prefix string, from, to int) (out []*component.Message) {
	for i := from; i < to; i++ {
		out = append(out, r.line(stream, int64(10*i), fmt.Sprint(prefix, i))...)
	}
	return out
}

// committed are the values that a reader of committed records gets, up to one that ends it.
func committed(t testing.TB, brokers []string) (values []string) {
	t.Helper()
	end, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	if err := end.ProduceSync(t.Context(), &kgo.Record{Topic: "dfn", Partition: 0, Value: []byte("END")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DisableClientMetrics(), kgo.ConsumeTopics("dfn"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d records, then %v", len(values), err)
		}
		for _, r := range fetches.Records() {
			if string(r.Value) == "END" {
				return values
			}
			values = append(values, string(r.Value))
		}
	}
}

func wantValues(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("committed are %q, want %q", got, want)
	}
}

func named(prefix string, from, to int) (names []string) {
	for i := from; i < to; i++ {
		names = append(names, fmt.Sprint(prefix, i))
	}
	return names
}

func TestOnceDelivers(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	r := newOnceRig(t, c.ListenAddrs())
	r.open()
	all := r.lines("a", 0, 3000)
	for part := range slices.Chunk(all, 700) {
		if err := r.sink.Deliver(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.count(); got["done"] != len(all) {
		t.Fatalf("answers %v", got)
	}
	wantValues(t, committed(t, c.ListenAddrs()), named("a", 0, 3000)...)
	if info := c.TopicInfo("etl-checkpoints"); info == nil || info.Configs["cleanup.policy"] == nil || *info.Configs["cleanup.policy"] != "compact" {
		t.Errorf("the checkpoint topic is %+v", info)
	}
}

// What is read again after a crash is answered and not sent; a line that a
// transaction has cut is completed.
func TestOnceAfterACrash(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	r := newOnceRig(t, c.ListenAddrs())
	r.open()
	batch := append(r.lines("a", 0, 5), r.line(stream, 50, "split0", "split1", "split2")[:2]...)
	if err := r.sink.Deliver(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	r.die()

	r = newOnceRig(t, c.ListenAddrs())
	r.bare = true
	r.open()
	other := &event.Stream{Source: stream.Source, Generation: "h"}
	again := slices.Concat(r.lines("a", 3, 5), r.line(stream, 50, "split0", "split1", "split2"), r.lines("a", 6, 8), r.line(other, 0, "h0"))
	if err := r.sink.Deliver(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if got := r.count(); got["done"] != len(again) {
		t.Errorf("answers %v", got)
	}
	r.die()

	r = newOnceRig(t, c.ListenAddrs())
	r.bare = true
	if err := r.sink.Open(t.Context(), r.host); err != nil {
		t.Fatal(err)
	}
	// Another source with the same offsets is another matter.
	elsewhere := &event.Stream{Source: "source.file.other", Generation: "g"}
	if err := r.sink.Deliver(t.Context(), slices.Concat(r.lines("a", 7, 9), r.line(other, 0, "h0"), r.line(other, 10, "h1"), r.line(elsewhere, 0, "o0"))); err != nil {
		t.Fatal(err)
	}
	wantValues(t, committed(t, c.ListenAddrs()),
		"a0", "a1", "a2", "a3", "a4", "split0", "split1", "split2", "a6", "a7", "h0", "a8", "h1", "o0")
}

// poison makes the brokers refuse what has this text in it.
func poison(c *kfake.Cluster, text string) {
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "dfn", Err: kerr.MessageTooLarge, Count: -1, When: func(r kmsg.Request) bool {
		for _, t := range r.(*kmsg.ProduceRequest).Topics {
			for _, p := range t.Partitions {
				if bytes.Contains(p.Records, []byte(text)) {
					return true
				}
			}
		}
		return false
	}})
}

func TestOncePoison(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	poison(c, "poison")
	r := newOnceRig(t, c.ListenAddrs())
	r.open()
	batch := slices.Concat(r.lines("a", 0, 20), r.line(stream, 200, "poison1"), r.lines("a", 21, 40), r.line(stream, 400, "poison2"), r.lines("a", 41, 42))
	if err := r.sink.Deliver(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if got := r.count(); got["done"] != 40 || got["failed message_too_large"] != 2 {
		t.Errorf("answers %v", got)
	}
	r.die()

	// The failure may not have come to the dead letters before the crash: it is told again.
	r = newOnceRig(t, c.ListenAddrs())
	r.bare = true
	r.open()
	if err := r.sink.Deliver(t.Context(), slices.Concat(r.lines("a", 19, 20), r.line(stream, 200, "poison1"), r.lines("a", 21, 22))); err != nil {
		t.Fatal(err)
	}
	if got := r.count(); got["done"] != 2 || got["failed message_too_large"] != 1 {
		t.Errorf("answers after the crash %v", got)
	}
	wantValues(t, committed(t, c.ListenAddrs()), slices.Concat(named("a", 0, 20), named("a", 21, 40), named("a", 41, 42))...)
}

// What of a first run is committed is known by pipeline, sink and source, and
// by where it stood: the state directory plays no part, nor what the way from
// the source makes of a line.
func TestOnceBegunAnew(t *testing.T) {
	t.Parallel()
	renamed := &event.Stream{Source: "source.file.renamed", Generation: stream.Generation}
	for name, c := range map[string]struct {
		other func(*ledger)
		again func(*rig) []*component.Message
		want  []string
	}{
		"the state directory is lost": {nil, func(r *rig) []*component.Message { return r.lines("a", 0, 7) }, named("a", 0, 7)},
		"another way": {nil, func(r *rig) []*component.Message {
			return slices.Concat(r.line(stream, 10, "b0", "b1", "b2"), r.lines("a", 5, 7))
		}, named("a", 0, 7)},
		"another source":   {nil, func(r *rig) []*component.Message { return r.line(renamed, 40, "again") }, append(named("a", 0, 5), "again")},
		"another pipeline": {func(l *ledger) { l.pipeline = "q" }, func(r *rig) []*component.Message { return r.lines("a", 3, 7) }, append(named("a", 0, 5), named("a", 3, 7)...)},
		"another sink":     {func(l *ledger) { l.sink = "sink.kafka.q" }, func(r *rig) []*component.Message { return r.lines("a", 3, 7) }, append(named("a", 0, 5), named("a", 3, 7)...)},
		"another topic":    {func(l *ledger) { l.topic = "q" }, func(r *rig) []*component.Message { return r.lines("a", 3, 7) }, append(named("a", 0, 5), named("a", 3, 7)...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			brokers := cluster(t).ListenAddrs()
			first := newOnceRig(t, brokers)
			first.open()
			if err := first.sink.Deliver(t.Context(), first.lines("a", 0, 5)); err != nil {
				t.Fatal(err)
			}
			if err := first.sink.Close(); err != nil {
				t.Fatal(err)
			}

			second := newOnceRig(t, brokers)
			second.bare = true
			if c.other != nil {
				c.other(&second.sink.once.ledger)
			}
			second.open()
			var log bytes.Buffer
			second.host.Log = slog.New(slog.NewTextHandler(&log, nil))
			again := c.again(second.rig)
			if err := second.sink.Deliver(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if got := second.count(); got["done"] != len(again) {
				t.Errorf("answers %v", got)
			}
			if said := strings.Contains(log.String(), "does not know the source"); said != (name == "another source") {
				t.Errorf("the log says %q", log.String())
			}
			wantValues(t, committed(t, brokers), c.want...)
		})
	}
}

// A source that was renamed has what it had committed, whatever it was called then, and though what it
// gave under its old name comes between what it gives again; so it has when it gets that name back.
func TestOnceRenamed(t *testing.T) {
	t.Parallel()
	brokers := cluster(t).ListenAddrs()
	names := []string{stream.Source}
	again := func(called string, from, to int) []*component.Message {
		r := newOnceRig(t, brokers)
		s := &event.Stream{Source: called, Generation: stream.Generation}
		var all []*component.Message
		for i := from; i < to; i++ {
			all = append(all, r.line(s, int64(10*i), fmt.Sprint("a", i))...)
		}
		return all
	}
	deliver := func(messages ...*component.Message) {
		t.Helper()
		r := newOnceRig(t, brokers)
		r.bare = true
		r.host.Names = func(source string) []string {
			if !slices.Contains(names, source) {
				t.Errorf("names of %s", source)
			}
			return names
		}
		var log bytes.Buffer
		r.host.Log = slog.New(slog.NewTextHandler(&log, nil))
		r.open()
		done := map[*component.Message]int{}
		for _, m := range messages {
			m.Answer = func(m *component.Message, _ []document.Member, err error) {
				if done[m]++; err != nil {
					t.Error(err)
				}
			}
		}
		if err := r.sink.Deliver(t.Context(), messages); err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if done[m] != 1 {
				t.Errorf("%s has %d answers", eventName(m), done[m])
			}
		}
		if strings.Contains(log.String(), "does not know") {
			t.Error(log.String())
		}
		if err := r.sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
	deliver(again(stream.Source, 0, 5)...)
	names = []string{"source.file.renamed", stream.Source}
	deliver(slices.Concat(again(stream.Source, 3, 8), again(names[0], 3, 7), again(stream.Source, 8, 10), again(names[0], 7, 12))...)
	deliver(again(names[0], 10, 13)...)
	names = []string{stream.Source, "source.file.renamed"}
	deliver(again(stream.Source, 11, 15)...)
	deliver(again(stream.Source, 13, 16)...)
	wantValues(t, committed(t, brokers), named("a", 0, 16)...)
}

// Dead letters that are sent again are sent, though later events are committed,
// and say nothing of the source.
func TestOnceReplayed(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	poison(c, "poison")
	r := newOnceRig(t, c.ListenAddrs())
	r.open()
	if err := r.sink.Deliver(t.Context(), slices.Concat(r.lines("a", 0, 2), r.lines("b", 5, 6))); err != nil {
		t.Fatal(err)
	}
	again := *stream
	again.Replayed = true
	if err := r.sink.Deliver(t.Context(), slices.Concat(r.line(&again, 30, "letter3"), r.line(&again, 40, "poison4"), r.line(&again, 900, "letter90"))); err != nil {
		t.Fatal(err)
	}
	if err := r.sink.Deliver(t.Context(), r.lines("c", 6, 7)); err != nil {
		t.Fatal(err)
	}
	if got := r.count(); got["done"] != 6 || got["failed message_too_large"] != 1 {
		t.Errorf("answers %v", got)
	}
	wantValues(t, committed(t, c.ListenAddrs()), "a0", "a1", "b5", "letter3", "letter90", "c6")
}

func TestOnceFenced(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	first, second := newOnceRig(t, c.ListenAddrs()), newOnceRig(t, c.ListenAddrs())
	first.open()
	if err := first.sink.Deliver(t.Context(), first.lines("a", 0, 10)); err != nil {
		t.Fatal(err)
	}
	second.bare = true
	second.open()
	var err error
	for range 3 { // the first refusal may be a broken transaction; the ledger then says why
		if err = first.sink.Deliver(t.Context(), first.lines("late", 10, 20)); component.IsFatal(err) {
			break
		}
	}
	if !component.IsFatal(err) || !strings.Contains(err.Error(), "another instance of pipeline p has taken over") {
		t.Errorf("the first instance says %v", err)
	}
	batch := second.lines("a", 5, 20)
	for range 3 { // it has been disturbed by the first
		if err = second.sink.Deliver(t.Context(), batch); err == nil {
			break
		}
		batch = slices.DeleteFunc(batch, func(m *component.Message) bool { return second.answers[eventName(m)] != "" })
	}
	if err != nil {
		t.Errorf("the second instance says %v", err)
	}
	wantValues(t, committed(t, c.ListenAddrs()), named("a", 0, 20)...)
}

// A broker may end a transaction that took too long: that is no other instance.
func TestOnceFencedByTheBroker(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	r := newOnceRig(t, c.ListenAddrs())
	r.open()
	for i, err := range []*kerr.Error{kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.InvalidTxnState} {
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: err, When: func(r kmsg.Request) bool { return r.(*kmsg.EndTxnRequest).Commit }})
		if err := r.sink.Deliver(t.Context(), r.lines("a", 10*i, 10*i+10)); err == nil || component.IsFatal(err) {
			t.Errorf("the first try says %v", err)
		}
		if err := r.sink.Deliver(t.Context(), r.lines("a", 10*i, 10*i+10)); err != nil {
			t.Errorf("the second try says %v", err)
		}
	}
	wantValues(t, committed(t, c.ListenAddrs()), named("a", 0, 30)...)
}

// The answer to a commit is lost; whether it was done decides if it is sent again.
func TestOnceUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, arrives := range []bool{true, false} {
		t.Run(fmt.Sprint("arrives ", arrives), func(t *testing.T) {
			t.Parallel()
			c := cluster(t)
			r := newOnceRig(t, c.ListenAddrs())
			r.open()
			ctx, cancel := context.WithCancel(t.Context())
			struck := false
			c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
				if struck {
					return nil, nil, false
				}
				struck = true
				r.dead.Store(true)
				cancel()
				return nil, io.ErrClosedPipe, !arrives
			})
			batch := r.lines("a", 0, 10)
			if err := r.sink.Deliver(ctx, batch); err == nil {
				t.Error("a commit without an answer is no error")
			}
			if got := r.count(); len(got) != 0 {
				t.Errorf("answers before the outcome is known: %v", got)
			}
			r.dead.Store(false)
			for _, part := range [][]*component.Message{batch[:1], batch[1:4], batch[4:]} { // after trouble they come a few at a time
				if err := r.sink.Deliver(t.Context(), part); err != nil {
					t.Error(err)
				}
			}
			if got := r.count(); got["done"] != 10 { // each with its receipt
				t.Errorf("answers %v", got)
			}
			wantValues(t, committed(t, c.ListenAddrs()), named("a", 0, 10)...)
		})
	}
}

// What has no answer comes again before anything newer, or nothing is committed any more.
func TestOnceLetsNothingPass(t *testing.T) {
	t.Parallel()
	again := *stream
	again.Replayed = true
	letters := func(r *rig) []*component.Message { return r.line(&again, 7, "letter") }
	parts := func(r *rig, a ...int) (out [][]*component.Message) {
		for i := 0; i < len(a); i += 2 {
			out = append(out, r.lines("a", a[i], a[i+1]))
		}
		return out
	}
	for name, c := range map[string]struct {
		then func(*rig) [][]*component.Message // behind a0 to a9, which have no answer
		ok   bool
	}{
		"as they were":    {func(r *rig) [][]*component.Message { return parts(r, 0, 10, 10, 12) }, true},
		"a few at a time": {func(r *rig) [][]*component.Message { return parts(r, 0, 1, 1, 4, 4, 12) }, true},
		"behind dead letters": {func(r *rig) [][]*component.Message {
			return append([][]*component.Message{letters(r)}, parts(r, 0, 12)...)
		}, true},
		"newer ones first": {func(r *rig) [][]*component.Message { return parts(r, 10, 12) }, false},
		"some of them":     {func(r *rig) [][]*component.Message { return parts(r, 0, 4, 5, 12) }, false},
		"not the first":    {func(r *rig) [][]*component.Message { return parts(r, 1, 12) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := cluster(t)
			r := newOnceRig(t, cluster.ListenAddrs())
			r.open()
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.InvalidTxnState, When: func(q kmsg.Request) bool { return q.(*kmsg.EndTxnRequest).Commit }})
			if err := r.sink.Deliver(t.Context(), r.lines("a", 0, 10)); err == nil || component.IsFatal(err) {
				t.Fatalf("the first try says %v", err)
			}
			var err error
			for _, part := range c.then(r.rig) {
				if err = r.sink.Deliver(t.Context(), part); err != nil {
					break
				}
			}
			if c.ok && err != nil || !c.ok && !component.IsFatal(err) {
				t.Errorf("it says %v", err)
			}
			r.sink.Close()
			next := newOnceRig(t, cluster.ListenAddrs())
			next.bare = true
			next.open()
			if err := next.sink.Deliver(t.Context(), next.lines("a", 0, 13)); err != nil {
				t.Fatal(err)
			}
			got := slices.DeleteFunc(committed(t, cluster.ListenAddrs()), func(v string) bool { return v == "letter" })
			wantValues(t, got, named("a", 0, 13)...)
		})
	}
}

// Crashes at any request, restarts at any earlier position, batches cut
// anywhere, poison in between: every line is there once, in order.
func TestOnceCrashLoop(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			crashLoop(t, rand.New(rand.NewPCG(seed, 7)))
		})
	}
}

func crashLoop(t *testing.T, random *rand.Rand) {
	const lines = 600
	c := cluster(t)
	poison(c, "poison")
	streams := []*event.Stream{{Source: "s", Generation: "1"}, {Source: "s", Generation: "2"}, {Source: "s", Generation: "3"}}
	events := func(i int) (names []string) {
		if i%97 == 50 {
			return []string{fmt.Sprint("poison", i)}
		}
		for k := range 1 + i%3 {
			names = append(names, fmt.Sprintf("%d.%d", i, k))
		}
		return names
	}
	var want []string
	for i := range lines {
		if names := events(i); !strings.HasPrefix(names[0], "poison") {
			want = append(want, names...)
		}
	}
	saved, crashes, inFlight := 0, 0, 0 // saved is the local checkpoint: everything before it is answered
	for saved < lines {
		r := newOnceRig(t, c.ListenAddrs())
		r.bare = true
		_ = r.sink.Open(t.Context(), r.host)
		ctx, cancel := context.WithCancel(t.Context())
		left := int32(5 + random.IntN(60))
		var requests atomic.Int32
		observe := c.Fault(kfake.Fault{Observe: true, Count: -1, When: func(q kmsg.Request) bool {
			switch kmsg.Key(q.Key()) {
			case kmsg.Produce, kmsg.EndTxn, kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.Fetch:
				if requests.Add(1) == left {
					r.dead.Store(true)
					cancel()
				}
			}
			return false
		}})
		var all []*component.Message
		ends := map[int]int{} // message index behind line
		for i := saved; i < lines; i++ {
			all = append(all, r.line(streams[i*len(streams)/lines], int64(i*10), events(i)...)...)
			ends[i] = len(all)
		}
		at := 0
		for at < len(all) && ctx.Err() == nil {
			n := min(1+random.IntN(60), len(all)-at)
			if err := r.sink.Deliver(ctx, all[at:at+n]); err != nil {
				if ctx.Err() == nil {
					continue
				}
				inFlight++
				break
			}
			at += n
		}
		r.die()
		cancel()
		observe.Remove()
		crashes++
		for i := saved; i < lines && ends[i] <= at; i++ { // the checkpoint lags behind by any length
			if random.IntN(40) == 0 || ends[i] == len(all) {
				saved = i + 1
			}
		}
	}
	t.Logf("%d crashes, %d of them with a batch in flight", crashes, inFlight)
	wantValues(t, committed(t, c.ListenAddrs()), want...)
}
