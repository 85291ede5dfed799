package nats

import (
	"errors"
	"fmt"

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
	storeFailed     jetstream.ErrorCode = 10077 // for one of many reasons, of which only the description tells
)

// refusal is JetStream's answer that a stream does not store a message.
type refusal struct {
	stream string
	said   *jetstream.APIError
}

func (r *refusal) Unwrap() error { return r.said }

func (r *refusal) Error() string {
	if limit := r.limit(); limit != "" {
		return fmt.Sprintf("stream %q is full (%s): raise its limit (nats stream edit %s --%s=…), or let it drop its oldest messages (--discard=old), or remove some (nats stream purge): %v",
			r.stream, r.said.Description, r.stream, limit, r.said)
	}
	return fmt.Sprintf("stream %q: %v", r.stream, r.said)
}

// limit is the one that is reached, as the command nats has it; "": it is something else.
func (r *refusal) limit() string {
	if r.said.ErrorCode != storeFailed {
		return ""
	}
	for limit, text := range map[string]string{
		"max-msgs": "maximum messages exceeded", "max-bytes": "maximum bytes exceeded", "max-msgs-per-subject": "maximum messages per subject exceeded",
	} {
		if r.said.Description == text {
			return limit
		}
	}
	return ""
}

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
