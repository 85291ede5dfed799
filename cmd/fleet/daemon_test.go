//go:build integration

package fleet

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// daemon is etl, which a service manager starts again and again in the same place.
type daemon struct {
	t       *testing.T
	args    []string
	log     *os.File
	command *exec.Cmd // nil while it does not run
	ended   chan error
}

func newDaemon(t *testing.T, args ...string) *daemon {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, args: args, log: log}
	t.Cleanup(func() {
		if d.command != nil {
			d.kill()
		}
		if t.Failed() {
			text := d.said()
			t.Logf("etl said:\n%s", text[max(0, len(text)-20_000):])
		}
		log.Close()
	})
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	d.command = exec.Command(servers.Program(d.t), d.args...)
	d.command.Stdout, d.command.Stderr = d.log, d.log
	if err := d.command.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan error, 1)
	go func(c *exec.Cmd, ended chan<- error) { ended <- c.Wait() }(d.command, d.ended)
}

// kill is kill -9.
func (d *daemon) kill() {
	_ = d.command.Process.Kill()
	<-d.ended
	d.command = nil
}

// stop is what systemctl stop does; it wants exit code 0.
func (d *daemon) stop() {
	d.t.Helper()
	_ = d.command.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.ended:
		if err != nil {
			d.t.Errorf("etl ended with %v", err)
		}
	case <-time.After(time.Minute):
		_ = d.command.Process.Signal(syscall.SIGQUIT) // it writes down where it hangs
		d.t.Errorf("etl does not end: %v", <-d.ended)
	}
	d.command = nil
}

// said is all that it has written into its log, over all runs.
func (d *daemon) said() string {
	text, err := os.ReadFile(d.log.Name())
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// memory is a size that the kernel keeps of the process, VmHWM or VmRSS, in bytes.
func (d *daemon) memory(field string) int64 {
	d.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.command.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range bytes.Lines(status) {
		if text, ok := strings.CutPrefix(string(line), field+":"); ok {
			if n, err := strconv.ParseInt(strings.Fields(text)[0], 10, 64); err == nil {
				return n << 10
			}
		}
	}
	d.t.Fatalf("the kernel does not say %s", field)
	return 0
}

// cpu is the time that the process has had a processor, the kernel's work for it too.
func (d *daemon) cpu() time.Duration {
	d.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.command.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third one on
	var ticks int64
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			d.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100 // a tick is 10 ms on Linux
}
