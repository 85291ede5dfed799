package wazuh

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func object(t testing.TB, text string) document.Value {
	t.Helper()
	d, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

// template gives a member of the event, or a text.
type template struct {
	path []string
	text string
}

func (p template) Value(e *event.Event) (document.Value, error) {
	if p.path == nil {
		return document.NewText(p.text), nil
	}
	root, err := e.Root()
	return root.At(p.path...), err
}

func (p template) AppendText(dst []byte, e *event.Event) ([]byte, error) {
	v, err := p.Value(e)
	return v.AppendText(dst), err
}

func (p template) Constant() (string, bool) { return p.text, p.path == nil }

// open makes the sink and opens it in a world with this dialer.
func open(t testing.TB, dial dialer, values map[string]any) (*sink, *component.Host) {
	t.Helper()
	all := map[string]any{"protocol": datagram, "location": template{text: "dfn"}, "agent": template{path: []string{"agent"}}}
	for k, v := range values {
		all[k] = v
	}
	s, err := newSink(&component.Config{Address: "sink.wazuh.w", Values: all})
	if err != nil {
		t.Fatal(err)
	}
	host := &component.Host{World: world.World{Dial: dial}, Log: slog.New(slog.DiscardHandler), Health: func(error) {}}
	if err := s.Open(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*sink), host
}

var dialOS dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// outbox makes messages and remembers their answers.
type outbox struct {
	mu      sync.Mutex
	answers []string // one word each, in order
	failure error
}

func (o *outbox) message(raw string, payload string) *component.Message {
	e := event.New(&event.Stream{Generation: "g"}, 0, []byte(raw), time.Unix(0, 0), ack.Token{})
	return &component.Message{Event: e, Payload: []byte(payload), Answer: func(_ *component.Message, _ []document.Member, err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		word := "done"
		switch {
		case errors.Is(err, component.ErrReturned):
			word = "returned"
		case err != nil:
			word, o.failure = "failed", err
		}
		o.answers = append(o.answers, word)
	}}
}

func (o *outbox) messages(n int) []*component.Message {
	list := make([]*component.Message, n)
	for i := range list {
		list[i] = o.message(`{}`, fmt.Sprintf("1:dfn:%d", i))
	}
	return list
}

func (o *outbox) said() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.answers, " ")
}

// socket is a short name: Unix sockets can't have long ones.
func socket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wz")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "queue")
}

