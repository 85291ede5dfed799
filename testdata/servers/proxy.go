//go:build integration

package servers

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Traffic is what a proxy does with what it gets.
type Traffic struct {
	Cut   bool          // connections are closed, and new ones at once
	Hang  bool          // nothing gets through, connections stay open
	Delay time.Duration // of each piece of up to 4 KiB
}

// Proxy stands between a client and a server, and is the network that fails.
type Proxy struct {
	Address string // host:port that clients connect to

	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	server  string
	traffic Traffic
	changed chan struct{} // closed when traffic changes
	open    map[net.Conn]bool
	ended   bool
}

// NewProxy starts a proxy that ends with the test. Until To is called it leads
// nowhere.
func NewProxy(t testing.TB) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String(), listener: l, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		p.ended = true
		p.mu.Unlock()
		p.Set(Traffic{Cut: true})
		p.running.Wait()
	})
	return p
}

// To is where connections that come from now on lead.
func (p *Proxy) To(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
}

// Set changes what happens to all connections, those that are open included.
// The zero Traffic lets everything through.
func (p *Proxy) Set(t Traffic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.traffic = t
	close(p.changed)
	p.changed = make(chan struct{})
	if t.Cut {
		for c := range p.open {
			c.Close()
		}
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		server := p.server
		p.mu.Unlock()
		if !p.hold(client) {
			continue
		}
		p.running.Go(func() {
			defer p.release(client)
			target, err := net.Dial("tcp", server)
			if err != nil || !p.hold(target) {
				return
			}
			defer p.release(target)
			var back sync.WaitGroup
			back.Go(func() { p.carry(client, target) })
			p.carry(target, client)
			back.Wait()
		})
	}
}

// hold keeps c to be cut; it closes c if it is cut already.
func (p *Proxy) hold(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.traffic.Cut || p.ended {
		c.Close()
		return false
	}
	p.open[c] = true
	return true
}

func (p *Proxy) release(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	c.Close()
}

// carry takes what comes from one side to the other, and ends both with it.
func (p *Proxy) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 4<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			p.let()
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// let returns when a piece may go on.
func (p *Proxy) let() {
	for {
		p.mu.Lock()
		t, changed := p.traffic, p.changed
		p.mu.Unlock()
		switch {
		case t.Cut:
			return // the connection is closed
		case t.Hang:
			<-changed
		default:
			time.Sleep(t.Delay)
			return
		}
	}
}
