package nats

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

func TestJetStreamStoresInOrderOnce(t *testing.T) {
	f := serve(t, nil)
	st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
	s, _ := open(t, map[string]any{"url": f.url(), "headers": []component.NamedTemplate{header("Number", "no. {}")}})

	var o outbox
	messages := o.alerts(t, s, 1, 2000)
	o.deliver(t.Context(), s, messages, 512)
	all := stored(t, st)
	want(t, "stored", payloads(all), count(1, 2000))
	want(t, "subject", all[6].Subject, "alerts.7")
	want(t, "id", all[6].Header.Get("Nats-Msg-Id"), "g@7/sink.nats.n")
	want(t, "header", all[6].Header.Get("Number"), "no. 7")
	want(t, "attributes", string(document.NewObject(messages[6].Attributes).AppendJSON(nil)), `{"subject":"alerts.7","headers":{"Number":"no. 7"}}`)
	want(t, "receipt", string(document.NewObject(o.receipts[messages[6]]).AppendJSON(nil)), `{"stream":"A","sequence":7,"duplicate":false}`)

	var again outbox // what a restart reads again
	repeated := again.alerts(t, s, 1990, 2010)
	again.deliver(t.Context(), s, repeated, 512)
	want(t, "stored after a restart", payloads(stored(t, st)), count(1, 2010))
	want(t, "receipt", string(document.NewObject(again.receipts[repeated[0]]).AppendJSON(nil)), `{"stream":"A","sequence":1990,"duplicate":true}`)
	place, command := s.Destination()
	want(t, "place", place, "stream A at "+f.url())
	want(t, "command", command, "etl peek --stream A "+f.url())
}

func TestTwoEventsOfOneAlertAreTwo(t *testing.T) {
	f := serve(t, nil)
	st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
	s, _ := open(t, map[string]any{"url": f.url(), "stream": "A"})
	var o outbox
	e := alert(1)
	root, _ := e.Root()
	var messages []*component.Message
	for _, d := range []*event.Event{e.Derive("transform.lua.xml", -1, root), e.Derive("transform.lua.log", -1, root), e.Derive("transform.lua.log", 0, root), e} {
		messages = append(messages, o.message(t, s, d, d.ID()))
	}
	o.deliver(t.Context(), s, messages, 10)
	want(t, "stored", payloads(stored(t, st)), "[g@1/transform.lua.xml g@1/transform.lua.log g@1/transform.lua.log#0 g@1]")
}

func TestMessageIDOfOnesOwn(t *testing.T) {
	f := serve(t, nil)
	st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
	s, _ := open(t, map[string]any{"url": f.url(), "message_id": template(" {}/50%\n")})
	var o outbox
	o.deliver(t.Context(), s, o.alerts(t, s, 1, 1), 10)
	want(t, "id", stored(t, st)[0].Header.Get("Nats-Msg-Id"), "%201/50%25%0A")
}

func TestCoreIsFlushed(t *testing.T) {
	f := serve(t, nil)
	nc, err := client.Connect(f.url())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("alerts.*")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, map[string]any{"url": f.url(), "jetstream": false, "headers": []component.NamedTemplate{header("N", "{}")}})
	var o outbox
	o.deliver(t.Context(), s, o.alerts(t, s, 1, 600), 512)
	for n, text := range count(1, 600) {
		m, err := sub.NextMsg(5 * time.Second)
		if err != nil {
			t.Fatal(n, err)
		}
		if string(m.Data) != text || m.Header.Get("N") != text || m.Header.Get("Nats-Msg-Id") != "" {
			t.Fatalf("message %s with headers %v, want %s", m.Data, m.Header, text)
		}
	}
	place, command := s.Destination()
	want(t, "place", place, "core NATS at "+f.url())
	want(t, "command", command, "")
}

func TestServersThatAreNotThereAreWaitedFor(t *testing.T) {
	f := serve(t, nil)
	stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
	f.stop()
	s, h := open(t, map[string]any{"url": f.url()})
	if h.health() == nil {
		t.Error("all is well without a server")
	}
	var o outbox
	messages := o.alerts(t, s, 1, 5)
	done := make(chan int)
	go func() { done <- o.deliver(t.Context(), s, messages, 512) }()
	f.start(t)
	<-done
	want(t, "stored", payloads(stored(t, stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}}))), count(1, 5))
	if err := h.health(); err != nil {
		t.Error(err)
	}
}

