package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/runtime/document"
)

// broker is a real Apache Kafka of one node on the loopback interface.
type broker struct {
	address string
	process *process
	client  *kgo.Client
	admin   *kadm.Client
	topics  int
}

// startBroker runs testdata/kafka/start, which fetches Kafka the first time,
// and returns when it answers.
func startBroker(ctx context.Context, dir string) (*broker, error) {
	const script = "testdata/kafka/start"
	data := filepath.Join(dir, "kafka")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	install, err := start(ctx, script, "install")
	if err != nil {
		return nil, err
	}
	if <-install.ended; install.err != nil {
		return nil, fmt.Errorf("%w\n%s", install.err, &install.output)
	}
	plain, err := freePort()
	if err != nil {
		return nil, err
	}
	controller, err := freePort()
	if err != nil {
		return nil, err
	}
	b := &broker{address: net.JoinHostPort("127.0.0.1", plain)}
	if b.process, err = start(ctx, script, data, plain, controller); err != nil {
		return nil, err
	}
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.address), kgo.DisableClientMetrics(), kgo.MetadataMinAge(100*time.Millisecond)); err != nil {
		b.stop()
		return nil, err
	}
	b.admin = kadm.NewClient(b.client)
	for deadline := time.Now().Add(time.Minute); ; {
		ping, cancel := context.WithTimeout(ctx, time.Second)
		err := b.client.Ping(ping)
		cancel()
		if err == nil {
			return b, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			b.stop()
			return nil, fmt.Errorf("it does not answer: %w\n%s", err, &b.process.output)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (b *broker) stop() {
	if b.client != nil {
		b.client.Close()
	}
	_ = b.process.stop()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// topic makes a topic of one partition, whose records have the time at which
// the broker stored them, and returns when this client knows it.
func (b *broker) topic(ctx context.Context, configs map[string]string) (string, error) {
	b.topics++
	name := "bench-" + strconv.Itoa(b.topics)
	appended := "LogAppendTime"
	values := map[string]*string{"message.timestamp.type": &appended}
	for key, value := range configs {
		values[key] = &value
	}
	if _, err := b.admin.CreateTopic(ctx, 1, 1, values, name); err != nil {
		return "", err
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		_, err := b.stored(ctx, name)
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return name, err
		}
		time.Sleep(50 * time.Millisecond) // the client keeps what it knows of topics for a while
	}
}

// drop deletes a topic, so that the disk does not fill up.
func (b *broker) drop(ctx context.Context, topic string) { _, _ = b.admin.DeleteTopic(ctx, topic) }

// stored is how many records were written to a topic.
func (b *broker) stored(ctx context.Context, topic string) (int64, error) {
	ends, err := b.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	end, known := ends.Lookup(topic, 0)
	if !known {
		return 0, fmt.Errorf("topic %s is not known", topic)
	}
	return end.Offset, end.Err
}

// read gives each record of a topic up to end, with the timestamp of the alert
// it is about, as it comes.
func (b *broker) read(ctx context.Context, topic string, end int64, take func(r *kgo.Record, alert string)) error {
	if end == 0 {
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address), kgo.DisableClientMetrics(), kgo.FetchMaxWait(time.Second),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return err
	}
	defer client.Close()
	var parsed document.Document
	for next := int64(0); next < end; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for r := range fetches.RecordsAll() {
			if err := parsed.Reset(r.Value); err != nil {
				return fmt.Errorf("record %d: %w", r.Offset, err)
			}
			take(r, parsed.Root().Get("timestamp").Text())
			next = r.Offset + 1
		}
	}
	return nil
}