// manager listens as Wazuh does.
func manager(t testing.TB, name string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func receive(t testing.TB, c net.Conn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 1<<17)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// receipt is what wazuh-dfn reports of a delivery, as the runtime would hand it over.
func receipt(alert document.Value, format string) []byte {
	members := func(list ...any) document.Value {
		var m []document.Member
		for i := 0; i < len(list); i += 2 {
			v := list[i+1].(document.Value)
			if v.Kind() == document.Missing {
				v = document.NewNull()
			}
			m = append(m, document.Member{Name: list[i].(string), Value: v})
		}
		return document.NewObject(m)
	}
	return members(
		"integration", document.NewText("dfn"),
		"alert_id", alert.Get("id"),
		"agent_name", alert.At("agent", "name"),
		"dfn", members(
			"event_format", document.NewText(format),
			"event_id", alert.At("data", "win", "system", "eventID"),
			"win_timestamp", alert.At("data", "win", "system", "systemTime"),
			"wz_timestamp", alert.Get("timestamp"),
		),
	).AppendJSON(nil)
}

func TestReceiptsOfTheExampleAlerts(t *testing.T) {
	name := socket(t)
	queue := manager(t, name)
	s, _ := open(t, dialOS, map[string]any{"socket": name})

	const dir = "../../testdata/alerts"
	goldens, err := filepath.Glob(dir + "/expected/*.wazuh.txt")
	if err != nil || len(goldens) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, golden := range goldens {
		base := strings.TrimSuffix(filepath.Base(golden), ".wazuh.txt")
		t.Run(base, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(dir, base+".json"))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			format := "windows-xml"
			if strings.HasPrefix(base, "f2b") {
				format = "syslog5424-json"
			}
			var o outbox
			m := o.message(string(raw), string(receipt(object(t, string(raw)), format)))
			if err := s.Encode(m); err != nil {
				t.Fatal(err)
			}
			if err := s.Deliver(t.Context(), []*component.Message{m}); err != nil {
				t.Fatal(err)
			}
			if o.said() != "done" {
				t.Fatalf("answered %q", o.said())
			}
			got := receive(t, queue)
			if got != string(m.Payload) {
				t.Errorf("the payload is not what was sent: %s", m.Payload)
			}
			gotHead, gotJSON, _ := strings.Cut(got, "{")
			wantHead, wantJSON, _ := strings.Cut(string(want), "{")
			if gotHead != wantHead {
				t.Errorf("header %s, want %s", gotHead, wantHead)
			}
			var g, w any
			if err := errors.Join(json.Unmarshal([]byte("{"+gotJSON), &g), json.Unmarshal([]byte("{"+wantJSON), &w)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(g, w) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestEncodeAnswersForTheEvent(t *testing.T) {
	s, _ := open(t, dialOS, map[string]any{"socket": socket(t)})
	var o outbox
	var f *event.Failure

	header := len("1:dfn:")
	if err := s.Encode(o.message(`{}`, strings.Repeat("x", maxMessage-header))); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	if err := s.Encode(o.message(`{}`, strings.Repeat("x", maxMessage-header+1))); !errors.As(err, &f) || f.Code != CodeTooLarge {
		t.Errorf("a byte longer: %v", err)
	}
	if err := s.Encode(o.message(`{`, "")); !errors.As(err, &f) || f.Code != event.CodeNotJSON {
		t.Errorf("agent of what is not JSON: %v", err)
	}
	m := o.message(`{}`, `{}`)
	if err := s.Encode(m); err != nil || len(m.Attributes) != 1 || m.Attributes[0].Value.Text() != "dfn" {
		t.Errorf("attributes %v, %v", m.Attributes, err)
	}
}

// The rows of the error table that only the kernel makes, or only for some users.
func TestTargetErrorsWait(t *testing.T) {
	for name, errno := range map[string]syscall.Errno{
		"missing":    syscall.ENOENT,
		"refused":    syscall.ECONNREFUSED,
		"permission": syscall.EACCES,
		"no files":   syscall.EMFILE,
	} {
		t.Run("connecting: "+name, func(t *testing.T) {
			var health error
			s, host := open(t, func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errno)}
			}, map[string]any{"socket": "/queue"})
			host.Health = func(err error) { health = err }
			if err := s.Open(t.Context(), host); err != nil || !errors.Is(health, errno) {
				t.Errorf("Open: %v, health %v", err, health)
			}
			var o outbox
			if err := s.Deliver(t.Context(), o.messages(2)); !errors.Is(err, errno) || o.said() != "" {
				t.Errorf("%v, answered %q", err, o.said())
			}
		})
	}
	for name, errno := range map[string]syscall.Errno{
		"busy":          syscall.ENOBUFS,
		"refused":       syscall.ECONNREFUSED,
		"not connected": syscall.ENOTCONN,
		"unknown":       syscall.EIO,
	} {
		t.Run("sending: "+name, func(t *testing.T) {
			c := &failing{after: 1, err: errno}
			s, _ := open(t, func(context.Context, string, string) (net.Conn, error) { return c, nil }, map[string]any{"socket": "/queue"})
			var o outbox
			messages := o.messages(3)
			if err := s.Deliver(t.Context(), messages); !errors.Is(err, errno) || o.said() != "done" {
				t.Fatalf("%v, answered %q", err, o.said())
			}
			c.after = 10
			if err := s.Deliver(t.Context(), messages[1:]); err != nil || o.said() != "done done done" {
				t.Fatalf("%v, answered %q", err, o.said())
			}
			if got := c.String(); got != "1:dfn:01:dfn:11:dfn:2" {
				t.Errorf("sent %s", got)
			}
		})
	}
}

// failing takes a number of messages, then fails.
type failing struct {
	net.Conn
	bytes.Buffer
	after int
	err   error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.after == 0 {
		return 0, &net.OpError{Op: "write", Err: os.NewSyscallError("write", f.err)}
	}
	f.after--
	return f.Buffer.Write(p)
}
func (f *failing) Read(p []byte) (int, error)       { return f.Buffer.Read(p) }
func (f *failing) SetWriteDeadline(time.Time) error { return nil }
func (f *failing) Close() error                     { return nil }

func TestTooLargeForTheSocketIsTheEventsError(t *testing.T) {
	name := socket(t)
	queue := manager(t, name)
	s, _ := open(t, func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialOS(ctx, network, address)
		if err == nil {
			err = c.(*net.UnixConn).SetWriteBuffer(4096)
		}
		return struct{ net.Conn }{c}, err // out of the sink's reach
	}, map[string]any{"socket": name})
	var o outbox
	if err := s.Deliver(t.Context(), []*component.Message{o.message(`{}`, strings.Repeat("x", 60000)), o.message(`{}`, "next")}); err != nil {
		t.Fatal(err)
	}
	var f *event.Failure
	if o.said() != "failed done" || !errors.As(o.failure, &f) || f.Code != CodeTooLarge {
		t.Errorf("%s: %v", o.said(), o.failure)
	}
	if got := receive(t, queue); got != "next" {
		t.Errorf("received %.20s", got)
	}
}

