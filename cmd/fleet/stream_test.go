//go:build integration

package fleet

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// message is one of the stream; in a batch, one of its events.
type message struct {
	subject string
	stored  time.Time // by the server
	seen    time.Time // by the test
	raw     string

	EventID   string    `json:"event_id"`
	BatchID   string    `json:"batch_id"`
	EventType string    `json:"event_type"`
	AgentID   string    `json:"agent_id"`
	AgentName string    `json:"agent_name"`
	Previous  string    `json:"previous_status"`
	Current   string    `json:"current_status"`
	Restart   *string   `json:"manager_restart"`
	Agents    int       `json:"agents"`
	Events    []message `json:"events"`
	Manager   struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	} `json:"manager"`
}

// kind is the last part of the subject.
func (m message) kind() string { return m.subject[strings.LastIndexByte(m.subject, '.')+1:] }

// change is the message in words: "disconnected 001 Active Disconnected".
func (m message) change() string {
	return strings.Join([]string{m.EventType, m.AgentID, m.Previous, m.Current}, " ")
}

// stream is the one that the pipeline writes, as somebody sees it who reads all of it.
type stream struct {
	t  *testing.T
	js jetstream.JetStream

	mu   sync.Mutex
	all  []message
	last uint64 // sequence
}

const streamName = "WAZUH"

func newStream(t *testing.T, server *servers.NATSServer) *stream {
	t.Helper()
	js, err := jetstream.New(server.Connect())
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), streamName); err != nil && err != jetstream.ErrStreamNotFound {
		t.Fatal(err)
	}
	s := &stream{t: t, js: js}
	if _, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: streamName, Subjects: []string{"wazuh.>"}}); err != nil {
		t.Fatal(err)
	}
	reader, err := js.OrderedConsumer(t.Context(), streamName, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	consuming, err := reader.Consume(s.take)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consuming.Stop)
	return s
}

func (s *stream) take(m jetstream.Msg) {
	at, err := m.Metadata()
	if err != nil {
		s.t.Error(err)
		return
	}
	one := message{subject: m.Subject(), stored: at.Timestamp, seen: time.Now(), raw: string(m.Data())}
	if err := json.Unmarshal(m.Data(), &one); err != nil {
		s.t.Errorf("%v in %s", err, m.Data())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Sequence.Stream <= s.last {
		return // a consumer that began anew
	}
	s.last = at.Sequence.Stream
	s.all = append(s.all, one)
}

// of are the messages of a kind so far.
func (s *stream) of(kind string) func() []message {
	return func() []message {
		s.mu.Lock()
		defer s.mu.Unlock()
		var some []message
		for _, m := range s.all {
			if m.kind() == kind {
				some = append(some, m)
			}
		}
		return some
	}
}

// Kinds of messages, by their subjects.
const (
	changes    = "status"
	snapshots  = "snapshot"
	batches    = "agent_events"
	heartbeats = "heartbeat"
)

// batched are the events in all batches, each once: what is read again after a kill may be in
// another batch as well.
func (s *stream) batched() []message {
	var all []message
	seen := map[string]bool{}
	for _, m := range s.of(batches)() {
		for _, e := range m.Events {
			if !seen[e.EventID] {
				seen[e.EventID] = true
				all = append(all, e)
			}
		}
	}
	return all
}

// wait waits until there are n messages of a kind.
func (s *stream) wait(what string, n int, have func() []message) []message {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		got := have()
		if len(got) >= n {
			return got
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: %d of %d after two minutes", what, len(got), n)
		}
	}
}

// whole waits until all is read that the server has, and wants each event once in its kind.
func (s *stream) whole() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	st, err := s.js.Stream(ctx, streamName)
	if err != nil {
		s.t.Fatal(err)
	}
	end := st.CachedInfo().State.LastSeq
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		last := s.last
		s.mu.Unlock()
		if last >= end {
			break
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("message %d of %d is the last one that was read", last, end)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for _, m := range s.all {
		id := m.kind() + " " + m.EventID + m.BatchID
		if m.EventID+m.BatchID == "" || seen[id] {
			s.t.Errorf("%s is there twice, or is no id: %s", id, m.raw)
		}
		seen[id] = true
	}
}
