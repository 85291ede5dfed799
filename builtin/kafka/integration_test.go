//go:build integration

package kafka

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/testdata/servers"
)

// TestRealKafka is what kfake can't say: that a real broker, over mutual TLS,
// gives the answers that the sink builds on.
func TestRealKafka(t *testing.T) {
	b := servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true})
	for _, topic := range []string{"outage", "killed", "hangs", "small", "anew", "compact", "login"} {
		config := map[string]string{}
		switch topic {
		case "small":
			config["max.message.bytes"] = "20000"
		case "compact":
			config["cleanup.policy"] = "compact"
		}
		b.Create(topic, 1, config)
	}
	secure := block(tlsconfig.Block.Attrs, map[string]any{"ca_file": b.CAFile, "cert_file": b.CertFile, "key_file": b.KeyFile})
	rig := func(t *testing.T, topic string) *rig {
		return newRig(t, map[string]any{"brokers": []string{b.TLS}, "topic": text(topic)}, secure)
	}

	t.Run("a broker that is stopped for a while", func(t *testing.T) {
		outage(t, b, rig(t, "outage"), "outage", b.Stop, b.Start, "refused the connection")
	})
	t.Run("a broker that is killed", func(t *testing.T) {
		outage(t, b, rig(t, "killed"), "killed", b.Kill, b.Start, "refused the connection")
	})
	t.Run("a broker that hangs", func(t *testing.T) {
		outage(t, b, rig(t, "hangs"), "hangs", b.Pause, b.Continue, "does not answer")
	})
	t.Run("a broker that is stopped before it has answered", func(t *testing.T) {
		outstanding(t, b, "unanswered-stopped", b.Stop)
	})
	t.Run("a broker that is killed before it has answered", func(t *testing.T) {
		outstanding(t, b, "unanswered-killed", b.Kill)
	})
	t.Run("a record that is too large for the topic", func(t *testing.T) {
		r := rig(t, "small").open()
		all := r.messages("a", 0, 300)
		large := r.message(`{"n":"large"}`)
		for len(large.Payload) < 100_000 { // incompressible enough
			large.Payload = append(large.Payload, rand.Text()...)
		}
		all = slices.Insert(all, 100, large)
		_ = r.sink.Deliver(t.Context(), all)
		r.waitAnswers(len(all))
		if got := r.count(); got["done"] != 300 || got["failed message_too_large"] != 1 {
			t.Errorf("answers %v", got)
		}
		inOrder(t, b.Records("small"), slices.Delete(all, 100, 101))
	})
	t.Run("no key for a compacted topic", func(t *testing.T) {
		r := rig(t, "compact").open()
		_ = r.sink.Deliver(t.Context(), r.messages("a", 0, 10))
		r.waitAnswers(10)
		if got := r.count(); got["failed invalid_record"] != 10 {
			t.Errorf("answers %v", got)
		}
	})
	t.Run("a topic that is made anew", func(t *testing.T) {
		r := rig(t, "anew").open()
		_ = r.sink.Deliver(t.Context(), r.messages("a", 0, 10))
		r.waitAnswers(10)
		b.Delete("anew")
		all := r.messages("b", 0, 10)
		_ = r.sink.Deliver(t.Context(), all)
		r.waitHealth("the topic does not exist")
		b.Create("anew", 1, nil)
		r.waitAnswers(20)
		inOrder(t, b.Records("anew"), all)
	})
	t.Run("a topic that is missing", func(t *testing.T) {
		r := rig(t, "missing")
		if err := r.sink.Open(t.Context(), r.host); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("opening: %v", err)
		}
	})
	t.Run("no certificate", func(t *testing.T) {
		anonymous := block(tlsconfig.Block.Attrs, map[string]any{"ca_file": b.CAFile})
		newRig(t, map[string]any{"brokers": []string{b.TLS}, "topic": text("outage")}, anonymous).open().waitHealth("refused TLS")
	})
	for password, health := range map[string]string{"secret": "", "wrong": "refused user name or password"} {
		t.Run("password "+password, func(t *testing.T) {
			login := block(saslBlock.Attrs, map[string]any{"mechanism": "plain", "username": "etl", "password": password})
			r := newRig(t, map[string]any{"brokers": []string{b.SASL}, "topic": text("login")}, nil, login).open()
			if health != "" {
				r.waitHealth(health)
				return
			}
			_ = r.sink.Deliver(t.Context(), r.messages("a", 0, 10))
			r.waitAnswers(10)
		})
	}
}

// A topic that the broker makes when it is written to.
func TestRealKafkaCreatesTopic(t *testing.T) {
	b := servers.Kafka(t, servers.KafkaOptions{})
	r := newRig(t, map[string]any{"brokers": []string{b.Plain}, "topic": text("fresh")}).open()
	all := r.messages("a", 0, 10)
	_ = r.sink.Deliver(t.Context(), all)
	r.waitAnswers(len(all))
	inOrder(t, b.Records("fresh"), all)
}

// outage delivers before, during and after 12 seconds without the broker:
// nothing is lost, nothing changes places, nothing is there twice.
func outage(t *testing.T, b *servers.Broker, r *rig, topic string, stop, start func(), health string) {
	r.open()
	all := r.messages("a", 0, 12000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for part := range slices.Chunk(all, 100) {
			_ = r.sink.Deliver(ctx, part)
			time.Sleep(20 * time.Millisecond) // a load of some seconds, not one burst
		}
	}()
	r.waitAnswers(1000)
	stop()
	back := sync.OnceFunc(start)
	defer back()
	r.waitHealth(health)
	time.Sleep(12 * time.Second) // the outage itself
	back()
	r.waitAnswers(len(all))
	if got := r.count(); got["done"] != len(all) {
		t.Fatalf("answers %v", got)
	}
	r.waitHealth("")
	inOrder(t, b.Records(topic), all)
}

// BenchmarkRealKafka is what a real broker on the same machine takes, over mutual TLS.
func BenchmarkRealKafka(b *testing.B) {
	broker := servers.Kafka(b, servers.KafkaOptions{})
	for _, compression := range []string{"none", "zstd"} {
		b.Run(compression, func(b *testing.B) {
			secure := block(tlsconfig.Block.Attrs, map[string]any{"ca_file": broker.CAFile, "cert_file": broker.CertFile, "key_file": broker.KeyFile})
			benchmark(b, map[string]any{"brokers": []string{broker.TLS}, "topic": text("bench"), "compression": compression}, secure)
		})
	}
}