func TestTheLongestMessageGetsThrough(t *testing.T) {
	name := socket(t)
	queue := manager(t, name)
	s, _ := open(t, dialOS, map[string]any{"socket": name})
	var o outbox
	if err := s.Deliver(t.Context(), []*component.Message{o.message(`{}`, strings.Repeat("x", maxMessage))}); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, queue); len(got) != maxMessage || o.said() != "done" {
		t.Errorf("received %d bytes, %s", len(got), o.said())
	}
}

func TestAnotherTypeOfSocketStopsTheStart(t *testing.T) {
	name := socket(t)
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := newSink(&component.Config{Values: map[string]any{"protocol": datagram, "socket": name}})
	if err != nil {
		t.Fatal(err)
	}
	host := &component.Host{World: world.World{Dial: dialOS}, Health: func(error) {}}
	if err := s.Open(t.Context(), host); err == nil || !strings.Contains(err.Error(), "protocol") {
		t.Errorf("Open: %v", err)
	}
}

func TestTheSocketVanishesAndComesBack(t *testing.T) {
	name := socket(t)
	queue := manager(t, name)
	s, _ := open(t, dialOS, map[string]any{"socket": name})
	var o outbox
	messages := o.messages(6)
	deliver := func(from, to int) error { return s.Deliver(t.Context(), messages[from:to]) }

	if err := deliver(0, 1); err != nil || receive(t, queue) != "1:dfn:0" {
		t.Fatal("first", err)
	}
	_ = queue.Close() // leaves its file behind
	if err := deliver(1, 3); !errors.Is(err, syscall.ECONNREFUSED) || o.said() != "done" {
		t.Fatalf("nobody there: %v, answered %q", err, o.said())
	}
	_ = os.Remove(name)
	if err := deliver(1, 3); !errors.Is(err, syscall.ENOENT) || o.said() != "done" {
		t.Fatalf("gone: %v, answered %q", err, o.said())
	}
	queue = manager(t, name)
	if err := deliver(1, 4); err != nil {
		t.Fatal("back", err)
	}
	for i := 1; i < 4; i++ {
		if got := receive(t, queue); got != fmt.Sprintf("1:dfn:%d", i) {
			t.Errorf("received %s as number %d", got, i)
		}
	}
	_ = queue.Close() // a restart between two deliveries goes unnoticed
	_ = os.Remove(name)
	queue = manager(t, name)
	if err := deliver(4, 6); err != nil || receive(t, queue) != "1:dfn:4" || receive(t, queue) != "1:dfn:5" {
		t.Error("restart", err)
	}
}

