package worldtest

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// Network connects those who dial an address with who listens there, by
// net.Pipe: a Write waits for its Read. It is safe for concurrent use.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	conns     map[net.Conn]struct{}
}

// NewNetwork is a network on which nobody listens.
func NewNetwork() *Network {
	return &Network{listeners: map[string]*listener{}, conns: map[net.Conn]struct{}{}}
}

type address struct{ network, name string }

func (a address) Network() string { return a.network }
func (a address) String() string  { return a.name }

// listener hands out the far ends of what was dialled.
type listener struct {
	net    *Network
	addr   address
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Listen waits at an address; any text will do, port 0 included.
func (n *Network) Listen(_ context.Context, network, name string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	addr := address{network, name}
	if n.listeners[name] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: syscall.EADDRINUSE}
	}
	l := &listener{net: n, addr: addr, queue: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[name] = l
	return l, nil
}

// Dial connects to who listens at an address; nobody there is a refusal.
func (n *Network) Dial(ctx context.Context, network, name string) (net.Conn, error) {
	addr := address{network, name}
	n.mu.Lock()
	l := n.listeners[name]
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: network, Addr: addr, Err: syscall.ECONNREFUSED}
	if l == nil {
		return nil, refused
	}
	near, far := net.Pipe()
	select {
	case l.queue <- far:
		n.mu.Lock()
		n.conns[near] = struct{}{}
		n.mu.Unlock()
		return near, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr, Err: ctx.Err()}
	}
}

// Cut breaks every connection there is; new ones can be made.
func (n *Network) Cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		c.Close()
	}
	clear(n.conns)
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: l.addr.network, Addr: l.addr, Err: net.ErrClosed}
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, l.addr.name)
		l.net.mu.Unlock()
		close(l.closed)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }
