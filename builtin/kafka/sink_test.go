package kafka

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/testdata/certs"
)

func TestDelivers(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			c := cluster(t)
			r := newRig(t, map[string]any{"brokers": c.ListenAddrs(), "topic": text("dfn"), "compression": compression}).open()
			all := r.messages("a", 0, 3000)
			for part := range slices.Chunk(all, 500) {
				if err := r.sink.Deliver(t.Context(), part); err != nil {
					t.Fatal(err)
				}
			}
			r.waitAnswers(len(all))
			if got := r.count(); got["done"] != len(all) {
				t.Fatalf("answers %v", got)
			}
			records := consume(t, len(all), c.ListenAddrs(), []string{"dfn"})
			inOrder(t, records, all)
			// A batch that compression would not make smaller goes as it is.
			compressed := slices.ContainsFunc(records, func(r *kgo.Record) bool { return r.Attrs.CompressionType() != 0 })
			if compressed != (compression != "none") {
				t.Errorf("compression %s, compressed %t", compression, compressed)
			}
			if records[0].ProducerID < 0 {
				t.Error("the producer is not idempotent")
			}
		})
	}
}

func TestTopicKeyHeaders(t *testing.T) {
	c := cluster(t, kfake.SeedTopics(4, "t0", "t1", "t2"))
	r := newRig(t, map[string]any{
		"brokers": c.ListenAddrs(), "topic": field("topic"), "key": field("n"),
		"headers": []component.NamedTemplate{{Name: "kind", Template: text("alert")}, {Name: "n", Template: field("n")}},
	}).open()
	all := r.messages("a", 0, 30)
	want := document.NewObject(all[1].Attributes).AppendJSON(nil)
	if string(want) != `{"topic":"t1","key":"a1","headers":{"kind":"alert","n":"a1"}}` {
		t.Errorf("attributes %s", want)
	}
	_ = r.sink.Deliver(t.Context(), all)
	r.waitAnswers(len(all))
	for _, record := range consume(t, len(all), c.ListenAddrs(), []string{"t0", "t1", "t2"}) {
		n := string(record.Key)
		if !strings.Contains(string(record.Value), `"n":"`+n+`","topic":"`+record.Topic+`"`) {
			t.Errorf("%s in %s has key %s", record.Value, record.Topic, n)
		}
		if h := record.Headers; len(h) != 2 || h[0].Key != "kind" || string(h[0].Value) != "alert" || string(h[1].Value) != n {
			t.Errorf("headers %v", h)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	values := map[string]any{"brokers": []string{"127.0.0.1:1"}, "topic": field("topic"), "key": field("key"), "max_message_bytes": int64(2000)}
	r := newRig(t, values)
	for _, test := range []struct{ raw, payload, code string }{
		{`{"topic":"x","key":"k"}`, "fits", ""},
		{`{"key":"k"}`, "", event.CodeTemplate},
		{`{"topic":"x"}`, "", event.CodeTemplate},
		{`{"topic":"..","key":"k"}`, "", "invalid_topic"},
		{`{"topic":"a b","key":"k"}`, "", "invalid_topic"},
		{`{"topic":"` + strings.Repeat("a", 250) + `","key":"k"}`, "", "invalid_topic"},
		{`{"topic":"x","key":"k"}`, strings.Repeat("x", 2000), "message_too_large"},
	} {
		m := &component.Message{Event: event.New(stream, 0, []byte(test.raw), time.Now(), ack.Token{}), Payload: []byte(test.payload)}
		code := ""
		if f, ok := errors.AsType[*event.Failure](r.sink.Encode(m)); ok {
			code = f.Code
		}
		if code != test.code {
			t.Errorf("%.60s: %q, want %q", test.raw, code, test.code)
		}
	}
}

// Alerts of 961 KB must pass with the defaults, whatever the client adds.
func TestLargeMessage(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	r := newRig(t, map[string]any{"brokers": c.ListenAddrs(), "topic": text("dfn"), "compression": "none"}).open()
	const overhead = 61 + 21
	large := r.message(`{"n":"large","pad":"` + strings.Repeat("x", 1<<20-overhead-22) + `"}`)
	if len(large.Payload) != 1<<20-overhead {
		t.Fatal("the payload is not at the limit but", len(large.Payload))
	}
	all := append(r.messages("a", 0, 3), large, r.message(`{"n":"last"}`))
	_ = r.sink.Deliver(t.Context(), all)
	r.waitAnswers(len(all))
	if got := r.count(); got["done"] != len(all) {
		t.Fatalf("answers %v", got)
	}
	inOrder(t, consume(t, len(all), c.ListenAddrs(), []string{"dfn"}), all)
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	authority := certs.NewAuthority(t)
	c := cluster(t, kfake.TLS(authority.Server(t)))
	ca, cert, key := authority.Files(t, t.TempDir(), authority.Issue(t, "client"))
	values := map[string]any{"brokers": c.ListenAddrs(), "topic": text("dfn")}

	t.Run("with a certificate", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, values, block(tlsconfig.Block.Attrs, map[string]any{"ca_file": ca, "cert_file": cert, "key_file": key})).open()
		all := r.messages("a", 0, 10)
		_ = r.sink.Deliver(t.Context(), all)
		r.waitAnswers(len(all))
		if got := r.count(); got["done"] != len(all) {
			t.Errorf("answers %v", got)
		}
		if files := r.sink.Files(); !slices.Equal(files, []string{ca, cert, key}) {
			t.Errorf("reads %v", files)
		}
	})
	other := certs.Write(t, t.TempDir(), "other.pem", certs.NewAuthority(t).PEM())
	for name, test := range map[string]struct {
		tls    map[string]any
		health string
	}{
		"without a certificate": {map[string]any{"ca_file": ca}, "refused TLS"},
		"another authority":     {map[string]any{"ca_file": other, "cert_file": cert, "key_file": key}, "none of the authorities signed"},
		"another name":          {map[string]any{"ca_file": ca, "cert_file": cert, "key_file": key, "server_name": "example.org"}, "certificate for another name"},
		"no TLS":                {nil, "closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tls *component.Config
			if test.tls != nil {
				tls = block(tlsconfig.Block.Attrs, test.tls)
			}
			r := newRig(t, values, tls).open() // waits: it is the target's trouble
			r.waitHealth(test.health)
			ctx, cancel := context.WithCancel(t.Context())
			_ = r.sink.Deliver(ctx, r.messages("a", 0, 10))
			time.AfterFunc(500*time.Millisecond, cancel)
			r.waitAnswers(10)
			if got := r.count(); got[component.ErrReturned.Error()] != 10 {
				t.Errorf("answers %v", got)
			}
		})
	}
}

