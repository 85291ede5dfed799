package wazuh

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// CodeTooLarge is the failure of a message that Wazuh would not take.
const CodeTooLarge = "too_large"

// sink is sink "wazuh".
type sink struct {
	location component.Template
	agent    component.Template // nil: always the manager's form
	line     line
	host     *component.Host
}

// Encode makes the payload the whole message, header and all.
func (s *sink) Encode(m *component.Message) error {
	location, err := s.location.AppendText(nil, m.Event)
	if err != nil {
		return err
	}
	var agent document.Value
	if s.agent != nil {
		if agent, err = s.agent.Value(m.Event); err != nil {
			return err
		}
	}
	message := make([]byte, 0, len(location)+len(m.Payload)+len(m.Payload)/8+128)
	message = appendHeader(message, agent, location)
	message = appendPayload(message, m.Payload)
	if len(message) > maxMessage {
		return event.Failf(CodeTooLarge, "the message has %d bytes, Wazuh takes at most %d", len(message), maxMessage)
	}
	m.Payload = message
	m.Attributes = []document.Member{{Name: "location", Value: document.NewText(string(location))}}
	return nil
}

// Open looks for the socket. One that is not there is waited for; one of
// another type will never be right.
func (s *sink) Open(ctx context.Context, host *component.Host) error {
	s.host = host
	err := s.line.connect(ctx, host.Dial)
	if errors.Is(err, syscall.EPROTOTYPE) {
		return fmt.Errorf(`%w: the socket has another type, see "protocol"`, err)
	}
	host.Health(err)
	return nil
}

// Deliver sends one message after the other. What is left when the target is
// in trouble stays unanswered, for the next call.
func (s *sink) Deliver(ctx context.Context, messages []*component.Message) error {
	for i, m := range messages {
		err := s.line.send(ctx, s.host.Dial, m.Payload)
		switch {
		case err == nil:
			m.Done()
		case errors.Is(err, syscall.EMSGSIZE):
			m.Fail(event.Failf(CodeTooLarge, "the socket takes no message of %d bytes", len(m.Payload)))
		case ctx.Err() != nil:
			for _, m := range messages[i:] {
				m.Return()
			}
			return nil
		default:
			return err
		}
	}
	return nil
}

// Limits asks for lots that are small beside the queue: a receiver that is
// slow should not hold much.
func (s *sink) Limits() (messages int, bytes int64, inFlight int) { return 256, 1 << 20, 0 }

func (s *sink) Close() error {
	s.line.close()
	return nil
}
