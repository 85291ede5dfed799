package nats

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// template is a text in which {} is the event's member n.
type template string

func (p template) Value(e *event.Event) (document.Value, error) {
	text, err := p.AppendText(nil, e)
	return document.NewText(string(text)), err
}

func (p template) AppendText(dst []byte, e *event.Event) ([]byte, error) {
	root, err := e.Root()
	if err != nil {
		return dst, err
	}
	return append(dst, strings.ReplaceAll(string(p), "{}", string(root.Get("n").AppendText(nil)))...), nil
}

func (p template) Constant() (string, bool) { return string(p), !strings.Contains(string(p), "{}") }

func (p template) Pattern(hole string) string { return strings.ReplaceAll(string(p), "{}", hole) }

func header(name, text string) component.NamedTemplate {
	return component.NamedTemplate{Name: name, Path: []string{name}, Template: template(text)}
}

// fleet is a server of the tests.
type fleet struct {
	*server.Server
	options server.Options
}

// serve starts a server with JetStream; the change may be nil.
func serve(t testing.TB, change func(*server.Options)) *fleet {
	t.Helper()
	o := server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, NoSystemAccount: true}
	if change != nil {
		change(&o)
	}
	f := &fleet{options: o}
	f.start(t)
	f.options.Port = f.Addr().(*net.TCPAddr).Port
	t.Cleanup(func() { f.stop() })
	return f
}

func (f *fleet) start(t testing.TB) {
	t.Helper()
	o := f.options
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	f.Server = s
}

func (f *fleet) stop() {
	f.Shutdown()
	f.WaitForShutdown()
}

func (f *fleet) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", f.options.Port) }

// js is a connection of the test itself.
func js(t testing.TB, url string, options ...client.Option) jetstream.JetStream {
	t.Helper()
	nc, err := client.Connect(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	j, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func stream(t testing.TB, j jetstream.JetStream, c jetstream.StreamConfig) jetstream.Stream {
	t.Helper()
	s, err := j.CreateOrUpdateStream(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stored is all that a stream holds.
func stored(t testing.TB, s jetstream.Stream) []*jetstream.RawStreamMsg {
	t.Helper()
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []*jetstream.RawStreamMsg
	for seq := max(1, info.State.FirstSeq); seq <= info.State.LastSeq; seq++ {
		m, err := s.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func payloads(all []*jetstream.RawStreamMsg) []string {
	var texts []string
	for _, m := range all {
		texts = append(texts, string(m.Data))
	}
	return texts
}

// host is what the runtime gives; what it hears is kept.
type host struct {
	component.Host
	mu   sync.Mutex
	bad  error
	once error // the first bad one
	text bytes.Buffer
}

func (h *host) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *host) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func (h *host) health() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bad
}

// first is what went wrong first.
func (h *host) first() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.once
}

func newHost(t testing.TB) *host {
	h := new(host)
	h.Host = component.Host{
		World:    world.OS(),
		Address:  "sink.nats.n",
		Log:      slog.New(slog.NewTextHandler(h, nil)),
		StateDir: t.TempDir(),
		Health: func(err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.bad, h.once = err, cmp.Or(h.once, err)
		},
	}
	return h
}

func config(values map[string]any) *component.Config {
	all := map[string]any{"jetstream": true, "subject": template("alerts.{}")}
	c := &component.Config{Address: "sink.nats.n", Values: all, Subs: map[string]*component.Config{}}
	for k, v := range values {
		switch v := v.(type) {
		case *component.Config:
			c.Subs[k] = v
		default:
			all[k] = v
		}
	}
	if u, ok := all["url"].(string); ok {
		all["url"] = document.NewText(u)
	}
	return c
}

// open makes a sink and opens it.
func open(t testing.TB, values map[string]any) (*sink, *host) {
	t.Helper()
	s, h, err := tryOpen(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return s, h
}

func tryOpen(t testing.TB, values map[string]any) (*sink, *host, error) {
	t.Helper()
	made, err := newSink(config(values))
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	err = made.Open(t.Context(), &h.Host)
	t.Cleanup(func() { _ = made.Close() })
	return made.(*sink), h, err
}

// outbox stands for the runtime's queue.
type outbox struct {
	mu       sync.Mutex
	answers  map[*component.Message]string // done, failed CODE, returned
	receipts map[*component.Message][]document.Member
}

func (o *outbox) message(t testing.TB, s *sink, e *event.Event, payload string) *component.Message {
	t.Helper()
	m := &component.Message{Event: e, Payload: []byte(payload), Answer: o.answer}
	if err := s.Encode(m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (o *outbox) answer(m *component.Message, receipt []document.Member, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.answers == nil {
		o.answers, o.receipts = map[*component.Message]string{}, map[*component.Message][]document.Member{}
	}
	if o.answers[m] != "" {
		panic("answered twice")
	}
	o.receipts[m] = receipt
	var f *event.Failure
	switch {
	case err == nil:
		o.answers[m] = "done"
	case errors.As(err, &f):
		o.answers[m] = "failed " + f.Code
	case errors.Is(err, component.ErrReturned):
		o.answers[m] = "returned"
	}
}

func (o *outbox) of(m *component.Message) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answers[m]
}

// open are the messages without an answer, in order.
func (o *outbox) open(messages []*component.Message) []*component.Message {
	return slices.DeleteFunc(slices.Clone(messages), func(m *component.Message) bool { return o.of(m) != "" })
}

func alert(n int) *event.Event {
	return event.New(&event.Stream{Source: "source.file.a", Generation: "g"}, int64(n), fmt.Appendf(nil, `{"n":%d}`, n), time.Unix(0, 0), ack.Token{})
}

// alerts are messages number from to number to.
func (o *outbox) alerts(t testing.TB, s *sink, from, to int) []*component.Message {
	var list []*component.Message
	for n := from; n <= to; n++ {
		list = append(list, o.message(t, s, alert(n), fmt.Sprint(n)))
	}
	return list
}

// deliver gives messages until all are answered, as the runtime does, in lots.
func (o *outbox) deliver(ctx context.Context, s *sink, messages []*component.Message, lot int) (tries int) {
	for len(messages) > 0 && ctx.Err() == nil {
		now := messages[:min(lot, len(messages))]
		for _, m := range now {
			m.Attempts++
		}
		tries++
		if err := s.Deliver(ctx, now); err != nil {
			time.Sleep(10 * time.Millisecond)
		}
		messages = append(o.open(now), messages[len(now):]...)
	}
	return tries
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

// count is the texts of from to to.
func count(from, to int) []string {
	var list []string
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprint(n))
	}
	return list
}
