package loki

import (
	"context"
	"net/http"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// CodeRefused is the failure of an event that Loki will never take.
const CodeRefused = "refused"

var (
	_ component.Batching   = (*sink)(nil)
	_ component.Concurrent = (*sink)(nil)
)

// sink is sink "loki".
type sink struct {
	url, tenant string
	labels      []component.NamedTemplate
	client      *client
	release     func() error // of client
	now         func() time.Time
}

// Encode computes the labels; the runtime has put the payload there already.
func (s *sink) Encode(m *component.Message) error {
	var labels []document.Member
	for _, l := range s.labels {
		v, err := l.Template.Value(m.Event)
		if err != nil {
			return err
		}
		if !v.IsNil() {
			labels = append(labels, document.Member{Name: l.Name, Value: document.NewText(string(v.AppendText(nil)))})
		}
	}
	if len(labels) == 0 {
		return event.Failf(CodeRefused, "Loki takes no line without a label, and all of this one are nil")
	}
	stream := document.NewObject(labels)
	m.Attributes = []document.Member{{Name: "labels", Value: stream}}
	m.Native = string(stream.AppendJSON(nil))
	return nil
}

// client is what the sinks of one connection block share: Loki's connections,
// which are kept alive between requests.
type client struct{ http.Client }

func newClient(_ context.Context, host *component.Host) (*client, error) {
	return &client{http.Client{Transport: &http.Transport{DialContext: host.Dial, ForceAttemptHTTP2: true}}}, nil
}

func (c *client) Close() error {
	c.CloseIdleConnections()
	return nil
}

// Open only makes the client, or takes the one of its connection. Loki may be away for now, and has no way to ask
// whether it would take a line.
func (s *sink) Open(ctx context.Context, host *component.Host) (err error) {
	s.now = host.Now
	s.client, s.release, err = component.Share(ctx, host, newClient)
	return err
}

// Deliver sends messages in one request. If Loki refuses it, one of them is to
// blame, and the runtime finds out which.
func (s *sink) Deliver(ctx context.Context, messages []*component.Message) error {
	err := s.push(ctx, messages)
	if err != nil && ctx.Err() == nil {
		return err
	}
	for _, m := range messages {
		if err == nil {
			m.Done()
		} else {
			m.Return()
		}
	}
	return nil
}

// Limits keeps a request well below the 4 MiB that Loki takes.
func (s *sink) Limits() (messages int, bytes int64, inFlight int) { return 1000, 1 << 20, 0 }

// Concurrency allows for several requests: Loki orders lines by their time.
func (s *sink) Concurrency() int { return 4 }

// Close is called only after Open.
func (s *sink) Close() error { return s.release() }
