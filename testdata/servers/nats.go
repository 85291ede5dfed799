//go:build integration

package servers

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// NATSServer is a NATS server with JetStream, of one node. Its address, logins
// and store stay the same when it is stopped and started again.
type NATSServer struct {
	Address string // host:port
	// Guard is what a server of NATSBehindTLS wants of clients; nil: anybody may come, without TLS.
	Guard *NATSGuard

	t       testing.TB
	dir     string
	process *process // nil while stopped
}

// NATS builds and starts a server, without TLS or login, that ends with the test.
func NATS(t testing.TB) *NATSServer {
	t.Helper()
	s := &NATSServer{Address: ports(t, 1)[0], t: t, dir: t.TempDir()}
	s.build()
	s.Start()
	return s
}

// NATSBehindTLS builds and starts a server that ends with the test and wants mutual TLS and a JWT.
func NATSBehindTLS(t testing.TB) *NATSServer {
	t.Helper()
	s := &NATSServer{Address: ports(t, 1)[0], t: t, dir: t.TempDir()}
	s.Guard = newGuard(t, s.dir)
	s.build()
	s.Start()
	return s
}

func (s *NATSServer) build() {
	s.t.Helper()
	build := exec.Command("go", "build", "-o", s.binary(), "github.com/nats-io/nats-server/v2")
	build.Dir = root() // in the module that says which version
	if out, err := build.CombinedOutput(); err != nil {
		s.t.Fatalf("building the NATS server: %v\n%s", err, out)
	}
	s.t.Cleanup(func() {
		if s.process != nil {
			s.Kill()
		}
	})
}

func (s *NATSServer) binary() string { return filepath.Join(s.dir, "nats-server") }

// Start starts the server again, and returns when it answers.
func (s *NATSServer) Start() {
	s.t.Helper()
	args := []string{"-js", "-sd", filepath.Join(s.dir, "store"), "-a", "127.0.0.1", "-p", portOf(s.Address)}
	if s.Guard != nil {
		args = append(args, "-c", s.Guard.config)
	}
	log := filepath.Join(s.dir, "log")
	s.process = launch(s.t, log, exec.Command(s.binary(), args...))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := s.connect(nats.NoReconnect())
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the NATS server does not answer: %v\n%s", err, tail(log))
		}
	}
}

// Connect is a connection of the test itself, which may do everything. It comes
// back when the server does, and ends with the test.
func (s *NATSServer) Connect() *nats.Conn {
	s.t.Helper()
	c, err := s.connect(nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.ReconnectBufSize(-1))
	if err != nil {
		s.t.Fatalf("connecting to NATS: %v", err)
	}
	s.t.Cleanup(c.Close)
	return c
}

func (s *NATSServer) connect(options ...nats.Option) (*nats.Conn, error) {
	if s.Guard != nil {
		options = append(options, nats.RootCAs(s.Guard.CAFile), nats.ClientCert(s.Guard.CertFile, s.Guard.KeyFile), nats.UserCredentials(s.Guard.admin))
	}
	return nats.Connect("nats://"+s.Address, options...)
}

// Stop stops the server as an operator does.
func (s *NATSServer) Stop() { s.stop(syscall.SIGTERM) }

// Kill stops the server as kill -9 does.
func (s *NATSServer) Kill() { s.stop(syscall.SIGKILL) }

func (s *NATSServer) stop(signal syscall.Signal) {
	s.process.stop(signal)
	s.process = nil
}