func TestStopWhileNobodyAnswersReturnsAll(t *testing.T) {
	s, _ := open(t, map[string]any{"url": "nats://127.0.0.1:1"})
	ctx, cancel := context.WithCancel(t.Context())
	var o outbox
	messages := o.alerts(t, s, 1, 3)
	done := make(chan error)
	go func() { done <- s.Deliver(ctx, messages) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, m := range messages {
		want(t, "answer", o.of(m), "returned")
	}
}

// The server goes away and comes back while messages flow.
func TestRestartsUnderLoad(t *testing.T) {
	f := serve(t, nil)
	c := jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}}
	stream(t, js(t, f.url()), c)
	s, _ := open(t, map[string]any{"url": f.url()})
	const n = 30000
	var o outbox
	messages := o.alerts(t, s, 1, n)
	done := make(chan int)
	go func() { done <- o.deliver(t.Context(), s, messages, 512) }()
	for at := n / 4; at < n; at += n / 4 {
		for o.of(messages[at]) == "" {
			time.Sleep(time.Millisecond)
		}
		f.stop()
		f.start(t)
	}
	tries := <-done
	all := payloads(stored(t, stream(t, js(t, f.url()), c)))
	if len(all) != n || strings.Join(all, " ") != strings.Join(count(1, n), " ") {
		t.Errorf("%d messages of %d, or not in order", len(all), n)
	}
	t.Logf("%d lots for %d messages", tries, n)
}

func TestEventsOwnErrors(t *testing.T) {
	f := serve(t, func(o *server.Options) { o.MaxPayload = 200 << 10 })
	st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}, MaxMsgSize: 100 << 10})
	number := 100 // an id of its own for each message
	for name, c := range map[string]struct {
		values  map[string]any
		payload string
	}{
		"max_payload":              {map[string]any{"url": f.url()}, strings.Repeat("x", 201<<10)},
		"max_payload of core":      {map[string]any{"url": f.url(), "jetstream": false}, strings.Repeat("x", 201<<10)},
		"max_msg_size of a stream": {map[string]any{"url": f.url()}, strings.Repeat("x", 101<<10)},
		"headers":                  {map[string]any{"url": f.url(), "headers": []component.NamedTemplate{header("Long", strings.Repeat("x", 70<<10))}}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := st.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			number += 2
			s, _ := open(t, c.values)
			good, _ := open(t, map[string]any{"url": f.url()})
			var o outbox
			bad := o.message(t, s, alert(number), c.payload)
			o.deliver(t.Context(), s, []*component.Message{bad}, 10)
			want(t, "answer", o.of(bad), "failed "+CodeTooLarge)
			o.deliver(t.Context(), good, o.alerts(t, good, number+1, number+1), 10)
			want(t, "stored", payloads(stored(t, st)), count(number+1, number+1))
		})
	}
	t.Run("among others", func(t *testing.T) {
		if err := st.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, map[string]any{"url": f.url()})
		var o outbox
		messages := append(append(o.alerts(t, s, 11, 13), o.message(t, s, alert(14), strings.Repeat("x", 101<<10))), o.alerts(t, s, 15, 17)...)
		want(t, "lots", o.deliver(t.Context(), s, messages, 10), 1)
		want(t, "stored", payloads(stored(t, st)), "[11 12 13 15 16 17]")
		want(t, "answer", o.of(messages[3]), "failed "+CodeTooLarge)
	})
}

func TestSubjects(t *testing.T) {
	for _, subject := range []string{"", ".", "a.", ".a", "a..b", "a b", "a.\n", "a\x00", "*", "a.*", "a.>", "\xff", "$JS.API.STREAM.DELETE.A", "$SYS.x", strings.Repeat("x", longestSubject+1)} {
		s := &sink{subject: template(subject + "{}")}
		if strings.Contains(subject, "*") || strings.Contains(subject, ">") || strings.HasSuffix(subject, ".") || subject == "" {
			s.subject = template(subject)
		}
		m := &component.Message{Event: alert(1)}
		var f *event.Failure
		if err := s.Encode(m); !errors.As(err, &f) || f.Code != CodeInvalidSubject {
			t.Errorf("%q: %v", subject, err)
		}
	}
	for _, subject := range []string{"a", "alerts.fs-ochre.x%2Ey", "$KV.b.k", "ü.漢", "a*b.c>", strings.Repeat("x", longestSubject)} {
		if err := checkSubject(subject); err != nil {
			t.Error(err)
		}
	}
}

