package watch

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/builtin/nats/embedded"
)

// bus is a NATS server with JetStream.
type bus struct {
	t   testing.TB
	url string
	nc  *client.Conn
	js  jetstream.JetStream
}

func newBus(t testing.TB) *bus {
	t.Helper()
	s, err := embedded.Start(embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	b := &bus{t: t, url: s.URL()}
	if b.nc, err = client.Connect(b.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.nc.Close)
	if b.js, err = jetstream.New(b.nc); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bus) stream(c jetstream.StreamConfig) jetstream.Stream {
	b.t.Helper()
	s, err := b.js.CreateStream(b.t.Context(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bus) store(subject string, data []byte, headers ...string) {
	b.t.Helper()
	m := &client.Msg{Subject: subject, Data: data, Header: client.Header{}}
	for i := 0; i < len(headers); i += 2 {
		m.Header.Set(headers[i], headers[i+1])
	}
	if _, err := b.js.PublishMsg(b.t.Context(), m); err != nil {
		b.t.Fatal(err)
	}
}

// output is written by Run and read by a test.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for start := time.Now(); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// The last message of each subject is the picture, and what comes is a change.
func TestFromJetStream(t *testing.T) {
	b := newBus(t)
	b.stream(jetstream.StreamConfig{Name: "all", Subjects: []string{"wazuh.agent.*.status", "wazuh.agent.*.disconnected", "wazuh.alerts.>"}})
	b.stream(jetstream.StreamConfig{Name: "snapshots", Subjects: []string{"wazuh.agent.*.snapshot", "wazuh.agent.*.connected", "wazuh.manager.>"}})
	b.store("wazuh.manager.m1.heartbeat", heartbeat(0, 5, ""))
	for i, id := range []string{"001", "002", "003"} {
		b.store("wazuh.agent."+id+".snapshot", snapshotOf(id, i, "Active", "s", 3))
	}
	b.store("wazuh.agent.005.connected", told("connected", "005", 9, nil))
	b.store("wazuh.agent.001.status", disconnectedAt("001", 10))
	b.store("wazuh.agent.001.disconnected", disconnectedAt("001", 10))
	zstd := compression.New("zstd")
	b.store("wazuh.agent.002.status", zstd.Append(nil, told("status_change", "002", 11, map[string]any{"current_status": "Pending"})), "Content-Encoding", "zstd")
	b.store("wazuh.agent.003.status", []byte("not zstd"), "Content-Encoding", "zstd")
	b.store("wazuh.agent.004.status", []byte("nonsense"))
	b.store("wazuh.alerts.x", []byte("nobody's business"))
	feed := &NATS{URL: b.url, Prefix: "wazuh"}

	var out output
	o := Options{Feed: feed, Out: &out, Once: true, Timeout: 20 * time.Second, Stale: 1 << 60}
	if err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"4 agents  2 active  1 disconnected  0 never connected  1 pending", "\n2 messages that made no sense\n", "\nmanager m1: 1 of its agents are not known yet\n", "\n001  agent-001  10.0.0.1  Ubuntu 24.04  disconnected"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nlacks %q", out.String(), want)
		}
	}

	var lines output
	ctx, cancel := context.WithCancel(t.Context())
	end := started(ctx, Options{Feed: feed, Out: &lines})
	after := 20
	eventually(t, "the change", func() bool { // it reads what was kept first, which is no change
		b.store("wazuh.agent.001.status", told("connected", "001", after, map[string]any{"previous_status": "Disconnected"}))
		after++
		return strings.Contains(lines.String(), "\n")
	})
	cancel()
	if err := <-end; err != nil {
		t.Error(err)
	}
	if got, _, _ := strings.Cut(lines.String(), "\n"); !strings.HasSuffix(got, " 001 agent-001: disconnected -> active (10.0.0.1, m1)") {
		t.Errorf("%q", got)
	}
}

// Nothing is taken from who works a queue off, and nothing is left behind.
func TestWorkQueuesAreLeftAlone(t *testing.T) {
	b := newBus(t)
	queue := b.stream(jetstream.StreamConfig{Name: "queue", Subjects: []string{"wazuh.agent.>"}, Retention: jetstream.WorkQueuePolicy})
	b.store("wazuh.agent.001.status", disconnectedAt("001", 1))
	err := Run(t.Context(), Options{Feed: &NATS{URL: b.url, Prefix: "wazuh"}, Out: &output{}, Once: true, Timeout: 3 * time.Second, Stale: 1 << 60})
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "no stream keeps wazuh.agent.>") {
		t.Error(err)
	}
	info, err := queue.Info(t.Context())
	if err != nil || info.State.Msgs != 1 || info.State.Consumers != 0 {
		t.Errorf("%+v, %v", info.State, err)
	}
}

