package loki

import (
	"context"
	"net/http"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// CodeRefused is the failure of an event that Loki will never take.
const CodeRefused = "refused"

var _ component.Batching = (*sink)(nil)

// sink is sink "loki".
type sink struct {
	url, tenant string
	labels      []component.NamedTemplate
	client      *http.Client
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

// Open only makes the client. Loki may be away for now, and has no way to ask
// whether it would take a line.
func (s *sink) Open(_ context.Context, host *component.Host) error {
	s.client = &http.Client{Transport: &http.Transport{DialContext: host.Dial, ForceAttemptHTTP2: true}}
	return nil
}

// Deliver sends messages in one request. If Loki refuses it, one of them is to
// blame: halves find out which. Requests are made in order, so that order holds.
func (s *sink) Deliver(ctx context.Context, messages []*component.Message) error {
	for left := [][]*component.Message{messages}; len(left) > 0; {
		lot := left[0]
		refusal, err := s.push(ctx, lot)
		switch {
		case err != nil && ctx.Err() != nil:
			for _, lot := range left {
				for _, m := range lot {
					m.Return()
				}
			}
			return nil
		case err != nil: // Loki's trouble: what has no answer comes again
			return err
		case refusal != "" && len(lot) > 1:
			half := len(lot) / 2
			left = append([][]*component.Message{lot[:half], lot[half:]}, left[1:]...)
			continue
		case refusal != "":
			lot[0].Fail(event.Failf(CodeRefused, "Loki refuses the line: %s", refusal))
		default:
			for _, m := range lot {
				m.Done()
			}
		}
		left = left[1:]
	}
	return nil
}

// Limits keeps a request well below the 4 MiB that Loki takes.
func (s *sink) Limits() (messages int, bytes int64, inFlight int) { return 1000, 1 << 20, 0 }

func (s *sink) Close() error {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	return nil
}