// Rows of the error table that are the target's: nothing is lost, and the sink
// goes on when the target does.
func TestTargetsErrors(t *testing.T) {
	t.Run("no stream takes the subject", func(t *testing.T) {
		f := serve(t, nil)
		s, _ := open(t, map[string]any{"url": f.url()})
		var o outbox
		messages := o.alerts(t, s, 1, 3)
		err := s.Deliver(t.Context(), messages)
		if !errors.Is(err, errNoStream) || !strings.Contains(err.Error(), `"alerts.1"`) || len(o.open(messages)) != 3 {
			t.Fatalf("%v, %d open", err, len(o.open(messages)))
		}
		st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
		o.deliver(t.Context(), s, messages, 10)
		want(t, "stored", payloads(stored(t, st)), "[1 2 3]")
	})
	t.Run("another stream takes it", func(t *testing.T) {
		f := serve(t, nil)
		j := js(t, f.url())
		stream(t, j, jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
		stream(t, j, jetstream.StreamConfig{Name: "B", Subjects: []string{"other"}})
		s, _ := open(t, map[string]any{"url": f.url(), "stream": "B"})
		var o outbox
		messages := o.alerts(t, s, 1, 3)
		if err := s.Deliver(t.Context(), messages); err == nil || !strings.Contains(err.Error(), "expected stream") || len(o.open(messages)) != 3 {
			t.Fatalf("%v, %d open", err, len(o.open(messages)))
		}
	})
	t.Run("full", func(t *testing.T) {
		f := serve(t, nil)
		st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}, MaxMsgs: 3, Discard: jetstream.DiscardNew})
		s, _ := open(t, map[string]any{"url": f.url()})
		var o outbox
		messages := o.alerts(t, s, 1, 5)
		if err := s.Deliver(t.Context(), messages); err == nil ||
			!strings.Contains(err.Error(), `stream "A" is full (maximum messages exceeded): raise its limit (nats stream edit A --max-msgs=…)`) {
			t.Fatal(err)
		}
		want(t, "open", len(o.open(messages)), 2)
		if err := st.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.deliver(t.Context(), s, o.open(messages), 10)
		want(t, "stored", payloads(stored(t, st)), "[4 5]")
	})
	t.Run("a server that does not answer", func(t *testing.T) {
		f := serve(t, nil)
		nc, err := client.Connect(f.url())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if _, err := nc.Subscribe("alerts.>", func(*client.Msg) {}); err != nil { // takes it, and says nothing
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, map[string]any{"url": f.url()})
		var o outbox
		messages := o.alerts(t, s, 1, 3)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Deliver(ctx, messages) }()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want(t, "answer", o.of(messages[2]), "returned")
	})
	t.Run("something else answers", func(t *testing.T) {
		f := serve(t, nil)
		nc, err := client.Connect(f.url())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if _, err := nc.Subscribe("alerts.>", func(m *client.Msg) { _ = m.Respond([]byte("{}")) }); err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, map[string]any{"url": f.url()})
		var o outbox
		messages := o.alerts(t, s, 1, 1)
		if err := s.Deliver(t.Context(), messages); err == nil || !strings.Contains(err.Error(), "not JetStream's") || len(o.open(messages)) != 1 {
			t.Error(err)
		}
	})
	t.Run("a server that wants a login", func(t *testing.T) {
		f := serve(t, func(o *server.Options) { o.Username, o.Password = "u", "p" })
		for url, says := range map[string]string{
			f.url():                           "the server wants a login, and none is written (creds_file, ",
			"nats://u:x@" + f.Addr().String(): "the server refuses the login by the url: ",
		} {
			_, h := open(t, map[string]any{"url": url})
			if err := h.health(); !errors.Is(err, client.ErrAuthorization) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", url, err)
			}
		}
	})
	t.Run("nobody is there", func(t *testing.T) {
		_, h := open(t, map[string]any{"url": "nats://u:p@127.0.0.1:1"})
		if err := h.health(); !errors.Is(err, client.ErrNoServers) || !strings.Contains(err.Error(), "connecting to nats://127.0.0.1:1: no server answers there") {
			t.Error(err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		f := serve(t, func(o *server.Options) { o.Username, o.Password = "u", "p" })
		_, h := open(t, map[string]any{"url": f.url(), "username": "u", "password": "x"})
		if err := h.health(); !errors.Is(err, client.ErrAuthorization) {
			t.Error(err)
		}
		if strings.Contains(h.health().Error(), "x@") {
			t.Error("the password is shown")
		}
	})
}

func TestServersThatSayNoStopTheStart(t *testing.T) {
	f := serve(t, nil)
	j := js(t, f.url())
	stream(t, j, jetstream.StreamConfig{Name: "A", Subjects: []string{"a"}})
	stream(t, j, jetstream.StreamConfig{Name: "N", Subjects: []string{"n"}, NoAck: true})
	bare := serve(t, func(o *server.Options) { o.JetStream = false })
	for name, c := range map[string]struct {
		values map[string]any
		says   string
	}{
		"no stream of the name":    {map[string]any{"url": f.url(), "stream": "X"}, `there is no stream "X"`},
		"no stream of the subject": {map[string]any{"url": f.url(), "subject": template("b")}, `no stream takes the subject "b"`},
		"no acknowledgements":      {map[string]any{"url": f.url(), "subject": template("n")}, "no_ack"},
		"no JetStream":             {map[string]any{"url": bare.url(), "subject": template("a")}, "no JetStream"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := tryOpen(t, c.values); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
		})
	}
	if _, _, err := tryOpen(t, map[string]any{"url": f.url(), "subject": template("a"), "stream": "A"}); err != nil {
		t.Error(err)
	}
}

