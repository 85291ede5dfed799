package component

import (
	"context"
	"errors"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Sink delivers events. Its constructor touches nothing outside; Open does.
type Sink interface {
	// Encode fills in what is to be sent for m.Event, from the event alone: it
	// is all that a test or a dry run asks for. An error is the event's own. It
	// is called from one goroutine at a time.
	Encode(m *Message) error
	// Open connects, once, before the first Deliver. It returns at once where
	// the target is just not there (Deliver will wait), and with an error when the
	// target answers and says that this configuration can't work.
	Open(ctx context.Context, host *Host) error
	// Deliver takes messages in order and calls Done, Fail or Return for each,
	// once, from any goroutine, possibly after it has returned. A returned error
	// is the target's trouble: the messages without an answer are given again after a pause, in order, before any
	// later one, fewer at a time while the trouble lasts. (RetryAfter, Refused, TooLarge
	// and Fatal say more.) It must return soon after ctx is done, and every message it
	// took have its answer then.
	Deliver(ctx context.Context, messages []*Message) error
	// Close ends what Open began, after the last answer.
	Close() error
}

// Message is one event on its way out of a sink. Payload's memory belongs to
// the message.
type Message struct {
	Event      *event.Event
	Payload    []byte
	Attributes []document.Member // what was filled in by templates, for meta.sink and dry runs
	Native     any               // what Encode wants to keep for Deliver
	Attempts   int               // how often it was given to Deliver
	// Answer is the runtime's: it is told once. err is nil, the event's own *event.Failure, or ErrReturned.
	Answer func(m *Message, receipt []document.Member, err error)
	// Place is the runtime's as well: by it, one Answer serves many messages.
	Place int
}

// ErrReturned is the answer of Message.Return.
var ErrReturned = errors.New("returned unanswered")

// Done says that the target has taken the message for good; receipt is what
// it said (offset, sequence number).
func (m *Message) Done(receipt ...document.Member) { m.Answer(m, receipt, nil) }

// Fail says that the message itself can't be delivered, while another one
// could: it goes to the errors output.
func (m *Message) Fail(f *event.Failure) { m.Answer(m, nil, f) }

// Return gives the message back unanswered: not sent, or sent with unknown
// outcome. It will be delivered again, by this sink or its successor.
func (m *Message) Return() { m.Answer(m, nil, ErrReturned) }

// Batching says how a sink likes its messages; the runtime keeps to it.
type Batching interface {
	// Limits are the most messages and payload bytes of one Deliver, and the
	// most messages that may be without an answer at a time (0: one Deliver at a time, each answered before the next).
	Limits() (messages int, bytes int64, inFlight int)
}

// Concurrent is a sink whose target is better used by several batches at a
// time, and for which their order does not matter. (The order of `.delivered`
// and `.errors` is kept all the same.) Batching's inFlight does not count for it.
type Concurrent interface {
	Sink
	// Concurrency is the most Delivers that may run at a time. The runtime begins
	// with one, takes one more while all goes well and the target is not slower for it, and
	// half as many when it is in trouble. Each must have answered all
	// messages when it returns without an error.
	Concurrency() int
}

// Destination is a sink that can tell the operator where its events are.
type Destination interface {
	Sink
	// Destination is the place in words ("stream ALERTS in DIR") and, where there
	// is one, the command that shows what lies there. It is asked after Open,
	// and still after Close.
	Destination() (place, command string)
}

// Transactional is a sink that can commit each event exactly once. It tells an
// event that it has committed from a new one by its source, generation and
// offset: the events of each source must come to it in the order of the source,
// and again after a restart. Where a pipeline can't give it that, it is refused.
type Transactional interface {
	Sink
	// ExactlyOnce says whether it is configured so. It is asked before Open.
	ExactlyOnce() bool
}
