//go:build integration

package nats

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// process is a NATS server of its own.
type process struct {
	binary, store string
	port          int
	command       *exec.Cmd
}

func build(t *testing.T) *process {
	t.Helper()
	p := &process{binary: filepath.Join(t.TempDir(), "nats-server"), store: t.TempDir()}
	build := exec.Command("go", "build", "-o", p.binary, "github.com/nats-io/nats-server/v2")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatal("building the server:", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", p.port) }

// start starts the server and waits until it answers.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.command = exec.Command(p.binary, "-js", "-sd", p.store, "-a", "127.0.0.1", "-p", fmt.Sprint(p.port))
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		nc, err := client.Connect(p.url(), client.NoReconnect())
		if err == nil {
			nc.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not start:", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (p *process) kill() {
	if p.command != nil {
		_ = p.command.Process.Kill() // SIGKILL
		_ = p.command.Wait()
		p.command = nil
	}
}

// A server that is killed, or sleeps, under load: nothing is lost, nothing is
// stored twice, nothing changes places.
func TestServerProcessKilledUnderLoad(t *testing.T) {
	p := build(t)
	p.start(t)
	c := jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}}
	stream(t, js(t, p.url()), c)
	s, _ := open(t, map[string]any{"url": p.url()})

	const n = 100000
	var o outbox
	messages := o.alerts(t, s, 1, n)
	done := make(chan int)
	go func() { done <- o.deliver(t.Context(), s, messages, 512) }()
	reach := func(at int) {
		for o.of(messages[at]) == "" {
			time.Sleep(time.Millisecond)
		}
	}
	for part := 1; part <= 4; part++ {
		reach(part * n / 6)
		p.kill()
		p.start(t)
	}
	reach(5 * n / 6)
	if err := p.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(patience + time.Second) // so that the sink asks again
	if err := p.command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d lots for %d messages", <-done, n)

	p.kill()
	p.start(t)
	all := payloads(stored(t, stream(t, js(t, p.url()), c)))
	if len(all) != n || strings.Join(all, " ") != strings.Join(count(1, n), " ") {
		t.Errorf("%d messages of %d, or not in order", len(all), n)
	}
}

// The same with three sinks on one connection.
func TestServerProcessKilledUnderThreeSinks(t *testing.T) {
	server := build(t)
	server.start(t)
	streamsOfThree(t, server.url())
	p := newPipe(t)
	p.start(three(server.url(), "", ""))
	for range 5 {
		p.more(5000)
		server.kill()
		eventually(t, "the connection is down", func() bool { return p.graph.Snapshot().Connections[0].Health != nil })
		server.start(t)
	}
	p.more(5000)
	n := p.finish()
	holdThree(t, server.url(), n)
	t.Logf("%d events to each of three sinks", n)
}
