package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A broker that goes down stores a batch without answering, is not the leader for who asks again, and then takes
// connections only to close them. When it is back it has to see the same producer: another one would store the batch
// a second time.
func TestABrokerThatClosesConnectionsAtOnce(t *testing.T) {
	virtual(t, func(t *testing.T, v *virtualCluster) {
		r := v.rig(t, map[string]any{"topic": text("dfn")})
		door := &door{dial: r.host.Dial}
		r.host.Dial = door.connect
		r.open()
		all := r.messages("a", 0, 20)
		_ = r.sink.Deliver(t.Context(), all[:10])
		r.waitAnswers(10)

		tries := 0
		v.ControlKey(0, func(request kmsg.Request) (kmsg.Response, error, bool) {
			v.KeepControl()
			switch tries++; tries {
			case 1:
				door.set(mute)
				return nil, nil, false
			case 2:
				time.AfterFunc(10*time.Millisecond, func() { door.set(shut) })
				time.AfterFunc(5*time.Second, func() { door.set(open) })
				return notLeader(request.(*kmsg.ProduceRequest)), nil, true
			}
			return nil, nil, false
		})
		time.AfterFunc(time.Second, func() { door.set(cut) })
		_ = r.sink.Deliver(t.Context(), all[10:])
		r.waitHealth("closed the connection")
		r.waitAnswers(len(all))
		if tries < 3 {
			t.Errorf("%d requests", tries)
		}
		inOrder(t, v.consume(t, len(all), "dfn"), all) // one fetch brings all that there is
	})
}

// notLeader answers that the broker does not lead the partitions.
func notLeader(request *kmsg.ProduceRequest) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range request.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, kerr.NotLeaderForPartition.Code
			topic.Partitions = append(topic.Partitions, partition)
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}

// manner is what a door does with connections.
type manner int

const (
	open manner = iota
	mute        // what the broker says is not passed on
	cut         // those that there are end, others come about
	shut        // they end, others end as soon as they have come about
)

// door is between a sink and its brokers.
type door struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	manner manner
	conns  []net.Conn
}

func (d *door) set(m manner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.manner = m
	if m == cut || m == shut {
		for _, c := range d.conns {
			c.Close()
		}
		d.conns = nil
	}
}

func (d *door) is(m manner) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.manner == m
}

func (d *door) connect(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.manner == shut {
		conn.Close()
	}
	d.conns = append(d.conns, conn)
	return &watched{conn, d}, nil
}

// watched is a connection through a door. One that is closed ends as TCP's do: what is written is gone, and there is
// nothing to be read.
type watched struct {
	net.Conn
	door *door
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	for w.door.is(mute) && err == nil {
		n, err = w.Conn.Read(p)
	}
	if errors.Is(err, io.ErrClosedPipe) {
		err = io.EOF
	}
	return n, err
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if errors.Is(err, io.ErrClosedPipe) {
		n, err = len(p), nil
	}
	return n, err
}
