package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// streams are those that the messages went into. Each is looked at once, for
// what makes its promise weaker than the page says.
type streams struct {
	log    *slog.Logger
	wanted func() string // the subjects that a new one has to take, as the command nats has them

	mu    sync.Mutex
	known []string
}

// shortWindow is the window that JetStream has unless told otherwise.
const shortWindow = 2 * time.Minute

// A server does not answer questions that the user may not ask.
const answerTime = 2 * time.Second

// missing says that there is no stream for a subject.
func (s *streams) missing(subject string) error {
	return fmt.Errorf(`%w %q: create one (nats stream add NAME --subjects=%q --defaults), or add the subjects to one that there is (nats stream edit), or write jetstream = false`,
		errNoStream, subject, s.wanted())
}

// find looks for the stream, by name or by a subject that is known at load
// time. The error is the server's clear no; where it just won't tell, as a
// user with few rights, publishing will.
func (s *streams) find(ctx context.Context, nc *client.Conn, name, subject string) error {
	if name == "" && subject == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	by := name
	if by == "" {
		by, err = js.StreamNameBySubject(ctx, subject)
	}
	var stream jetstream.Stream
	if err == nil {
		stream, err = js.Stream(ctx, by)
	}
	switch {
	case err == nil:
		return s.inspect(stream.CachedInfo())
	case errors.Is(err, jetstream.ErrStreamNotFound) && name != "":
		return fmt.Errorf("there is no stream %q: create it (nats stream add %s --subjects=%q --defaults), or leave \"stream\" out", name, name, s.wanted())
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return s.missing(subject)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, client.ErrNoResponders):
		return errors.New("the server has no JetStream: switch it on there, or write jetstream = false")
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return errors.New("the user's account has no JetStream: switch it on there, or write jetstream = false")
	}
	s.log.Info("the stream can't be looked at", "error", err)
	return nil
}

// inspect warns of what makes the promise weaker.
func (s *streams) inspect(info *jetstream.StreamInfo) error {
	c := info.Config
	s.mu.Lock()
	if !slices.Contains(s.known, c.Name) {
		s.known = append(s.known, c.Name)
	}
	s.mu.Unlock()
	warn := func(text string, args ...any) { s.log.Warn(text, append([]any{"stream", c.Name}, args...)...) }
	if c.NoAck {
		return fmt.Errorf("stream %q acknowledges nothing (no_ack): its messages would be sent for ever", c.Name)
	}
	if c.Duplicates < shortWindow {
		warn("the stream forgets message ids soon: after a longer outage messages may be stored twice", "duplicate_window", c.Duplicates)
	}
	if c.Storage == jetstream.MemoryStorage {
		warn("the stream lies in memory: what is delivered is lost when its server stops")
	}
	if info.Cluster != nil && info.Cluster.Name != "" && c.Replicas < 2 {
		warn("the stream has one replica in a cluster: what is delivered is lost with that server's disk", "replicas", c.Replicas)
	}
	if c.Retention == jetstream.InterestPolicy {
		warn("the stream stores only what a consumer waits for: without one, what is delivered is nowhere", "retention", "interest")
	}
	if c.Discard == jetstream.DiscardOld {
		for _, limit := range []struct {
			name string
			most int64
		}{{"max_bytes", c.MaxBytes}, {"max_msgs", c.MaxMsgs}, {"max_msgs_per_subject", c.MaxMsgsPerSubject}} {
			if limit.most > 0 {
				warn("the stream drops its oldest messages when it is full: what nobody has read by then is gone (discard = new makes events wait instead)", limit.name, limit.most)
			}
		}
	}
	return nil
}

// seen takes note of an acknowledgement.
func (s *streams) seen(ctx context.Context, nc *client.Conn, ack *jetstream.PubAck) {
	s.mu.Lock()
	known := slices.Contains(s.known, ack.Stream)
	if !known {
		s.known = append(s.known, ack.Stream)
	}
	s.mu.Unlock()
	if !known {
		if err := s.find(ctx, nc, ack.Stream, ""); err != nil {
			s.log.Warn("the stream is not as it should be", "error", err)
		}
	}
}

// name is the first stream, "" if there is none yet.
func (s *streams) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) == 0 {
		return ""
	}
	return s.known[0]
}
