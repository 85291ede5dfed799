package kafka

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// health tells the operator how the brokers are, each change once, and keeps
// why a connection failed last.
type health struct {
	tell func(error)
	bad  atomic.Bool // as told

	mu      sync.Mutex
	told    string
	failure *brokerError // of the last connection; nil if it came about
	failed  time.Time
}

// set tells err, nil for well. It costs next to nothing while all is well.
func (h *health) set(err error) {
	if err == nil && !h.bad.Load() {
		return
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told == text {
		return
	}
	h.told = text
	h.bad.Store(err != nil)
	h.tell(err)
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (h *health) OnBrokerConnect(broker kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.failure = nil
	} else {
		h.failed = time.Now()
		h.failure = &brokerError{address: net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port))), err: err}
	}
}

// connection is why the last connection since a time failed, if it did.
func (h *health) connection(since time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failure == nil || h.failed.Before(since) {
		return nil
	}
	return h.failure
}
