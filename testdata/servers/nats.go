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

// NATSServer is a NATS server with JetStream, of one node. Its address and its
// store stay the same when it is stopped and started again.
type NATSServer struct {
	Address string // host:port, without TLS or login

	t       testing.TB
	dir     string
	process *process // nil while stopped
}

// NATS builds and starts a server that ends with the test.
func NATS(t testing.TB) *NATSServer {
	t.Helper()
	s := &NATSServer{Address: ports(t, 1)[0], t: t, dir: t.TempDir()}
	build := exec.Command("go", "build", "-o", s.binary(), "github.com/nats-io/nats-server/v2")
	build.Dir = root() // in the module that says which version
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the NATS server: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if s.process != nil {
			s.Kill()
		}
	})
	s.Start()
	return s
}

func (s *NATSServer) binary() string { return filepath.Join(s.dir, "nats-server") }

// Start starts the server again, and returns when it answers.
func (s *NATSServer) Start() {
	s.t.Helper()
	log := filepath.Join(s.dir, "log")
	s.process = launch(s.t, log, exec.Command(s.binary(),
		"-js", "-sd", filepath.Join(s.dir, "store"), "-a", "127.0.0.1", "-p", portOf(s.Address)))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := nats.Connect("nats://"+s.Address, nats.NoReconnect())
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the NATS server does not answer: %v\n%s", err, tail(log))
		}
	}
}

// Stop stops the server as an operator does.
func (s *NATSServer) Stop() { s.stop(syscall.SIGTERM) }

// Kill stops the server as kill -9 does.
func (s *NATSServer) Kill() { s.stop(syscall.SIGKILL) }

func (s *NATSServer) stop(signal syscall.Signal) {
	s.process.stop(signal)
	s.process = nil
}
