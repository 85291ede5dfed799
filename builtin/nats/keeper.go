package nats

import (
	"context"
	"math/rand/v2"
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

// keeper makes a new session whenever there is none. The client could connect
// anew by itself, but then messages published right before and right after
// a break could be stored in another order: here those after go to another session.
// Sinks that name the same connection block share one keeper.
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
				k.set(nil, s.lost())
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

// set tells the health first: who waits for the change may ask for it.
func (k *keeper) set(s *session, err error) {
	k.health(err)
	k.become(s, err)
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
// is why there is none, as health has it.
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
			return nil, component.OfConnection(err)
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

// Close ends the connection and waits until it has ended.
func (k *keeper) Close() error {
	k.stop()
	<-k.done
	return nil
}
