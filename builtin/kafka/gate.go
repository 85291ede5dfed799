package kafka

import (
	"context"
	"net"
	"sync"
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
		return &gated{conn, g}, nil
	}
}

type gated struct {
	net.Conn
	gate *gate
}

func (c *gated) Write(p []byte) (int, error) {
	c.gate.pass()
	return c.Conn.Write(p)
}

func (c *gated) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.gate.pass()
	return n, err
}
