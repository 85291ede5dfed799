package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"sync"
	"time"

	client "github.com/nats-io/nats.go"

	"github.com/wazuh-etl/etl/runtime/component"
)

// session is one connection, from its beginning to its end. Several sinks may
// use it, each with an inbox of its own.
type session struct {
	nc      *client.Conn
	raw     net.Conn
	closed  chan struct{}
	explain func(error) error // says more of a login that is refused, which may be after a while

	mu      sync.Mutex
	inboxes map[*inbox]bool
	heard   error         // the last complaint of the server that has been passed on
	expired error         // the one that the server ends the connection for
	news    chan struct{} // closed when heard changes
}

func newSession(explain func(error) error) *session {
	return &session{explain: explain, closed: make(chan struct{}), inboxes: map[*inbox]bool{}, news: make(chan struct{})}
}

// publish sends what Encode made. A write that failed may have written a part:
// nothing more can be said on that connection.
func (s *session) publish(m *component.Message, reply string) error {
	out := m.Native.(*client.Msg)
	out.Reply = reply
	err := s.nc.PublishMsg(out)
	if err != nil && failure(err) == nil {
		_ = s.raw.Close()
		return component.OfConnection(err)
	}
	return err
}

// stuck is how long who has to stop may still be inside the client.
const stuck = 250 * time.Millisecond

// guard stands around the use of the client. A server that does not read blocks
// all who write, inside the client's lock, and only the socket's end gets them out. So
// that is what they get when ctx ends and they do not come out by themselves.
func (s *session) guard(ctx context.Context) (leave func()) {
	left := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(stuck)
		defer timer.Stop()
		select {
		case <-left:
		case <-timer.C:
			_ = s.raw.Close()
		}
	})
	return func() {
		close(left)
		stop()
	}
}

// join makes complaints about what b sends, and listens to, come to b.
func (s *session) join(b *inbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inboxes[b] = true
}

func (s *session) leave(b *inbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inboxes, b)
}

// violation is the server's word that the user may not do what it tried.
var violation = regexp.MustCompile(`(?i)Permissions Violation for (Publish to|Subscription to|Publish with Reply of) ("(?:[^"\\]|\\.)*")`)

// complain passes on what the server complains of. It says which subject it is
// about, not which message; but it complains of each message once.
func (s *session) complain(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, client.ErrAuthExpired) || errors.Is(err, client.ErrAuthRevoked) || errors.Is(err, client.ErrAccountAuthExpired) {
		s.expired = err
	}
	if said := violation.FindStringSubmatch(err.Error()); said != nil {
		subject, bad := strconv.Unquote(said[2])
		for b := range s.inboxes {
			if bad == nil && b.hear(said[1], subject, err) {
				break
			}
		}
	}
	s.heard = err
	close(s.news)
	s.news = make(chan struct{})
}

// hearAll waits until all that the server has complained of by now is passed on.
func (s *session) hearAll(ctx context.Context) error {
	for {
		s.mu.Lock()
		heard, news := s.heard, s.news
		s.mu.Unlock()
		if last := s.nc.LastError(); last == nil || last == heard { //nolint:errorlint // the very same one
			return nil
		}
		select {
		case <-news:
		case <-s.closed:
			return errLost
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errLost = errors.New("the connection to the server was lost")

// lost is why the session is over.
func (s *session) lost() error {
	s.mu.Lock()
	err := s.expired
	s.mu.Unlock()
	if err == nil {
		err = s.nc.LastError()
	}
	if err == nil {
		return errLost
	}
	return fmt.Errorf("%w: %w", errLost, s.explain(err))
}

// over says whether the session has ended.
func (s *session) over() bool { return s.nc.IsClosed() }
