//go:build integration

// Package servers starts real servers for the integration tests, on free ports
// of the loopback interface. A test fails, and is never skipped, where a
// server can't be started.
package servers

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is the repository's testdata directory.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// ports are addresses on which nobody listens.
func ports(t testing.TB, n int) []string {
	t.Helper()
	given.Lock()
	defer given.Unlock()
	var all []string
	for len(all) < n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal("looking for a free port:", err)
		}
		defer l.Close() // after the last: no address twice
		if a := l.Addr().String(); !given.before[a] {
			given.before[a] = true
			all = append(all, a)
		}
	}
	return all
}

// given are the addresses of all calls: whose server does not listen yet looks free.
var given = struct {
	sync.Mutex
	before map[string]bool
}{before: map[string]bool{}}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// process is a server that runs.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// launch starts a server whose output goes to the end of a file.
func launch(t testing.TB, log string, cmd *exec.Cmd) *process {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	return p
}

// stop sends a signal and waits for the end, which it enforces after a minute.
func (p *process) stop(signal syscall.Signal) {
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// tail is the end of a log, for a test that fails.
func tail(log string) string {
	content, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-4000):])
}
