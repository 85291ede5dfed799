//go:build integration

package chaos

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// daemon runs one pipeline as a service manager does: etl is started again and
// again in the same place.
type daemon struct {
	program string
	dir     string // pipeline.hcl, log, and the state directory
	name    string // of the pipeline
	log     *os.File
	running *run
	runs    int
}

// run is one process.
type run struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error        // read when ended
	stdin *os.File     // nil if it has none
	ready atomic.Int64 // how often it has said that it is
}

func newDaemon(t *testing.T, dir, name string) *daemon {
	t.Helper()
	d := &daemon{program: servers.Program(t), dir: dir, name: name}
	var err error
	if d.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.running != nil {
			d.kill()
		}
		d.log.Close()
	})
	return d
}

// state is the state directory of the pipeline.
func (d *daemon) state() string { return filepath.Join(d.dir, "state", d.name) }

func (d *daemon) pipeline() string { return filepath.Join(d.dir, "pipeline.hcl") }

// configure writes the pipeline file, as a whole.
func (d *daemon) configure(text string) error {
	fresh := d.pipeline() + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, d.pipeline())
}

// start starts a run; with a pipe as its standard input if that is wanted.
func (d *daemon) start(pipe bool, more ...string) error {
	r := &run{ended: make(chan struct{})}
	r.cmd = exec.Command(d.program, append([]string{"run", d.pipeline(), "--state-dir", filepath.Dir(d.state())}, more...)...)
	d.runs++
	socket := filepath.Join(d.dir, fmt.Sprint("notify", d.runs))
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	r.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket)
	r.cmd.Stdout, r.cmd.Stderr = d.log, d.log
	var reading *os.File
	if pipe {
		if reading, r.stdin, err = os.Pipe(); err != nil {
			return errors.Join(err, notify.Close())
		}
		r.cmd.Stdin = reading
	}
	fmt.Fprintln(d.log, "--- start")
	err = r.cmd.Start()
	if reading != nil {
		err = errors.Join(err, reading.Close())
	}
	if err != nil {
		return errors.Join(err, notify.Close())
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := notify.Read(buf)
			if err != nil {
				return
			}
			if strings.HasPrefix(string(buf[:n]), "READY=1") {
				r.ready.Add(1)
			}
		}
	}()
	go func() {
		defer close(r.ended)
		r.err = r.cmd.Wait()
		notify.Close()
	}()
	d.running = r
	return nil
}

// wait waits for the end of the run and gives its exit error. One that does not end
// writes down where it hangs.
func (d *daemon) wait(most time.Duration) error {
	r := d.running
	defer func() { d.running = nil }()
	select {
	case <-r.ended:
		return r.err
	default:
	}
	select {
	case <-r.ended:
		return r.err
	case <-time.After(most):
	}
	_ = r.cmd.Process.Signal(syscall.SIGCONT)
	_ = r.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-r.ended:
	case <-time.After(10 * time.Second):
		_ = r.cmd.Process.Kill()
		<-r.ended
	}
	return fmt.Errorf("etl did not end within %s: its log says where it hangs", most)
}

// kill is kill -9.
func (d *daemon) kill() {
	d.signal(syscall.SIGKILL)
	_ = d.wait(20 * time.Second) // it says that it was killed
}

// stop is what systemctl stop does. Its error is etl's exit code, if that is not 0.
func (d *daemon) stop() error {
	d.signal(syscall.SIGTERM)
	return d.wait(time.Minute)
}

func (d *daemon) signal(s syscall.Signal) { _ = d.running.cmd.Process.Signal(s) }

// freeze and thaw are SIGSTOP and SIGCONT; hup wants a reload.
func (d *daemon) freeze() { d.signal(syscall.SIGSTOP) }
func (d *daemon) thaw()   { d.signal(syscall.SIGCONT) }
func (d *daemon) hup()    { d.signal(syscall.SIGHUP) }

// ready is how often the run has said that it is: after its start and after each reload.
// Until it has, signals end it as they end any process.
func (d *daemon) ready() int64 { return d.running.ready.Load() }

// dead says whether the process has ended by itself.
func (d *daemon) dead() bool {
	select {
	case <-d.running.ended:
		return true
	default:
		return false
	}
}

// said is how often the log has text.
func (d *daemon) said(text string) int {
	raw, err := os.ReadFile(d.log.Name())
	if err != nil {
		return 0
	}
	return strings.Count(string(raw), text)
}

// lastWords is the end of the log.
func (d *daemon) lastWords(most int) string {
	raw, err := os.ReadFile(d.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-most):])
}

// eventually asks until it is told yes, or for as long as it may take.
func eventually(most time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(most); ; time.Sleep(10 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
