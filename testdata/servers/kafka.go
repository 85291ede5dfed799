//go:build integration

package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/testdata/certs"
)

// KafkaOptions are what can be different about a broker.
type KafkaOptions struct {
	NoAutoCreate    bool // topics must be made with Create
	Partitions      int  // of topics that are made by writing to them; default 1
	MessageMaxBytes int  // message.max.bytes; default Kafka's own
	// Proxies stand in front of a listener each, without TLS or login: what a
	// broker tells its clients about itself is the proxy's address.
	Proxies []*Proxy
}

// Broker is an Apache Kafka of one node. Its addresses, certificates and data
// stay the same when it is stopped and started again.
type Broker struct {
	Plain string // host:port without TLS or login
	TLS   string // wants a certificate of Authority
	SASL  string // wants PLAIN: etl, secret

	Authority                 *certs.Authority // of the broker and its clients
	CAFile, CertFile, KeyFile string           // a client's

	t          testing.TB
	data       string
	controller string
	options    KafkaOptions
	proxied    []string // what Proxies lead to
	process    *process // nil while stopped
}

// Kafka starts a broker that ends with the test. The first one on a machine
// fetches Kafka itself.
func Kafka(t testing.TB, options KafkaOptions) *Broker {
	t.Helper()
	dir := t.TempDir()
	addresses := ports(t, 4)
	b := &Broker{
		Plain: addresses[0], TLS: addresses[1], SASL: addresses[2], controller: addresses[3],
		Authority: certs.NewAuthority(t), t: t, data: filepath.Join(dir, "broker"), options: options,
	}
	b.proxied = ports(t, len(options.Proxies))
	for i, p := range options.Proxies {
		p.To(b.proxied[i])
	}
	for _, d := range []string{filepath.Join(b.data, "tls"), filepath.Join(dir, "client")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server := b.Authority.Issue(t, "broker")
	certs.Write(t, filepath.Join(b.data, "tls"), "ca.pem", b.Authority.PEM())
	certs.Write(t, filepath.Join(b.data, "tls"), "server.pem", append(server.Key, server.Cert...))
	b.CAFile, b.CertFile, b.KeyFile = b.Authority.Files(t, filepath.Join(dir, "client"), b.Authority.Issue(t, "client"))

	install := exec.Command(filepath.Join(root(), "kafka", "start"), "install")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("installing Kafka: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if b.process != nil {
			b.Kill()
		}
	})
	b.Start()
	return b
}

// For is the same broker to read from in another test: what goes wrong then is that one's failure.
func (b *Broker) For(t testing.TB) *Broker {
	other := *b
	other.t = t
	return &other
}

// Start starts the broker again, and returns when it answers.
func (b *Broker) Start() {
	b.t.Helper()
	cmd := exec.Command(filepath.Join(root(), "kafka", "start"),
		b.data, portOf(b.Plain), portOf(b.controller), portOf(b.SASL), portOf(b.TLS))
	cmd.Env = append(os.Environ(), "KAFKA_AUTO_CREATE="+strconv.FormatBool(!b.options.NoAutoCreate))
	if b.options.Partitions > 0 {
		cmd.Env = append(cmd.Env, "KAFKA_PARTITIONS="+strconv.Itoa(b.options.Partitions))
	}
	if b.options.MessageMaxBytes > 0 {
		cmd.Env = append(cmd.Env, "KAFKA_MESSAGE_BYTES="+strconv.Itoa(b.options.MessageMaxBytes))
	}
	if len(b.proxied) > 0 {
		var pairs []string
		for i, p := range b.options.Proxies {
			pairs = append(pairs, portOf(b.proxied[i])+"="+p.Address)
		}
		cmd.Env = append(cmd.Env, "KAFKA_PROXIED="+strings.Join(pairs, ","))
	}
	log := filepath.Join(b.data, "log")
	b.process = launch(b.t, log, cmd)

	client := b.client()
	defer client.Close()
	deadline := time.Now().Add(3 * time.Minute) // a machine that is busy otherwise takes more than one
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := client.Ping(ctx)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-b.process.ended:
			b.t.Fatalf("Kafka ended at once:\n%s", tail(log))
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("Kafka does not answer: %v\n%s", err, tail(log))
		}
	}
}

// Stop stops the broker as an operator does.
func (b *Broker) Stop() { b.stop(syscall.SIGTERM) }

// Kill stops the broker as a power cut does.
func (b *Broker) Kill() { b.stop(syscall.SIGKILL) }

