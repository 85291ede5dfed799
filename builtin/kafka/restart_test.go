//go:build integration

package kafka

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/testdata/servers"
)

// outstanding ends a broker that has stored what it has not answered, and starts it again.
// It then knows the last batch of each producer in a partition, and not those before it: all
// that is sent again, and nothing may be there twice.
func outstanding(t *testing.T, b *servers.Broker, name string, end func()) {
	topics := []string{name, name + "-once"}
	config := func(topic string) map[string]any {
		b.Create(topic, 1, nil)
		return map[string]any{"brokers": []string{b.Plain}, "topic": text(topic), "max_message_bytes": int64(1000), "compression": "none"}
	}
	r := newRig(t, config(topics[0]))
	exactly := config(topics[1])
	exactly["delivery"] = exactlyOnce
	o := newRig(t, exactly)
	var silent atomic.Bool
	r.mute(&silent)
	o.mute(&silent)
	r.open()
	o.open()
	all := r.messages("a", 0, 1000)
	var lines []*component.Message
	source := &event.Stream{Source: "source.file." + name, Generation: "g"}
	for i := range all {
		lines = append(lines, o.line(source, int64(10*i), fmt.Sprint("a", i))...)
	}
	_ = r.sink.Deliver(t.Context(), all[:10])
	r.waitAnswers(10)
	if err := o.sink.Deliver(t.Context(), lines[:10]); err != nil {
		t.Fatal(err)
	}

	stored := func() (n [2]int) {
		for i, topic := range topics {
			n[i] = len(b.Records(topic))
		}
		return n
	}
	before := stored()
	silent.Store(true)
	_ = r.sink.Deliver(t.Context(), all[10:])
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		for t.Context().Err() == nil && o.sink.Deliver(t.Context(), o.unanswered(lines)) != nil {
		}
	}()
	last, same := before, 0
	for same < 5 || last[0] == before[0] || last[1] == before[1] { // as much as comes without an answer
		time.Sleep(100 * time.Millisecond)
		now := stored()
		if same++; now != last {
			last, same = now, 0
		}
	}
	end()
	silent.Store(false)
	b.Start()
	t.Logf("%d records were stored and not answered, exactly once %d", last[0]-before[0], last[1]-before[1])
	r.waitAnswers(len(all))
	inOrder(t, b.Records(topics[0]), all)
	<-delivered
	inOrder(t, b.Committed(topics[1]), lines)
}

// mute makes the connections of r swallow what the brokers say, while silent is set.
func (r *rig) mute(silent *atomic.Bool) {
	dial := r.host.Dial
	r.host.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &muted{conn, silent}, nil
	}
}

type muted struct {
	net.Conn
	silent *atomic.Bool
}

func (m *muted) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	for m.silent.Load() && err == nil {
		n, err = m.Conn.Read(p)
	}
	return n, err
}

// unanswered are those of messages that have no answer.
func (r *rig) unanswered(messages []*component.Message) []*component.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(messages), func(m *component.Message) bool { return r.answers[eventName(m)] == "done" })
}
