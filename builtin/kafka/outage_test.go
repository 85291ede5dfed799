package kafka

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/wazuh-etl/etl/runtime/component"
)

// port is the port of an address.
func port(t *testing.T, address string) int {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A broker that goes and comes back, with its data, under load.
func TestOutage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(options ...kfake.Opt) *kfake.Cluster {
		c, err := kfake.NewCluster(append(options, kfake.NumBrokers(1), kfake.SeedTopics(1, "dfn"), kfake.DataDir(dir), kfake.SyncWrites())...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := start()
	address := c.ListenAddrs()
	r := newRig(t, map[string]any{"brokers": address, "topic": text("dfn")}).open()
	all := r.messages("a", 0, 6000)
	_ = r.sink.Deliver(t.Context(), all[:2000])
	r.waitAnswers(1000)
	c.Close()
	_ = r.sink.Deliver(t.Context(), all[2000:4000])
	r.waitHealth("refused the connection")
	c = start(kfake.Ports(port(t, address[0])))
	t.Cleanup(c.Close)
	_ = r.sink.Deliver(t.Context(), all[4000:])
	r.waitAnswers(len(all))
	if got := r.count(); got["done"] != len(all) {
		t.Fatalf("answers %v", got)
	}
	r.waitHealth("")
	inOrder(t, consume(t, len(all), address, []string{"dfn"}), all)
}

// hold keeps produce requests waiting until the release, as a broker that hangs.
func hold(c *kfake.Cluster) (held <-chan struct{}, release func()) {
	began, gone := make(chan struct{}), make(chan struct{})
	var first, last sync.Once
	var released atomic.Bool
	c.ControlKey(0, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if !released.Load() {
			c.SleepControl(func() { first.Do(func() { close(began) }); <-gone })
		}
		return nil, nil, false
	})
	return began, func() { last.Do(func() { released.Store(true); close(gone) }) }
}

// A reload never waits for a broker that is dead or hangs, and the successor
// sends everything in order.
func TestSuccessor(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]bool{"a broker that refuses": false, "a broker that hangs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alive := cluster(t)
			address := []string{deadAddress(t)}
			if hang {
				c := cluster(t)
				address = c.ListenAddrs()
				_, release := hold(c)
				t.Cleanup(release)
			}
			r := newRig(t, map[string]any{"brokers": address, "topic": text("dfn")}).open()
			all := r.messages("a", 0, 3000)
			ctx, cancel := context.WithCancel(t.Context())
			_ = r.sink.Deliver(ctx, all[:1500])
			_ = r.sink.Deliver(ctx, all[1500:])
			if hang {
				r.waitHealth("take no records")
			} else {
				r.waitHealth("refused the connection")
			}
			cancel()
			r.waitAnswers(len(all))
			if got := r.count(); got[component.ErrReturned.Error()] != len(all) {
				t.Fatalf("answers %v", got)
			}
			for i, n := range r.order {
				if n != eventName(all[i]) {
					t.Fatalf("message %d came back as number %d", i, i)
				}
			}
			if err := r.sink.Close(); err != nil {
				t.Fatal(err)
			}

			next := newRig(t, map[string]any{"brokers": alive.ListenAddrs(), "topic": text("dfn")}).open()
			for _, m := range all {
				m.Answer = next.answer
			}
			_ = next.sink.Deliver(t.Context(), all)
			next.waitAnswers(len(all))
			inOrder(t, consume(t, len(all), alive.ListenAddrs(), []string{"dfn"}), all)
		})
	}
}

// Deliver holds back what is too much to have on its way, and lets go of it
// when its context ends.
func TestDeliverIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]any{"brokers": []string{deadAddress(t)}, "topic": text("dfn")}).open()
	var all []*component.Message
	for i := range mostBytes/(1<<20) + 10 {
		m := r.message(`{"n":"` + strconv.Itoa(i) + `"}`)
		m.Payload = make([]byte, 1<<20)
		all = append(all, m)
	}
	ctx, cancel := context.WithCancel(t.Context())
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		_ = r.sink.Deliver(ctx, all)
	}()
	select {
	case <-delivered:
		t.Error("Deliver took more than it may have")
	case <-time.After(100 * time.Millisecond):
	}
	cancel()
	<-delivered
	if got := r.count(); got[component.ErrReturned.Error()] != len(all) {
		t.Errorf("answers %v", got)
	}
	for i, n := range r.order {
		if n != strconv.Itoa(i) {
			t.Fatalf("message %s came back as number %d", n, i)
		}
	}
}

// What is delivered under a new context follows what the old one left.
func TestAnotherContext(t *testing.T) {
	virtual(t, func(t *testing.T, c *virtualCluster) {
		r := c.rig(t, map[string]any{"topic": text("dfn")}).open()
		all := r.messages("a", 0, 200)
		ctx, cancel := context.WithCancel(t.Context())
		_ = r.sink.Deliver(ctx, all[:100])
		r.waitAnswers(100)
		cancel()
		_ = r.sink.Deliver(t.Context(), all[100:])
		r.waitAnswers(200)
		inOrder(t, c.consume(t, len(all), "dfn"), all)
	})
}

// A topic that is deleted and made anew is another topic to Kafka, not to us.
func TestTopicMadeAnew(t *testing.T) {
	virtual(t, func(t *testing.T, c *virtualCluster) {
		r := c.rig(t, map[string]any{"topic": text("dfn")}).open()
		_ = r.sink.Deliver(t.Context(), r.messages("a", 0, 10))
		r.waitAnswers(10)
		if err := c.DeleteTopic("dfn"); err != nil {
			t.Fatal(err)
		}
		all := r.messages("b", 0, 100)
		_ = r.sink.Deliver(t.Context(), all)
		r.waitHealth("the topic does not exist")
		if err := c.CreateTopic("dfn", 1, nil); err != nil {
			t.Fatal(err)
		}
		r.waitAnswers(110)
		inOrder(t, c.consume(t, len(all), "dfn"), all)
	})
}
