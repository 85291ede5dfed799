package nats

import (
	"errors"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/runtime/event"
)

// Codes of failures.
const (
	CodeTooLarge       = "too_large"
	CodeInvalidSubject = "invalid_subject"
	CodeNotPermitted   = "not_permitted"
)

// What JetStream says of one message, by its error code.
const (
	messageTooLarge jetstream.ErrorCode = 10054 // over the stream's max_msg_size
	headerTooLarge  jetstream.ErrorCode = 10097
)

// failure is err as the event's own, nil if it is the target's: another
// message could not have been stored either, or nobody knows.
func failure(err error) *event.Failure {
	switch {
	case errors.Is(err, client.ErrMaxPayload):
		return event.Failf(CodeTooLarge, "the message is larger than the server takes (max_payload)")
	case errors.Is(err, client.ErrBadSubject):
		return event.Failf(CodeInvalidSubject, "the server takes no such subject")
	}
	if said, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch said.ErrorCode {
		case messageTooLarge, headerTooLarge:
			return event.Failf(CodeTooLarge, "the stream refuses the message: %s", said.Description)
		}
	}
	return nil
}
