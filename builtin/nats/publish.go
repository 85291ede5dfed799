package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// publish sends messages and answers for them; the error is the target's, and
// open are those without an answer.
func (s *sink) publish(ctx context.Context, c *session, messages []*component.Message) (open []*component.Message, err error) {
	defer c.guard(ctx)()
	if s.embedded != nil {
		if err := s.embedded.cover(ctx, c.nc, messages); err != nil {
			return messages, err
		}
	}
	if err := s.listen(c); err != nil {
		return messages, err
	}
	if s.jetStream {
		open, err = s.store(ctx, c, messages)
	} else {
		open, err = s.send(ctx, c, messages)
	}
	if err == nil && len(open) > 0 {
		err = errSilent
	}
	return open, err
}

// listen makes answers on c come to the sink's inbox.
func (s *sink) listen(c *session) error {
	if s.inbox != nil && s.inbox.good(c) {
		return nil
	}
	s.deafen()
	b := newInbox()
	if err := b.open(c, s.jetStream); err != nil {
		return err
	}
	s.inbox = b
	return nil
}

func (s *sink) deafen() {
	if s.inbox != nil {
		s.inbox.close()
		s.inbox = nil
	}
}

// transmit sends messages until one does not go out for the target's sake: nothing
// goes out behind that one. The inbox has why each of them was not sent.
func (s *sink) transmit(c *session, messages []*component.Message) (err error) {
	s.inbox.expect(messages)
	for i, m := range messages {
		bad := err
		if err == nil {
			reply := ""
			if s.jetStream {
				reply = s.inbox.reply(i)
			}
			if bad = c.publish(m, reply); bad != nil && failure(bad) == nil {
				err = bad
			}
		}
		if bad != nil {
			s.inbox.unsent(i, bad)
		}
	}
	return err
}

// send publishes to core NATS: done when the server has answered a ping behind
// the messages, and has not complained of them before that.
func (s *sink) send(ctx context.Context, c *session, messages []*component.Message) (open []*component.Message, err error) {
	err = s.transmit(c, messages)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err = c.nc.FlushWithContext(ctx); err == nil {
			err = c.hearAll(ctx)
		}
	}
	taken := err == nil
	for i, a := range s.inbox.said() {
		m := messages[i]
		switch {
		case a.err != nil:
			if bad := s.refuse(m, a.err); bad != nil {
				open = append(open, m)
				err = cmp.Or(err, bad)
			}
		case taken:
			m.Done()
		default:
			open = append(open, m)
		}
	}
	return open, err
}

// store publishes to JetStream and collects its acknowledgements.
func (s *sink) store(ctx context.Context, c *session, messages []*component.Message) (open []*component.Message, err error) {
	beforePublish.Pass()
	err = s.transmit(c, messages)
	behindPublish.Pass()
	answers, missing := s.inbox.collect(ctx, c.closed)
	behindAnswers.Pass()
	err = cmp.Or(err, missing)
	for i, m := range messages {
		switch a := answers[i]; {
		case a.ack != nil:
			s.streams.seen(ctx, c.nc, a.ack)
			m.Done(receipt(a.ack)...)
		case a.err != nil:
			if bad := s.refuse(m, a.err); bad != nil {
				open = append(open, m)
				err = cmp.Or(err, bad)
			}
		default:
			open = append(open, m)
		}
	}
	return open, err
}

// refuse fails a message that is refused for its own sake; the error is the
// target's, and the message open.
func (s *sink) refuse(m *component.Message, err error) error {
	f := failure(err)
	if no, ok := errors.AsType[*denied](err); ok {
		// A subject that is the same for all is forbidden for all: they wait until it is allowed.
		if _, constant := s.subject.Constant(); !constant {
			f = event.Failf(CodeNotPermitted, "%s", no)
		}
	}
	if f == nil {
		return s.explain(err, m)
	}
	m.Fail(f)
	return nil
}

// explain says what to do about an answer that is the target's trouble.
func (s *sink) explain(err error, m *component.Message) error {
	subject := m.Native.(*client.Msg).Subject
	if errors.Is(err, errNoStream) {
		return fmt.Errorf("%w; or its stream has no leader at the moment", s.streams.missing(subject))
	}
	if _, ok := errors.AsType[*denied](err); ok || !s.jetStream {
		return err
	}
	return fmt.Errorf("storing a message of subject %q: %w", subject, err)
}

// receipt is what meta.sink tells of an acknowledgement.
func receipt(ack *jetstream.PubAck) []document.Member {
	return []document.Member{
		{Name: "stream", Value: document.NewText(ack.Stream)},
		{Name: "sequence", Value: document.NewInt(int64(ack.Sequence))},
		{Name: "duplicate", Value: document.NewBool(ack.Duplicate)},
	}
}