// Without a stream it is what passes.
func TestFromCoreNATS(t *testing.T) {
	b := newBus(t)
	var out output
	end := started(t.Context(), Options{Feed: &NATS{URL: b.url, Prefix: "acme.wazuh"}, Out: &out, Once: true, Timeout: 20 * time.Second})
	publish := func() {
		for subject, m := range map[string][]byte{
			"acme.wazuh.agent.001.snapshot": snapshotOf("001", 0, "Active", "s", 1), "acme.wazuh.manager.m1.heartbeat": heartbeat(1, 1, ""),
			"wazuh.agent.002.status": disconnectedAt("002", 1),
		} {
			if err := b.nc.Publish(subject, m); err != nil {
				t.Fatal(err)
			}
		}
	}
	for {
		publish()
		select {
		case err := <-end:
			if err != nil || !strings.Contains(out.String(), "1 agent  1 active") || !strings.Contains(out.String(), "only what is published from now on is seen") {
				t.Errorf("%v\n%s", err, out.String())
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// startServer starts one without JetStream; port 0: any.
func startServer(t testing.TB, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.NoSigs, o.NoLog = "127.0.0.1", true, true
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server is not ready")
	}
	stop := sync.OnceFunc(func() { s.Shutdown(); s.WaitForShutdown() })
	t.Cleanup(stop)
	return s
}

// subscribed says whether a client of the server has subscribed to all subjects.
func subscribed(s *server.Server) func() bool {
	return func() bool {
		connections, err := s.Connz(&server.ConnzOptions{})
		return err == nil && len(connections.Conns) > 0 && connections.Conns[0].NumSubs >= 3
	}
}

// A connection that is lost is said, and made again.
func TestAServerThatGoesAwayIsWaitedFor(t *testing.T) {
	s := startServer(t, server.Options{})
	feed := &NATS{URL: s.ClientURL(), Prefix: "wazuh"}
	b := board(Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- feed.Run(ctx, b) }()
	eventually(t, "the feed runs", subscribed(s))
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "the loss is told", func() bool { return b.picture(noon).trouble != nil })
	startServer(t, server.Options{Port: port})
	eventually(t, "it is connected again", func() bool { return b.picture(noon).trouble == nil })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServersThatRefuse(t *testing.T) {
	closed := startServer(t, server.Options{Username: "u", Password: "p"})
	pair, pool := certificate(t)
	encrypted := startServer(t, server.Options{TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}, TLS: true})
	address := func(s *server.Server) string { return s.Addr().String() }
	for name, c := range map[string]struct {
		feed *NATS
		want string
	}{
		"nobody":            {&NATS{URL: "nats://127.0.0.1:1"}, "connecting to 127.0.0.1:1: nats: no servers available for connection: no server answers there"},
		"no login":          {&NATS{URL: "nats://" + address(closed)}, "log in with --creds FILE or nats://USER:PASSWORD@HOST"},
		"a wrong password":  {&NATS{URL: "nats://u:secret@" + address(closed)}, "log in with --creds FILE"},
		"unknown authority": {&NATS{URL: "tls://" + address(encrypted)}, "--tls-ca"},
	} {
		err := c.feed.Run(t.Context(), board(Options{}))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- (&NATS{URL: "tls://" + address(encrypted), TLS: &tls.Config{RootCAs: pool}, Prefix: "w"}).Run(ctx, board(Options{}))
	}()
	eventually(t, "it subscribes over TLS", subscribed(encrypted))
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// certificate is one that has signed itself, for 127.0.0.1.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: private}, pool
}
