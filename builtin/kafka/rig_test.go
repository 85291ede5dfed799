package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world"
)

// text is a template without holes, field one that gives a member of the event.
type (
	text  string
	field string
)

func (t text) Value(*event.Event) (document.Value, error) { return document.NewText(string(t)), nil }
func (t text) AppendText(dst []byte, _ *event.Event) ([]byte, error) {
	return append(dst, t...), nil
}
func (t text) Constant() (string, bool) { return string(t), true }

func (f field) Value(e *event.Event) (document.Value, error) {
	root, err := e.Root()
	return root.Get(string(f)), err
}

func (f field) AppendText(dst []byte, e *event.Event) ([]byte, error) {
	v, err := f.Value(e)
	if err == nil && v.IsNil() {
		err = event.Failf(event.CodeTemplate, "%s is nil", string(f))
	}
	return v.AppendText(dst), err
}
func (field) Constant() (string, bool) { return "", false }

// block is a block's values with the defaults of the Spec.
func block(attrs []component.Attr, values map[string]any) *component.Config {
	c := &component.Config{Address: "sink.kafka.test", Pipeline: "p", Values: map[string]any{}, Subs: map[string]*component.Config{}}
	for _, a := range attrs {
		if a.Default != nil {
			c.Values[a.Name] = a.Default
		}
	}
	for name, v := range values {
		c.Values[name] = v
	}
	return c
}

// rig is a sink under test, with the part of the runtime that it sees.
type rig struct {
	t    testing.TB
	sink *sink
	host *component.Host
	bare bool // answers may come without receipt: of events from before a crash

	mu      sync.Mutex
	healths []string // as told; "" is well
	order   []string // events in the order of their answers
	answers map[string]string
	all     sync.Cond
}

func newRig(t testing.TB, values map[string]any, subs ...*component.Config) *rig {
	t.Helper()
	c := block(sinkSpec.Attrs, values)
	for i, name := range []string{"tls", "sasl"} {
		if i < len(subs) && subs[i] != nil {
			c.Subs[name] = subs[i]
		}
	}
	made, err := newSink(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, sink: made.(*sink), answers: make(map[string]string)}
	r.all.L = &r.mu
	r.host = &component.Host{World: world.OS(), Address: c.Address, Log: slog.New(slog.DiscardHandler)}
	if testing.Verbose() {
		r.host.Log = slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	r.host.Health = func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		text := ""
		if err != nil {
			text = err.Error()
		}
		r.healths = append(r.healths, text)
		r.all.Broadcast()
	}
	t.Cleanup(func() { made.Close() })
	return r
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (r *rig) open() *rig {
	r.t.Helper()
	if err := r.sink.Open(context.Background(), r.host); err != nil {
		r.t.Fatal("opening:", err)
	}
	return r
}

var stream = &event.Stream{Source: "source.file.test", Generation: "g"}

// messages are events {"n": "PREFIX<i>"} encoded; the payload is the event.
func (r *rig) messages(prefix string, from, to int) []*component.Message {
	r.t.Helper()
	var all []*component.Message
	for i := from; i < to; i++ {
		all = append(all, r.message(fmt.Sprintf(`{"n":"%s%d","topic":"t%d"}`, prefix, i, i%3)))
	}
	return all
}

func (r *rig) message(raw string) *component.Message {
	r.t.Helper()
	m := &component.Message{Event: event.New(stream, 0, []byte(raw), time.Now(), ack.Token{}), Payload: []byte(raw), Answer: r.answer}
	if err := r.sink.Encode(m); err != nil {
		r.t.Fatal("encoding:", err)
	}
	return m
}

func eventName(m *component.Message) string {
	root, _ := m.Event.Root()
	return root.Get("n").Text()
}

func (r *rig) answer(m *component.Message, receipt []document.Member, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := eventName(m)
	if before, twice := r.answers[n]; twice && before != component.ErrReturned.Error() {
		r.t.Errorf("%s has two answers: %s, %v", n, before, err)
	}
	said := "done"
	if err != nil {
		said = err.Error()
		if f, ok := err.(*event.Failure); ok {
			said = "failed " + f.Code
		}
	} else if r.bare && len(receipt) == 0 {
	} else if len(receipt) != 2 || receipt[0].Name != "partition" || receipt[1].Name != "offset" {
		r.t.Errorf("the receipt of %s is %v", n, receipt)
	}
	r.answers[n] = said
	r.order = append(r.order, n)
	r.all.Broadcast()
}

// wait waits until ok, which may look at everything in the rig.
func (r *rig) wait(what string, ok func() bool) {
	r.t.Helper()
	timer := time.AfterFunc(30*time.Second, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.t.Errorf("no %s after 30 s", what)
		r.all.Broadcast()
	})
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !ok() && !r.t.Failed() {
		r.all.Wait()
	}
	if r.t.Failed() {
		r.t.Fatalf("%d answers, health %q", len(r.answers), r.healths)
	}
}

func (r *rig) waitAnswers(n int) {
	r.t.Helper()
	r.wait(fmt.Sprint(n, " answers"), func() bool { return len(r.answers) >= n })
}

func (r *rig) waitHealth(part string) {
	r.t.Helper()
	r.wait("health "+part, func() bool {
		return slices.ContainsFunc(r.healths, func(h string) bool { return part == "" && h == "" || part != "" && strings.Contains(h, part) })
	})
}

// count says how many answers of each kind there are.
func (r *rig) count() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	kinds := make(map[string]int)
	for _, said := range r.answers {
		kinds[said]++
	}
	return kinds
}

// virtual runs a test in a bubble of virtual time, with a cluster that is
// reached through memory.
func virtual(t *testing.T, test func(t *testing.T, v *virtualCluster), options ...kfake.Opt) {
	synctest.Test(t, func(t *testing.T) {
		v := new(virtualCluster)
		v.Cluster = cluster(t, append(options, kfake.Ports(9092), kfake.ListenFn(v.network.Listen))...)
		test(t, v)
	})
}

type virtualCluster struct {
	*kfake.Cluster
	network kfake.VirtualNetwork
}

// rig is a rig whose sink reaches the cluster.
func (v *virtualCluster) rig(t testing.TB, values map[string]any) *rig {
	values["brokers"] = v.ListenAddrs()
	values["compression"] = "none" // encoders outlive the bubble
	r := newRig(t, values)
	r.host.Dial = v.network.DialContext
	return r
}

func (v *virtualCluster) consume(t testing.TB, n int, topics ...string) []*kgo.Record {
	t.Helper()
	return consume(t, n, v.ListenAddrs(), topics, kgo.Dialer(v.network.DialContext))
}

func cluster(t testing.TB, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "dfn")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// consume reads n records of topics.
func consume(t testing.TB, n int, brokers []string, topics []string, options ...kgo.Opt) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topics...), kgo.DisableClientMetrics(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var all []*kgo.Record
	for len(all) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d of %d records: %v", len(all), n, err)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

// inOrder checks that the records are those messages, in order.
func inOrder(t testing.TB, records []*kgo.Record, messages []*component.Message) {
	t.Helper()
	if len(records) != len(messages) {
		t.Fatalf("%d records, want %d", len(records), len(messages))
	}
	for i, m := range messages {
		if string(records[i].Value) != string(m.Payload) {
			t.Fatalf("record %d is %s, want %s", i, records[i].Value, m.Payload)
		}
	}
}
