// Package embedded runs a NATS server with JetStream inside this process. It
// is a real one: other programs reach it on a loopback port, without a login.
package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Options say how to run the server.
type Options struct {
	Dir  string       // the store is below it, in Dir/jetstream
	Port int          // 0: one that is free
	Log  *slog.Logger // nil: says nothing
}

const (
	// ready is how long a store may take to be read in. One that was large when the process was killed is scanned.
	ready = 10 * time.Minute
	// maxPayload lets the longest event of a source through (max_line_bytes) with what a transform adds.
	maxPayload = 48 << 20
	// syncInterval is what a power failure may cost. What the process has acknowledged is in the
	// kernel's hands; its end, however sudden, costs nothing.
	syncInterval = time.Second
	maxMemory    = 64 << 20
	maxStore     = math.MaxInt64 / 4 // streams bound themselves
)

// Server is a running server, shared by all who started it with the same Dir.
type Server struct {
	Options
	nats *server.Server
	uses int
}

// A store must not be opened twice, and a reload opens the new sink before it
// closes the old one.
var (
	mu      sync.Mutex
	running = map[string]*Server{}
)

// Start starts the server, or joins the one that runs on o.Dir. Each Start
// needs its Stop.
func Start(o Options) (*Server, error) {
	mu.Lock()
	defer mu.Unlock()
	o.Dir = filepath.Clean(o.Dir)
	if s := running[o.Dir]; s != nil {
		if o.Port != 0 && o.Port != s.port() {
			return nil, fmt.Errorf("the embedded server listens on port %d: changing its port needs a restart", s.port())
		}
		s.uses++
		return s, nil
	}
	s := &Server{Options: o, uses: 1}
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("starting the embedded NATS server: %w", err)
	}
	running[o.Dir] = s
	return s, nil
}

func (s *Server) start() error {
	port := s.Port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	n, err := server.NewServer(&server.Options{
		ServerName: "etl", Host: "127.0.0.1", Port: port, NoSigs: true,
		MaxPayload: maxPayload, MaxPending: 2 * maxPayload,
		JetStream: true, StoreDir: s.Dir, SyncInterval: syncInterval, DisableJetStreamBanner: true,
		JetStreamMaxMemory: maxMemory, JetStreamMaxStore: maxStore,
	})
	if err != nil {
		return err
	}
	log := &logger{to: s.Log}
	n.SetLoggerV2(log, false, false, false)
	s.nats = n
	n.Start()
	if err := log.fatal(); err == nil && n.ReadyForConnections(ready) && n.JetStreamEnabled() {
		return nil
	}
	n.Shutdown()
	n.WaitForShutdown()
	if err := log.fatal(); err != nil {
		return err
	}
	return errors.New("it did not get ready")
}

// Stop ends one use. The last one stops the server; its store is complete on disk then.
func (s *Server) Stop() {
	mu.Lock()
	defer mu.Unlock()
	if s.uses--; s.uses > 0 {
		return
	}
	delete(running, s.Dir)
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

// Revive switches JetStream on again where the server has switched it off, as
// it does for good when its disk is full.
func (s *Server) Revive() error {
	if s.nats.JetStreamEnabled() {
		return nil
	}
	err := s.nats.EnableJetStream(&server.JetStreamConfig{StoreDir: s.Dir, MaxMemory: maxMemory, MaxStore: maxStore, SyncInterval: syncInterval})
	if err != nil {
		return fmt.Errorf("switching the embedded server's JetStream on again: %w", err)
	}
	return nil
}

// URL is where the server is reached.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Store is the directory that holds the streams.
func (s *Server) Store() string { return filepath.Join(s.Dir, server.JetStreamStoreDir) }

func (s *Server) port() int { return s.nats.Addr().(*net.TCPAddr).Port }
