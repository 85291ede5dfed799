package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ledger is the checkpoint topic as one sink writes and reads it. All of it
// lies in partition 0, so that what is read up to a record of one's own is complete.
type ledger struct {
	topic          string
	pipeline, sink string
}

// key is that of a record: with a source it is a checkpoint, without one it
// tells who runs the sink, and with Role "reader" it only marks a place.
type key struct {
	Pipeline string `json:"pipeline"`
	Source   string `json:"source,omitempty"`
	Sink     string `json:"sink"`
	Role     string `json:"role,omitempty"`
}

// holder is who runs the sink.
type holder struct {
	Version  int       `json:"v"`
	Instance string    `json:"instance"`
	Host     string    `json:"host"`
	Process  int       `json:"pid"`
	Since    time.Time `json:"since"`
}

func newHolder(instance string, now time.Time) holder {
	host, err := os.Hostname()
	if err != nil {
		host = "a host without name"
	}
	return holder{Version: 1, Instance: instance, Host: host, Process: os.Getpid(), Since: now.UTC().Truncate(time.Second)}
}

func (l *ledger) record(source, role string, value any) *kgo.Record {
	k, err := json.Marshal(key{l.pipeline, source, l.sink, role})
	v, err2 := json.Marshal(value)
	if err = errors.Join(err, err2); err != nil {
		panic(err) // text and numbers
	}
	return &kgo.Record{Topic: l.topic, Key: k, Value: v}
}

// gone is the record after which source has no checkpoint.
func (l *ledger) gone(source string) *kgo.Record {
	r := l.record(source, "", nil)
	r.Value = nil
	return r
}

// place puts the ledger's records into partition 0, all others where the client would.
type place struct {
	kgo.Partitioner
	topic string
}

func (p place) ForTopic(topic string) kgo.TopicPartitioner {
	if topic == p.topic {
		return kgo.ManualPartitioner().ForTopic(topic) // Record.Partition, which is 0
	}
	return p.Partitioner.ForTopic(topic)
}

// create makes the topic if it is not there, and warns of one that forgets.
func (l *ledger) create(ctx context.Context, s *sink, client *kgo.Client) error {
	admin := kadm.NewClient(client)
	compact, segment := "compact", "16777216" // small segments: the last one is read at each start
	_, err := admin.CreateTopic(ctx, 1, -1, map[string]*string{"cleanup.policy": &compact, "segment.bytes": &segment}, l.topic)
	switch {
	case err == nil:
		s.host.Log.Info("the checkpoint topic is created", "topic", l.topic)
		return nil
	case !errors.Is(err, kerr.TopicAlreadyExists):
		if _, answered := errors.AsType[*kerr.Error](err); !answered {
			return err
		}
		answer, asked := ask(ctx, client, l.topic)
		if asked != nil {
			return asked
		}
		if answer != nil {
			return &refusal{topic: l.topic, words: "the checkpoint topic is not there and can't be created", err: err}
		}
	}
	configs, err := admin.DescribeTopicConfigs(ctx, l.topic)
	if err != nil {
		return nil // whoever may not ask is not told
	}
	for _, c := range configs {
		for _, config := range c.Configs {
			if config.Key == "cleanup.policy" && !strings.Contains(config.MaybeValue(), "compact") {
				s.host.Log.Warn("the checkpoint topic is not compacted: it grows, and when its retention takes a checkpoint, a restart may deliver twice",
					"topic", l.topic, "cleanup.policy", config.MaybeValue())
			}
		}
	}
	return nil
}

// found is what a ledger says of a sink.
type found struct {
	progress map[string]*progress // by source
	holder   holder
}

// read reads the ledger, as far as it is committed, up to the mark of reader:
// behind that nothing is open that stood before it.
func (l *ledger) read(ctx context.Context, options []kgo.Opt, reader string) (found, error) {
	f := found{progress: map[string]*progress{}}
	client, err := kgo.NewClient(append(options,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.topic: {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(250*time.Millisecond),
	)...)
	if err != nil {
		return f, err
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return f, fmt.Errorf("reading the checkpoint topic %s: %w", l.topic, err)
		}
		for _, r := range fetches.Records() {
			marked, err := f.take(l, r, reader)
			if marked || err != nil {
				return f, err
			}
		}
	}
}

// take looks at one record; marked is that it is the mark of reader.
func (f *found) take(l *ledger, r *kgo.Record, reader string) (marked bool, err error) {
	var k key
	if json.Unmarshal(r.Key, &k) != nil || k.Pipeline != l.pipeline || k.Sink != l.sink {
		return false, nil
	}
	switch {
	case r.Value == nil:
		delete(f.progress, k.Source)
	case k.Role == "reader":
		var at string
		return json.Unmarshal(r.Value, &at) == nil && at == reader, nil
	case k.Source == "":
		err = json.Unmarshal(r.Value, &f.holder)
	default:
		p := new(progress)
		if err = json.Unmarshal(r.Value, p); err == nil && p.Version != 1 {
			err = fmt.Errorf("it is of version %d, which this etl does not know", p.Version)
		}
		f.progress[k.Source] = p
	}
	if err != nil {
		return false, fmt.Errorf("record %d of the checkpoint topic %s: %w", r.Offset, l.topic, err)
	}
	return false, nil
}
