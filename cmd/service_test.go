package cmd

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come at once.
const patience = time.Minute

// daemon is an etl run of its own, as systemd starts it.
type daemon struct {
	t        *testing.T
	dir      string
	notify   *net.UnixConn
	messages chan string
	command  *exec.Cmd
	stderr   bytes.Buffer
}

// startDaemon runs pipeline.hcl in a new folder with the content given.
func startDaemon(t *testing.T, pipeline string, more ...string) *daemon {
	t.Helper()
	d := newDaemon(t)
	d.write("pipeline.hcl", pipeline)
	d.start(more...)
	d.told("READY=1")
	return d
}

// newDaemon makes a new folder, in which nothing runs.
func newDaemon(t *testing.T) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "etl") // a socket's name is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{t: t, dir: dir, messages: make(chan string, 1000)}
	if d.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := d.notify.Read(buf)
			if err != nil {
				return
			}
			if m := string(buf[:n]); !strings.HasPrefix(m, "STATUS=") {
				d.messages <- m
			}
		}
	}()
	t.Cleanup(func() { d.notify.Close() })
	return d
}

// start runs the pipeline.hcl of the folder.
func (d *daemon) start(more ...string) {
	d.t.Helper()
	d.command = exec.Command("etl", append([]string{"run", filepath.Join(d.dir, "pipeline.hcl")}, more...)...)
	d.command.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(d.dir, "notify"), "STATE_DIRECTORY="+d.dir+":/elsewhere")
	d.command.Dir = "/"
	d.command.Stderr = &d.stderr
	if err := d.command.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if d.command.ProcessState == nil {
			_ = d.command.Process.Kill()
			_ = d.command.Wait()
		}
		if d.t.Failed() {
			d.t.Logf("etl said:\n%s", d.stderr.String())
		}
	})
}

// told waits until the service manager is told something that begins so.
func (d *daemon) told(prefix string) {
	d.t.Helper()
	select {
	case m := <-d.messages:
		if !strings.HasPrefix(m, prefix) {
			d.t.Fatalf("the service manager was told %q, want %q", m, prefix)
		}
	case <-time.After(patience):
		d.t.Fatalf("the service manager was not told %q", prefix)
	}
}

func (d *daemon) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o666); err != nil {
		d.t.Fatal(err)
	}
}

// feed appends lines {"n":from} to {"n":to} to the input.
func (d *daemon) feed(from, to int) {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, "in.jsonl"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for n := from; n <= to; n++ {
		fmt.Fprintf(f, "{\"n\":%d}\n", n)
	}
}

// delivered waits until the output is just this.
func (d *daemon) delivered(want string) {
	d.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		got, _ := os.ReadFile(filepath.Join(d.dir, "pipeline", "out.jsonl"))
		if string(got) == want {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("the output is\n%s\nwant\n%s", got, want)
		}
	}
}

func (d *daemon) signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.command.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// exited waits for the end and wants its exit code.
func (d *daemon) exited(code int) {
	d.t.Helper()
	_ = d.command.Wait()
	if got := d.command.ProcessState.ExitCode(); got != code {
		d.t.Fatalf("exit code %d, want %d", got, code)
	}
}

func numbersWhere(where string) string {
	return fmt.Sprintf(`
source "file" "in" { path = "in.jsonl" }
filter "some" {
  from  = source.file.in
  where = "%s"
}
sink "file" "out" {
  from    = filter.some
  path    = "out.jsonl"
  payload = "{{ n }}"
}
`, where)
}

func TestServiceReloads(t *testing.T) {
	d := startDaemon(t, numbersWhere("n % 2 == 0"))
	d.feed(1, 6)
	d.delivered("2\n4\n6\n")

	// A second process is kept out, and told by whom.
	second := exec.Command("etl", "run", filepath.Join(d.dir, "pipeline.hcl"), "--state-dir", d.dir)
	out, _ := second.CombinedOutput()
	if code := second.ProcessState.ExitCode(); code != exitConfiguration || !strings.Contains(string(out), fmt.Sprint(d.command.Process.Pid)) {
		t.Errorf("a second process: exit code %d, %s", code, out)
	}

	// A changed filter holds from the next line on.
	d.write("pipeline.hcl", numbersWhere("n % 3 == 0"))
	d.signal(syscall.SIGHUP)
	d.told("RELOADING=1\nMONOTONIC_USEC=")
	d.told("READY=1")
	d.feed(7, 12)
	d.delivered("2\n4\n6\n9\n12\n")

	// A broken file changes nothing.
	d.write("pipeline.hcl", numbersWhere("n %% 3 =="))
	d.signal(syscall.SIGHUP)
	d.told("RELOADING=1")
	d.told("READY=1")
	d.feed(13, 15)
	d.delivered("2\n4\n6\n9\n12\n15\n")

	d.signal(syscall.SIGTERM)
	d.told("STOPPING=1")
	d.exited(exitDone)
	if !strings.Contains(d.stderr.String(), "ETL14") || !strings.Contains(d.stderr.String(), "pipeline.hcl:5:") {
		t.Error("the log doesn't say what is wrong with the broken file")
	}
}