// What makes the promise weaker is said once for each stream, whenever it is found.
func TestWeakPromisesAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		config jetstream.StreamConfig
		says   []string
	}{
		"nothing":              {jetstream.StreamConfig{}, nil},
		"memory and a window":  {jetstream.StreamConfig{Storage: jetstream.MemoryStorage, Duplicates: time.Second}, []string{"lies in memory", "duplicate_window=1s"}},
		"bytes":                {jetstream.StreamConfig{MaxBytes: 1 << 20}, []string{"max_bytes=1048576"}},
		"messages":             {jetstream.StreamConfig{MaxMsgs: 100}, []string{"max_msgs=100"}},
		"messages per subject": {jetstream.StreamConfig{MaxMsgsPerSubject: 5}, []string{"max_msgs_per_subject=5"}},
		"age":                  {jetstream.StreamConfig{MaxAge: time.Hour}, nil}, // says how long, not how much
		"refuses more":         {jetstream.StreamConfig{MaxMsgs: 100, MaxBytes: 1 << 20, Discard: jetstream.DiscardNew}, nil},
		"interest":             {jetstream.StreamConfig{Retention: jetstream.InterestPolicy}, []string{"stores only what a consumer waits for"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, nil)
			c.config.Name, c.config.Subjects = "A", []string{"alerts.>"}
			stream(t, js(t, f.url()), c.config)
			for _, values := range []map[string]any{
				{"url": f.url()},                // found by what it answers
				{"url": f.url(), "stream": "A"}, // looked for at the start
			} {
				s, h := open(t, values)
				var o outbox
				o.deliver(t.Context(), s, o.alerts(t, s, 1, 10), 2)
				for _, text := range c.says {
					if strings.Count(h.log(), text) != 1 {
						t.Errorf("%q is not said once in %s", text, h.log())
					}
				}
				if n := strings.Count(h.log(), "level=WARN"); n != len(c.says) {
					t.Errorf("%d warnings: %s", n, h.log())
				}
			}
		})
	}
}

