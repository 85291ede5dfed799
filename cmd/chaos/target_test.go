//go:build integration

package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// delivery is one event as a reader of the target gets it.
type delivery struct {
	n         int
	id, text  string
	partition int32 // within one, the order is kept
}

// target is where a sink delivers to, as seen by its reader.
type target interface {
	// seen is how many different alerts are there.
	seen() int
	// latest is the highest number that is there; -1 if nothing is.
	latest() int
	// now is what its reader has got by now, in order.
	now() []delivery
	// all is everything that is there, in order; it waits for a reader that is behind.
	all() ([]delivery, error)
}

// shelf is what a reader has got so far.
type shelf struct {
	mu        sync.Mutex
	list      []delivery
	different map[int]bool
	highest   int // +1
}

func (s *shelf) put(d delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, d)
	if s.different == nil {
		s.different = map[int]bool{}
	}
	s.different[d.n] = true
	s.highest = max(s.highest, d.n+1)
}

func (s *shelf) latest() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.highest - 1
}

func (s *shelf) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.different)
}

func (s *shelf) now() []delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// topic is one of Kafka, with a reader that is always there.
type topic struct {
	shelf
	site   *site
	name   string
	client *kgo.Client
	level  kgo.IsolationLevel

	nextMu sync.Mutex
	next   map[int32]int64 // offsets behind what was read
}

func newTopic(t *testing.T, s *site, name string, partitions int32, level kgo.IsolationLevel) *topic {
	t.Helper()
	s.up.RLock()
	s.broker.Create(name, partitions, nil)
	s.up.RUnlock()
	k := &topic{site: s, name: name, level: level, next: map[int32]int64{}}
	from := map[int32]kgo.Offset{}
	for p := range partitions {
		from[p] = kgo.NewOffset().AtStart()
	}
	var err error
	k.client, err = kgo.NewClient(kgo.SeedBrokers(s.broker.Plain), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: from}),
		kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(), kgo.FetchMaxWait(200*time.Millisecond), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			k.client.PollFetches(ctx).EachRecord(k.take)
		}
	})
	t.Cleanup(func() {
		stop()
		reading.Wait()
		k.client.Close()
		s.up.RLock()
		defer s.up.RUnlock()
		s.broker.Delete(name)
	})
	return k
}

func (k *topic) take(r *kgo.Record) {
	if !r.Attrs.IsControl() {
		d := delivery{n: numberIn(r.Value), text: string(r.Value), partition: r.Partition}
		for _, h := range r.Headers {
			if h.Key == "id" {
				d.id = string(h.Value)
			}
		}
		k.put(d)
	}
	k.nextMu.Lock()
	k.next[r.Partition] = r.Offset + 1
	k.nextMu.Unlock()
}

func (k *topic) all() ([]delivery, error) {
	k.site.up.RLock()
	defer k.site.up.RUnlock()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	admin := kadm.NewClient(k.client)
	ends, err := servers.Ends(ctx, admin, k.name)
	if err != nil {
		return nil, err
	}
	want := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) { want[o.Partition] = o.Offset })
	if !eventually(30*time.Second, func() bool {
		k.nextMu.Lock()
		defer k.nextMu.Unlock()
		for p, end := range want {
			if k.next[p] < end {
				return false
			}
		}
		return true
	}) {
		return nil, fmt.Errorf("the reader of topic %s does not come to its end %v in 30 s: a transaction is open", k.name, want)
	}
	return k.now(), nil
}

// stream is one of JetStream.
type stream struct {
	shelf
	site *site
	name string
	conn *nats.Conn
	js   jetstream.JetStream

	messages int // when the server was last asked
	next     uint64
}

func newStream(t *testing.T, s *site, name string) *stream {
	t.Helper()
	s.up.RLock()
	defer s.up.RUnlock()
	conn, err := nats.Connect("nats://"+s.nats.Address, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.ReconnectBufSize(-1))
	if err != nil {
		t.Fatal(err)
	}
	n := &stream{site: s, name: name, conn: conn, next: 1}
	if n.js, err = jetstream.New(conn); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err = n.js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, AllowDirect: true}); err != nil {
		t.Fatalf("creating stream %s: %v", name, err)
	}
	t.Cleanup(func() {
		s.up.RLock()
		defer s.up.RUnlock()
		defer conn.Close()
		if !eventually(30*time.Second, func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			err = n.js.DeleteStream(ctx, name)
			return err == nil
		}) {
			t.Errorf("deleting stream %s: %v", name, err)
		}
	})
	return n
}

func (n *stream) seen() int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s, err := n.js.Stream(ctx, n.name); err == nil {
		n.messages = int(s.CachedInfo().State.Msgs) // the same twice would not be there
	}
	return n.messages
}

func (n *stream) latest() int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s, err := n.js.Stream(ctx, n.name)
	if err != nil {
		return n.shelf.latest()
	}
	m, err := s.GetMsg(ctx, s.CachedInfo().State.LastSeq)
	if err != nil { // it is empty, or away
		return n.shelf.latest()
	}
	return numberIn(m.Data)
}

func (n *stream) now() []delivery {
	_ = n.read() // the server may be away
	return n.shelf.now()
}

func (n *stream) read() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := n.js.Stream(ctx, n.name)
	if err != nil {
		return fmt.Errorf("asking for stream %s: %w", n.name, err)
	}
	for last := s.CachedInfo().State.LastSeq; n.next <= last; n.next++ {
		m, err := s.GetMsg(ctx, n.next)
		if err != nil {
			return fmt.Errorf("reading message %d of stream %s: %w", n.next, n.name, err)
		}
		n.put(delivery{n: numberIn(m.Data), id: m.Header.Get("Event"), text: string(m.Data)})
	}
	return nil
}

func (n *stream) all() ([]delivery, error) {
	n.site.up.RLock()
	defer n.site.up.RUnlock()
	var err error
	eventually(30*time.Second, func() bool { // it may just be coming back
		err = n.read()
		return err == nil
	})
	return n.shelf.now(), err
}

// out is a file; a line is the event's id, a blank and the event.
type out struct{ path string }

func (o out) seen() int {
	different := map[int]bool{}
	for _, d := range o.now() {
		different[d.n] = true
	}
	return len(different)
}

func (o out) latest() int {
	highest := -1
	for _, d := range o.now() {
		highest = max(highest, d.n)
	}
	return highest
}

func (o out) now() []delivery {
	list, _ := o.all()
	return list
}

func (o out) all() (list []delivery, err error) {
	raw, err := os.ReadFile(o.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for text := range strings.Lines(string(raw)) {
		text, whole := strings.CutSuffix(text, "\n")
		if !whole {
			break // it is being written
		}
		id, text, _ := strings.Cut(text, " ")
		list = append(list, delivery{n: numberIn([]byte(text)), id: id, text: text})
	}
	return list, err
}