func TestAFullQueueIsWaitedFor(t *testing.T) {
	name := socket(t)
	queue := manager(t, name)
	s, _ := open(t, dialOS, map[string]any{"socket": name})
	const n = 2000 // more than any max_dgram_qlen
	var o outbox
	messages := o.messages(n)

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Deliver(ctx, messages) }()
	for len(o.said()) < len("done") { // it has begun, and will stick
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	answers := strings.Fields(o.said())
	if len(answers) != n || answers[0] != "done" || answers[n-1] != "returned" {
		t.Fatalf("%d answers: %.40s", len(answers), o.said())
	}
	taken := strings.Count(o.said(), "done")
	go func() { done <- s.Deliver(t.Context(), messages[taken:]) }()
	for i := range n {
		if got := receive(t, queue); got != fmt.Sprintf("1:dfn:%d", i) {
			t.Fatalf("received %s as number %d", got, i)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// The kernel keeps what it has taken for a receiver, whatever becomes of the
// sender, as long as the receiver lives.
func TestWhatTheKernelHasOutlivesTheSink(t *testing.T) {
	name := socket(t)
	queue := manager(t, name)
	s, _ := open(t, dialOS, map[string]any{"socket": name})
	var o outbox
	if err := s.Deliver(t.Context(), o.messages(3)); err != nil || o.said() != "done done done" {
		t.Fatalf("%v, answered %q", err, o.said())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, queue); got != "1:dfn:0" {
		t.Errorf("received %s", got)
	}
	_ = queue.Close() // with two messages unread
	_ = os.Remove(name)
	queue = manager(t, name)
	next, _ := open(t, dialOS, map[string]any{"socket": name})
	if err := next.Deliver(t.Context(), o.messages(1)); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, queue); got != "1:dfn:0" { // not 1:dfn:1 of before
		t.Errorf("received %s", got)
	}
}

func TestAReceiverThatNeverReadsIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		dials := 0
		s, _ := open(t, func(context.Context, string, string) (net.Conn, error) { dials++; return near, nil }, map[string]any{"protocol": tcp, "address": "h:1"})
		var o outbox
		messages := o.messages(1)
		if err := s.Deliver(t.Context(), messages); !errors.Is(err, errNotReading) || o.said() != "" {
			t.Fatalf("%v, answered %q", err, o.said())
		}
		go func() { _ = s.Deliver(t.Context(), messages) }()
		if got := receive(t, far); got != "1:dfn:0\n" || dials != 1 {
			t.Errorf("received %q after %d dials", got, dials)
		}
		synctest.Wait()
		_ = s.Close()
	})
}

func TestStreams(t *testing.T) {
	for _, protocol := range []string{stream, tcp} {
		t.Run(protocol, func(t *testing.T) {
			values := map[string]any{"protocol": protocol}
			network, address := "tcp", "127.0.0.1:0"
			if protocol == stream {
				network, address = "unix", socket(t)
				values["socket"] = address
			}
			l, err := net.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if protocol == tcp {
				values["address"] = l.Addr().String()
			}
			s, _ := open(t, dialOS, values)
			peer, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			var o outbox
			messages := o.messages(3)
			if err := s.Deliver(t.Context(), messages[:1]); err != nil || receive(t, peer) != "1:dfn:0\n" {
				t.Fatal(err)
			}
			_ = peer.Close()
			<-s.line.gone // the sink has seen it
			if err := s.Deliver(t.Context(), messages[1:]); err != nil {
				t.Fatal(err)
			}
			if peer, err = l.Accept(); err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			got := ""
			for len(got) < len("1:dfn:1\n1:dfn:2\n") {
				got += receive(t, peer)
			}
			if got != "1:dfn:1\n1:dfn:2\n" || o.said() != "done done done" {
				t.Errorf("received %q, answered %q", got, o.said())
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	for name, values := range map[string]map[string]any{
		"tcp without address":     {"protocol": tcp, "socket": "/q"},
		"tcp without port":        {"protocol": tcp, "address": "h"},
		"address without tcp":     {"protocol": datagram, "address": "h:1"},
		"name too long to be one": {"protocol": datagram, "socket": "/" + strings.Repeat("x", longestSocket)},
	} {
		if _, err := newSink(&component.Config{Values: values}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := newSink(&component.Config{Values: map[string]any{"protocol": tcp}, Unknown: map[string]bool{"address": true}}); err != nil {
		t.Errorf("unknown address: %v", err)
	}
}

func BenchmarkReceipt(b *testing.B) {
	name := socket(b)
	queue := manager(b, name)
	go func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := queue.Read(buf); err != nil {
				return
			}
		}
	}()
	s, _ := open(b, dialOS, map[string]any{"socket": name})
	alert := `{"id":"1.2","timestamp":"t","agent":{"id":"014","name":"fs-ochre","ip":"10.61.0.14"}}`
	payload := string(receipt(object(b, alert), "windows-xml"))
	m := new(outbox).message(alert, "")
	m.Answer = func(*component.Message, []document.Member, error) {}
	list := []*component.Message{m}
	b.ReportAllocs()
	for b.Loop() {
		m.Payload = []byte(payload)
		if err := s.Encode(m); err != nil {
			b.Fatal(err)
		}
		if err := s.Deliver(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
}