// A stream with one replica is a weaker promise only in a cluster.
func TestOneReplicaInAClusterIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		info jetstream.StreamInfo
		says bool
	}{
		"one server":     {jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 1}}, false},
		"without a name": {jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 1}, Cluster: &jetstream.ClusterInfo{Leader: "a"}}, false},
		"one of three":   {jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 1}, Cluster: &jetstream.ClusterInfo{Name: "c"}}, true},
		"three of three": {jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 3}, Cluster: &jetstream.ClusterInfo{Name: "c"}}, false},
	} {
		h := newHost(t)
		c.info.Config.Name, c.info.Config.Duplicates = "A", 2*time.Minute
		if err := (&streams{log: h.Log}).inspect(&c.info); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(h.log(), "one replica in a cluster") != c.says {
			t.Errorf("%s: %q", name, h.log())
		}
	}
}

// Ids are known within the window, and not behind it: that is why a short one is warned of.
func TestAfterTheWindowItIsStoredTwice(t *testing.T) {
	f := serve(t, nil)
	st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}, Duplicates: 200 * time.Millisecond})
	s, _ := open(t, map[string]any{"url": f.url()})
	var o outbox
	o.deliver(t.Context(), s, o.alerts(t, s, 1, 2), 10)
	for deadline := time.Now().Add(20 * time.Second); len(stored(t, st)) < 3; {
		if time.Now().After(deadline) {
			t.Fatal("an id is known far behind the window")
		}
		time.Sleep(100 * time.Millisecond)
		o.deliver(t.Context(), s, o.alerts(t, s, 1, 1), 10)
	}
	want(t, "stored", payloads(stored(t, st)), "[1 2 1]")
}

// A reload in the middle of a lot: what has no answer comes back, the
// successor sends it, and the stream has each message once, in order.
func TestAReloadHandsOverInOrder(t *testing.T) {
	f := serve(t, nil)
	st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
	s, _ := open(t, map[string]any{"url": f.url()})
	const n = 5000
	var o outbox
	messages := o.alerts(t, s, 1, n)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.deliver(ctx, s, messages, 512)
	}()
	for o.of(messages[n/3]) == "" {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	next, _ := open(t, map[string]any{"url": f.url(), "stream": "A"})
	var later outbox
	var rest []*component.Message
	for i, m := range messages {
		if o.of(m) != "done" {
			rest = append(rest, later.alerts(t, next, i+1, i+1)...)
		} else if rest != nil {
			t.Fatalf("message %d is done, one before it is not", i+1)
		}
	}
	later.deliver(t.Context(), next, rest, 512)
	want(t, "stored", payloads(stored(t, st)), count(1, n))
}

func BenchmarkJetStream(b *testing.B) {
	s, _ := open(b, map[string]any{"embedded": &component.Config{Values: map[string]any{"max_bytes": int64(1 << 30)}}})
	payload := []byte(strings.Repeat("x", 700))
	messages := make([]*component.Message, 512)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := range messages {
			n++
			messages[i] = &component.Message{Event: alert(n), Payload: payload, Attempts: 1, Answer: func(*component.Message, []document.Member, error) {}}
			if err := s.Encode(messages[i]); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Deliver(b.Context(), messages); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func TestCompression(t *testing.T) {
	f := serve(t, func(o *server.Options) { o.MaxPayload = 4 << 10 })
	st := stream(t, js(t, f.url()), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
	long := strings.Repeat(`{"the same":"again"}`, 1000) // over the limit of the server, if it were not compressed
	for i, name := range []string{"zstd", "gzip"} {
		s, _ := open(t, map[string]any{"url": f.url(), "compression": name})
		var o outbox
		m := o.message(t, s, alert(i), long)
		if string(m.Payload) != long {
			t.Error("what tests and dry runs see is compressed")
		}
		o.deliver(t.Context(), s, []*component.Message{m}, 1)
		got := stored(t, st)[i]
		want(t, "header", got.Header.Get("Content-Encoding"), name)
		inside, err := compression.Expand(name, got.Data, 1<<20)
		if err != nil || string(inside) != long {
			t.Errorf("%s: %d bytes, %v", name, len(inside), err)
		}
	}
	_, err := newSink(config(map[string]any{"url": f.url(), "compression": "zstd", "headers": []component.NamedTemplate{header("content-encoding", "x")}}))
	if err == nil || !strings.Contains(err.Error(), "Content-Encoding") {
		t.Errorf("a header of that name: %v", err)
	}
}
