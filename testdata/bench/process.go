package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a program that runs and is measured.
type process struct {
	cmd    *exec.Cmd
	began  time.Time
	output output
	ended  chan struct{} // closed when usage is known
	exit   time.Time
	err    error        // of the exit, once it has ended
	peak   atomic.Int64 // most resident bytes, as last seen
}

// patience is what a program gets to stop.
const patience = 30 * time.Second

// start starts a program. It is killed when ctx is done.
func start(ctx context.Context, command ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	p := &process{cmd: cmd, began: time.Now(), ended: make(chan struct{})}
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = &p.output, &p.output // through a pipe: grep stops early where nobody reads
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go p.watch()
	go func() {
		p.err = cmd.Wait()
		p.exit = time.Now()
		close(p.ended)
	}()
	return p, nil
}

// watch keeps an eye on the resident size: what the kernel says at the end is
// of no use, since the peak of the parent before exec counts in it.
func (p *process) watch() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-tick.C:
			p.peak.Store(max(p.peak.Load(), p.memory("VmHWM")))
		}
	}
}

// memory is a size that the kernel keeps of the process, in bytes; 0 if it has
// ended.
func (p *process) memory(field string) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	return statusBytes(status, field)
}

// statusBytes is a field in kB of a /proc/PID/status.
func statusBytes(status []byte, field string) int64 {
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if fields := bytes.Fields(value); string(name) == field && len(fields) == 2 {
			kb, _ := strconv.ParseInt(string(fields[0]), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// cpu is user and system time, of its children too, once it has ended.
func (p *process) cpu() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// stop asks the process to end, and makes it.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("it did not stop within %s", patience)
	}
}

// output is what a process said.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	return len(p), nil
}

// String is the end of it, for an error.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text[max(0, len(o.text)-2000):])
}
