package nats

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	client "github.com/nats-io/nats.go"

	"github.com/wazuh-etl/etl/runtime/component"
)

const (
	// patience is how long to wait for a connection, or for the next answer, before the operator is told.
	patience = 5 * time.Second
	// between attempts to connect; it doubles from the first to the last.
	firstPause, lastPause = 100 * time.Millisecond, 5 * time.Second
)

// session is one connection, from its beginning to its end.
type session struct {
	nc     *client.Conn
	raw    net.Conn
	inbox  *inbox
	closed chan struct{}
	seen   error // the last complaint of the server that has been heard
}

// publish sends what Encode made. A write that failed may have written a part:
// nothing more can be said on that connection.
func (s *session) publish(m *component.Message, reply string) error {
	out := m.Native.(*client.Msg)
	out.Reply = reply
	err := s.nc.PublishMsg(out)
	if err != nil && failure(err) == nil {
		_ = s.raw.Close()
	}
	return err
}

// denied is the server's word that this user may not do what it tried, nil if
// there is none since the last call.
func (s *session) denied() error {
	err := s.nc.LastError()
	if err == s.seen || !errors.Is(err, client.ErrPermissionViolation) { //nolint:errorlint // the very same one
		return nil
	}
	s.seen = err
	return err
}

// keeper makes a new session whenever there is none. The client could connect
// anew by itself, but then messages published right before and right after
// a break could be stored in another order: here those after go to another session.
type keeper struct {
	dial   func(ctx context.Context) (*session, error)
	health func(error)

	stop func()
	done chan struct{}

	mu      sync.Mutex
	current *session      // nil: not connected
	err     error         // why not
	changed chan struct{} // closed when one of the two changes
}

// start begins to connect. It returns after the first attempt, or with ctx.
func (k *keeper) start(ctx context.Context) {
	own, stop := context.WithCancel(context.Background())
	k.stop, k.done, k.changed = stop, make(chan struct{}), make(chan struct{})
	first := k.changed
	go k.run(own)
	select {
	case <-first:
	case <-ctx.Done():
	}
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	pause := firstPause
	for {
		s, err := k.dial(ctx)
		if err != nil && ctx.Err() != nil {
			k.over()
			return
		}
		k.set(s, err)
		if err == nil {
			pause = firstPause
			select {
			case <-s.closed:
				k.set(nil, lost(s.nc.LastError()))
			case <-ctx.Done():
				s.nc.Close()
				<-s.closed
				k.over()
				return
			}
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)): // so that not all come back at once
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, lastPause)
	}
}

func (k *keeper) set(s *session, err error) {
	k.become(s, err)
	k.health(err)
}

// over is the end that was asked for: nothing is wrong with the target.
func (k *keeper) over() { k.become(nil, client.ErrConnectionClosed) }

func (k *keeper) become(s *session, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current, k.err = s, err
	close(k.changed)
	k.changed = make(chan struct{})
}

// session is the connection, waited for a while if there is none. The error
// is why there is none.
func (k *keeper) session(ctx context.Context) (*session, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		k.mu.Lock()
		s, err, changed := k.current, k.err, k.changed
		k.mu.Unlock()
		if s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-late.C:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// now is the session there is, or nil.
func (k *keeper) now() *session {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// close ends the connection and waits until it has ended.
func (k *keeper) close() {
	if k.stop != nil {
		k.stop()
		<-k.done
	}
}

func lost(err error) error {
	if err == nil {
		return errors.New("the connection to the server was lost")
	}
	return fmt.Errorf("the connection to the server was lost: %w", err)
}