func (b *Broker) stop(signal syscall.Signal) {
	b.process.stop(signal)
	b.process = nil
}

// Pause makes the broker hang, with its connections open, until Continue.
func (b *Broker) Pause() { _ = b.process.cmd.Process.Signal(syscall.SIGSTOP) }

// Continue ends a Pause.
func (b *Broker) Continue() { _ = b.process.cmd.Process.Signal(syscall.SIGCONT) }

// Create makes a topic; configs are Kafka's topic settings.
func (b *Broker) Create(topic string, partitions int32, configs map[string]string) {
	b.t.Helper()
	values := make(map[string]*string)
	for name, v := range configs {
		values[name] = &v
	}
	admin, done := b.admin()
	defer done()
	if _, err := admin.CreateTopic(b.t.Context(), partitions, 1, values, topic); err != nil {
		b.t.Fatalf("creating topic %s: %v", topic, err)
	}
}

// Delete deletes a topic.
func (b *Broker) Delete(topic string) {
	b.t.Helper()
	admin, done := b.admin()
	defer done()
	if _, err := admin.DeleteTopic(b.t.Context(), topic); err != nil {
		b.t.Fatalf("deleting topic %s: %v", topic, err)
	}
}

// Records are all that a topic holds now: in order within each partition, one
// partition after the other. A topic that does not exist holds nothing.
func (b *Broker) Records(topic string) []*kgo.Record {
	b.t.Helper()
	return b.read(topic, kgo.ReadUncommitted())
}

// Committed are the records that a reader with isolation.level=read_committed
// gets; it waits for the transactions that are open.
func (b *Broker) Committed(topic string) []*kgo.Record {
	b.t.Helper()
	return b.read(topic, kgo.ReadCommitted())
}

// Ends are the ends of a topic's partitions. A broker that has just been
// started has no leaders for a while: it is asked again until ctx is done. A topic that
// does not exist has none.
func Ends(ctx context.Context, admin *kadm.Client, topic string) (kadm.ListedOffsets, error) {
	for {
		ends, err := admin.ListEndOffsets(ctx, topic)
		err = errors.Join(err, ends.Error())
		switch {
		case err == nil, errors.Is(err, kerr.UnknownTopicOrPartition):
			return ends, nil
		case !errors.Is(err, kerr.LeaderNotAvailable) && !errors.Is(err, kerr.NotLeaderForPartition), ctx.Err() != nil:
			return nil, fmt.Errorf("asking for the end of topic %s: %w", topic, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (b *Broker) read(topic string, level kgo.IsolationLevel) []*kgo.Record {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	admin, done := b.admin()
	defer done()
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		b.t.Fatalf("asking for the end of topic %s: %v", topic, err)
	}
	missing := make(map[int32]int64) // offset of the next record behind the last
	offsets := make(map[int32]kgo.Offset)
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err == nil && o.Offset > 0 {
			missing[o.Partition] = o.Offset
			offsets[o.Partition] = kgo.NewOffset().AtStart()
		}
	})
	if len(missing) == 0 {
		return nil
	}
	client := b.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}),
		kgo.FetchMaxPartitionBytes(16<<20), kgo.FetchIsolationLevel(level), kgo.KeepControlRecords())
	defer client.Close()
	held := make(map[int32][]*kgo.Record)
	for len(missing) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			b.t.Fatalf("reading topic %s: %v", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				held[r.Partition] = append(held[r.Partition], r)
			}
			if r.Offset+1 >= missing[r.Partition] {
				delete(missing, r.Partition)
			}
		})
	}
	var all []*kgo.Record
	for p := int32(0); len(held) > 0; p++ {
		all = append(all, held[p]...)
		delete(held, p)
	}
	return all
}

// WaitRecords are those of Records as soon as they are n at least; the test
// fails if that takes longer than the timeout.
func (b *Broker) WaitRecords(topic string, n int, timeout time.Duration) []*kgo.Record {
	b.t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		all := b.Records(topic)
		if len(all) >= n {
			return all
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("topic %s has %d records after %s, want %d", topic, len(all), timeout, n)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (b *Broker) admin() (*kadm.Client, func()) {
	client := b.client()
	return kadm.NewClient(client), client.Close
}

func (b *Broker) client(options ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(b.Plain), kgo.DisableClientMetrics())...)
	if err != nil {
		b.t.Fatal(err)
	}
	return client
}