func TestServiceWatches(t *testing.T) {
	d := startDaemon(t, numbersWhere("n % 2 == 0"), "--watch", "--log-format", "json")
	d.feed(1, 4)
	d.delivered("2\n4\n")
	// As editors do: a new file takes the old one's name.
	d.write("new.hcl", numbersWhere("n % 5 == 0"))
	if err := os.Rename(filepath.Join(d.dir, "new.hcl"), filepath.Join(d.dir, "pipeline.hcl")); err != nil {
		t.Fatal(err)
	}
	d.told("RELOADING=1")
	d.told("READY=1")
	d.feed(5, 10)
	d.delivered("2\n4\n5\n10\n")
	d.signal(syscall.SIGINT)
	d.told("STOPPING=1")
	d.exited(exitDone)
	for line := range strings.Lines(d.stderr.String()) {
		if strings.HasPrefix(line, "pipeline ran for ") {
			return
		}
		if !strings.HasPrefix(line, "{\"time\":") {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
	t.Error("no summary")
}

// TestServiceIsKilled holds that what was delivered is not lost, and what is
// delivered again has been read since the last checkpoint.
func TestServiceIsKilled(t *testing.T) {
	d := startDaemon(t, numbersWhere("true"))
	d.feed(1, 3)
	d.delivered("1\n2\n3\n")
	d.signal(syscall.SIGKILL)
	d.exited(-1)
	d.feed(4, 5)
	next := exec.Command("etl", "run", filepath.Join(d.dir, "pipeline.hcl"), "--state-dir", d.dir, "--once")
	if out, err := next.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := os.ReadFile(filepath.Join(d.dir, "pipeline", "out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	again, delivered := strings.CutPrefix(string(out), "1\n2\n3\n")
	if !delivered || !strings.HasSuffix("1\n2\n3\n4\n5\n", again) || !strings.HasSuffix(again, "4\n5\n") {
		t.Errorf("the output is\n%s", out)
	}
}

// What hangs in a system call can't be broken off: to open a named pipe that nobody writes stands for a mount that is
// gone. The second signal ends the process all the same, and says who hung.
func TestASecondSignalEndsWhatHangs(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 10 { // the signals may come before it hangs
		d := startDaemon(t, fmt.Sprintf("source \"file\" \"in\" { path = %q }\nsink \"stdout\" \"out\" { from = source.file.in }\n", name))
		time.Sleep(100 * time.Millisecond)
		d.signal(syscall.SIGTERM)
		d.told("STOPPING=1")
		_ = d.command.Process.Signal(syscall.SIGTERM) // it may have ended
		hung := time.AfterFunc(patience, func() { _ = d.command.Process.Kill() })
		_ = d.command.Wait()
		hung.Stop()
		switch d.command.ProcessState.ExitCode() {
		case exitDone:
			continue
		case exitFailed:
			if !strings.Contains(d.stderr.String(), "etl: source.file.in did not stop within 1s") {
				t.Error("it doesn't say who hung")
			}
		default:
			t.Error("it went on to hang")
		}
		return
	}
	t.Error("nothing hung")
}

// A load that waits, as a named pipe makes it, stands for the time before there is a pipeline: a signal that stops
// ends that at once and in words, one that reloads is not lost.
func TestSignalsBeforeThereIsAPipeline(t *testing.T) {
	loading := func(t *testing.T) (d *daemon, pipeline string) {
		d = newDaemon(t)
		pipeline = filepath.Join(d.dir, "pipeline.hcl")
		if err := syscall.Mkfifo(pipeline, 0o600); err != nil {
			t.Fatal(err)
		}
		d.start()
		return d, pipeline
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run("stop by "+s.String(), func(t *testing.T) {
			d, pipeline := loading(t)
			held, err := os.OpenFile(pipeline, os.O_WRONLY, 0) // waits until it is read
			if err != nil {
				t.Fatal(err)
			}
			defer held.Close()
			d.signal(s)
			d.told("STOPPING=1")
			d.exited(exitDone)
			if got := d.stderr.String(); !strings.Contains(got, "stopping: the pipeline is not loaded yet, nothing was read") || !strings.Contains(got, s.String()) {
				t.Error("it doesn't say so")
			}
			if _, err := os.Stat(filepath.Join(d.dir, "pipeline")); !os.IsNotExist(err) {
				t.Errorf("there is state: %v", err)
			}
		})
	}
	t.Run("reload", func(t *testing.T) {
		d, pipeline := loading(t)
		held, err := os.OpenFile(pipeline, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		d.signal(syscall.SIGHUP)
		if _, err := held.WriteString(numbersWhere("n % 2 == 0")); err != nil {
			t.Fatal(err)
		}
		d.write("new.hcl", numbersWhere("n % 3 == 0"))
		if err := os.Rename(filepath.Join(d.dir, "new.hcl"), pipeline); err != nil {
			t.Fatal(err)
		}
		held.Close()
		d.told("READY=1")
		d.told("RELOADING=1")
		d.told("READY=1")
		d.feed(1, 6)
		d.delivered("3\n6\n")
		d.signal(syscall.SIGTERM)
		d.told("STOPPING=1")
		d.exited(exitDone)
	})
}

// The signals are listened to before the libraries behind the components are initialised, which is most of a start.
func TestSignalsAreListenedToFirst(t *testing.T) {
	command := exec.Command("etl", "version")
	command.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	trace, err := command.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	signals := bytes.Index(trace, []byte("init github.com/wazuh-etl/etl/cmd/internal/signals @"))
	library := bytes.Index(trace, []byte("init net/http @"))
	if signals < 0 || library < signals {
		t.Errorf("the signals come at %d of the trace, net/http at %d:\n%s", signals, library, trace)
	}
}
