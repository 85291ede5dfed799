//go:build integration

package chaos

import (
	"sync"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// site is the servers that all schedules of a run share. Each schedule has a topic
// or a stream for each sink, and the network of a lane to itself.
type site struct {
	broker *servers.Broker
	nats   *servers.NATSServer
	lanes  chan *lane
	// up is held for writing while a server is down, for reading by who needs one
	// that answers.
	up sync.RWMutex
}

// lane is the ways to the servers; one schedule at a time has it.
type lane struct{ kafka, nats *servers.Proxy }

func newSite(t *testing.T, lanes int) *site {
	t.Helper()
	servers.Program(t)
	s := &site{lanes: make(chan *lane, lanes)}
	var toKafka []*servers.Proxy
	var all []*lane
	for range lanes {
		l := &lane{kafka: servers.NewProxy(t), nats: servers.NewProxy(t)}
		toKafka = append(toKafka, l.kafka)
		all = append(all, l)
	}
	s.nats = servers.NATS(t)
	s.broker = servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true, Proxies: toKafka})
	for _, l := range all {
		l.nats.To(s.nats.Address)
		s.lanes <- l
	}
	return s
}

// restart restarts a server under everybody, after it was down for a while.
func (s *site) restart(server interface{ Start() }, stop, whileDown func(), down time.Duration) {
	s.up.Lock()
	defer s.up.Unlock()
	stop()
	whileDown()
	time.Sleep(down)
	server.Start()
}

// heal lets everything through again.
func (l *lane) heal() {
	l.kafka.Set(servers.Traffic{})
	l.nats.Set(servers.Traffic{})
}
