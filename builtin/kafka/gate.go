package kafka

import (
	"context"
	"net"
	"sync"
	"time"
)

// gate holds up what a client's connections carry while a lot is put into its
// buffers. The client may begin to send at any time, even where it is told to
// flush by hand: a loop of the flush before may still be running. With the gate shut, no answer
// can fail the first half of a lot while the second half is not yet there to
// fail with it.
type gate struct{ sync.RWMutex }

// pass waits until the gate is open.
func (g *gate) pass() {
	g.RLock()
	defer g.RUnlock() // to wait is all it is for
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dial is dialing through the gate.
func (g *gate) dial(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c := &gated{Conn: conn, gate: g, turn: make(chan struct{}, 1), closed: make(chan struct{})}
		c.turn <- struct{}{}
		return c, nil
	}
}

// gated is a connection through a gate, with one request at a time on it: the next is
// written when the answer is read. The client would send up to five at once, and a broker
// remembers five batches of a producer in each partition, to store none of them twice; but one
// that was restarted knows only the last. If several were stored and not answered, it
// refuses the first of them as out of order, and the client sends all as new ones.
type gated struct {
	net.Conn
	gate   *gate
	turn   chan struct{} // has a token while nothing is unanswered
	frames frames        // what is read
	closed chan struct{}
	once   sync.Once
}

// writing is how long the client lets a write take.
const writing = 10 * time.Second

// Write writes a request: the client gives each whole.
func (c *gated) Write(p []byte) (int, error) {
	select {
	case <-c.turn:
	default:
		select {
		case <-c.turn:
			_ = c.SetWriteDeadline(time.Now().Add(writing)) // a wait for a turn is none for the network
		case <-c.closed: // it is for the connection to say so
		}
	}
	c.gate.pass()
	return c.Conn.Write(p)
}

func (c *gated) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.frames.end(p[:n]) {
		wake(c.turn)
	}
	c.gate.pass()
	return n, err
}

func (c *gated) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// frames finds where answers end: each is four bytes that say how many follow.
type frames struct {
	head int // bytes read of the four
	size uint32
	left uint32 // bytes to come of those that follow
}

// end says whether an answer ends in p, which is what follows on the p before.
func (f *frames) end(p []byte) (ended bool) {
	for len(p) > 0 {
		if f.left == 0 {
			f.size = f.size<<8 | uint32(p[0])
			p = p[1:]
			if f.head++; f.head < 4 {
				continue
			}
			f.head, f.left, f.size = 0, f.size, 0
		}
		n := min(int(f.left), len(p))
		f.left -= uint32(n)
		p = p[n:]
		ended = ended || f.left == 0
	}
	return ended
}