func TestSASL(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			c := cluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "reader", "r"), kfake.Superuser(mechanism, "etl", "secret"))
			values := map[string]any{"brokers": c.ListenAddrs(), "topic": text("dfn")}
			file := certs.Write(t, t.TempDir(), "password", []byte("wrong\n"))
			login := block(saslBlock.Attrs, map[string]any{"mechanism": strings.ToLower(mechanism), "username": "etl", "password_file": file})
			r := newRig(t, values, nil, login).open()
			r.waitHealth("closed the connection") // kfake says no more; a real broker does
			all := r.messages("a", 0, 10)
			_ = r.sink.Deliver(t.Context(), all)
			certs.Write(t, strings.TrimSuffix(file, "/password"), "password", []byte("secret\n"))
			r.waitAnswers(len(all))
			r.waitHealth("")
			inOrder(t, consume(t, len(all), c.ListenAddrs(), []string{"dfn"}, kgo.SASL(plain.Auth{User: "reader", Pass: "r"}.AsMechanism())), all)
		})
	}
}

func TestConstructor(t *testing.T) {
	sasl := func(values map[string]any) *component.Config { return block(saslBlock.Attrs, values) }
	for name, test := range map[string]struct {
		tls, sasl *component.Config
		code      diag.Code
	}{
		"a certificate without key": {tls: block(nil, map[string]any{"cert_file": "/c"}), code: diag.MissingAttribute},
		"no password":               {sasl: sasl(map[string]any{"username": "u"}), code: diag.MissingAttribute},
		"two passwords":             {sasl: sasl(map[string]any{"password": "p", "password_file": "/p"}), code: diag.InvalidValue},
	} {
		c := block(sinkSpec.Attrs, map[string]any{"brokers": []string{"x"}, "topic": text("x")})
		c.Subs = map[string]*component.Config{"tls": test.tls, "sasl": test.sasl}
		_, err := newSink(c)
		if d, ok := errors.AsType[diag.Diagnostic](err); !ok || d.Code != test.code {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
}

func TestCheck(t *testing.T) {
	login := block(saslBlock.Attrs, map[string]any{"mechanism": "plain", "username": "u", "password_file": "/nowhere/password"})
	tls := block(tlsconfig.Block.Attrs, map[string]any{"ca_file": "/nowhere/ca.pem"})
	for name, test := range map[string]struct {
		subs []*component.Config
		want string
	}{
		"nothing": {nil, ""},
		"files":   {[]*component.Config{tls, login}, "ETL1504 ETL1504"},
		"plain":   {[]*component.Config{nil, login}, "ETL1504 ETL1908"},
	} {
		r := newRig(t, map[string]any{"brokers": []string{"x"}, "topic": text("x")}, test.subs...)
		var codes []string
		for _, err := range r.sink.Check(r.host) {
			codes = append(codes, string(err.(diag.Diagnostic).Code))
		}
		if got := strings.Join(codes, " "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestAttributeChecks(t *testing.T) {
	for _, test := range []struct {
		check func(any) error
		value any
		ok    bool
	}{
		{checkBrokers, []string{"a.example:9093", "b", "[::1]:9092", "127.0.0.1:1"}, true},
		{checkBrokers, []string{}, false},
		{checkBrokers, []string{"a:"}, false},
		{checkBrokers, []string{"a:kafka"}, false},
		{checkBrokers, []string{"http://a:9092"}, false},
		{checkBrokers, []string{":9092"}, false},
		{checkBrokers, []string{"a:0"}, false},
		{checkTopic, text("dfn-alerts_1.x"), true},
		{checkTopic, field("x"), true},
		{checkTopic, text(""), false},
		{checkTopic, text("."), false},
		{checkTopic, text("a/b"), false},
		{checkTopic, text(strings.Repeat("a", 250)), false},
		{checkMessageBytes, int64(1 << 20), true},
		{checkMessageBytes, int64(100), false},
		{checkMessageBytes, int64(1 << 30), false},
	} {
		if err := test.check(test.value); (err == nil) != test.ok {
			t.Errorf("%v: %v", test.value, err)
		}
	}
}

// After a reload a missing topic is a warning: the sink waits for it.
func TestOpenMissingTopic(t *testing.T) {
	virtual(t, func(t *testing.T, c *virtualCluster) {
		r := c.rig(t, map[string]any{"topic": text("other")})
		err := r.sink.Open(t.Context(), r.host)
		if err == nil || !strings.Contains(err.Error(), "topic other does not exist") {
			t.Fatalf("opening: %v", err)
		}
		all := r.messages("a", 0, 10)
		_ = r.sink.Deliver(t.Context(), all)
		r.waitHealth("topic other")
		if err := c.CreateTopic("other", 1, nil); err != nil {
			t.Fatal(err)
		}
		r.waitAnswers(len(all))
		inOrder(t, c.consume(t, len(all), "other"), all)
	})
}

func TestOpenCreatedTopic(t *testing.T) {
	virtual(t, func(t *testing.T, c *virtualCluster) {
		r := c.rig(t, map[string]any{"topic": text("other")}).open()
		_ = r.sink.Deliver(t.Context(), r.messages("a", 0, 10))
		r.waitAnswers(10)
	}, kfake.AllowAutoTopicCreation())
}

func TestOpenUnreachable(t *testing.T) {
	newRig(t, map[string]any{"brokers": []string{deadAddress(t)}, "topic": text("dfn")}).open().waitHealth("refused the connection")
}

// One broker that is away is no trouble while another one answers.
func TestOpenSecondBroker(t *testing.T) {
	c := cluster(t)
	for range 5 { // the client asks them in any order
		r := newRig(t, map[string]any{"brokers": []string{deadAddress(t), deadAddress(t), c.ListenAddrs()[0]}, "topic": text("dfn")}).open()
		if len(r.healths) > 0 {
			t.Fatalf("health %q", r.healths)
		}
		if err := r.sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// deadAddress is one that refuses connections.
func deadAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
