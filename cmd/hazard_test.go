package cmd

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patient is a pipeline from file to file whose state directory is harmed. What
// it delivers lies elsewhere.
type patient struct {
	*testing.T
	dir, state, out string
	written         int
	environment     []string
	log             *os.File
	process         *exec.Cmd
}

func newPatient(t *testing.T) *patient {
	p := &patient{T: t, dir: t.TempDir()}
	p.state, p.out = filepath.Join(p.dir, "state", "pipeline"), filepath.Join(p.dir, "out.jsonl")
	p.pipeline(fmt.Sprintf(`
source "file" "in" { path = "in.jsonl" }
sink "file" "out" {
  from    = source.file.in
  path    = %q
  payload = "{{ n }}"
}
`, p.out))
	var err error
	if p.log, err = os.Create(filepath.Join(p.dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.process != nil {
			_ = p.process.Process.Kill()
			_ = p.process.Wait()
		}
		if t.Failed() {
			t.Logf("etl said:\n%s", p.said())
		}
		p.log.Close()
	})
	return p
}

func (p *patient) pipeline(text string) {
	p.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "pipeline.hcl"), []byte(text), 0o644); err != nil {
		p.Fatal(err)
	}
}

// feed appends lines, and one that is no JSON if so wanted.
func (p *patient) feed(n int, bad bool) {
	p.Helper()
	f, err := os.OpenFile(filepath.Join(p.dir, "in.jsonl"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	for range n {
		fmt.Fprintf(f, "{\"n\":%d}\n", p.written)
		p.written++
	}
	if bad {
		fmt.Fprintf(f, "no JSON %d %s\n", p.written, strings.Repeat("x", 9000))
	}
}

func (p *patient) start(more ...string) {
	p.Helper()
	p.process = exec.Command("etl", append([]string{"run", filepath.Join(p.dir, "pipeline.hcl"), "--state-dir", filepath.Dir(p.state)}, more...)...)
	p.process.Stdout, p.process.Stderr = p.log, p.log
	p.process.Env = append(os.Environ(), p.environment...)
	if err := p.process.Start(); err != nil {
		p.Fatal(err)
	}
}

// ends wants the process to end with an exit code.
func (p *patient) ends(code int) {
	p.Helper()
	timer := time.AfterFunc(time.Minute, func() { _ = p.process.Process.Signal(syscall.SIGQUIT) })
	defer timer.Stop()
	_ = p.process.Wait()
	if got := p.process.ProcessState.ExitCode(); got != code {
		p.Fatalf("exit code %d, want %d", got, code)
	}
	p.process = nil
}

func (p *patient) stop() {
	p.Helper()
	_ = p.process.Process.Signal(syscall.SIGTERM)
	p.ends(exitDone)
}

func (p *patient) said() string {
	text, _ := os.ReadFile(p.log.Name())
	return string(text)
}

// until waits for something.
func (p *patient) until(what string, is func() bool) {
	p.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("in vain waited for: %s", what)
		}
	}
}

func (p *patient) says(text string) {
	p.Helper()
	p.until("the log says "+text, func() bool { return strings.Contains(p.said(), text) })
}

func (p *patient) delivered() int {
	text, _ := os.ReadFile(p.out)
	return bytes.Count(text, []byte("\n"))
}

// checkpointed waits until the position of all that was fed is stored.
func (p *patient) checkpointed() {
	p.Helper()
	info, err := os.Stat(filepath.Join(p.dir, "in.jsonl"))
	if err != nil {
		p.Fatal(err)
	}
	want := fmt.Sprintf(`"offset": %d`, info.Size())
	p.until("a checkpoint at "+want, func() bool {
		for _, slot := range []string{"a", "b"} {
			if text, _ := os.ReadFile(filepath.Join(p.state, "checkpoints."+slot)); bytes.Contains(text, []byte(want)) {
				return true
			}
		}
		return false
	})
}

// wants wants the numbers from 0 on, in order, after the first again of them once more.
func (p *patient) wants(again int) {
	p.Helper()
	text, err := os.ReadFile(p.out)
	if err != nil {
		p.Fatal(err)
	}
	var want strings.Builder
	for n := range again {
		fmt.Fprintln(&want, n)
	}
	for n := range p.written {
		fmt.Fprintln(&want, n)
	}
	if string(text) != want.String() {
		p.Errorf("%d lines are there, want %d, %d of them twice", bytes.Count(text, []byte("\n")), p.written+again, again)
	}
}

// eachFile does something with each file of the state, but for the lock of who runs.
func (p *patient) eachFile(do func(name string) error) {
	p.Helper()
	n := 0
	err := filepath.WalkDir(p.state, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "lock" {
			return err
		}
		n++
		return do(name)
	})
	if err != nil || n < 4 {
		p.Fatalf("%d files: %v", n, err)
	}
}

var harms = map[string]func(p *patient){
	"deleted": func(p *patient) {
		if err := os.RemoveAll(p.state); err != nil {
			p.Fatal(err)
		}
	},
	"emptied": func(p *patient) {
		p.eachFile(func(name string) error { return os.Truncate(name, 0) })
	},
	"garbage": func(p *patient) {
		p.eachFile(func(name string) error {
			garbage := make([]byte, 5000)
			_, _ = rand.Read(garbage)
			return os.WriteFile(name, garbage, 0o640)
		})
	},
}

// Before a start: each source begins where its start_at says, and that is said
// where something damaged is there; the start after that goes on as if nothing had been.
func TestHarmedStateBeforeTheStart(t *testing.T) {
	for what, harm := range harms {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			p.feed(100, true)
			p.start("--once")
			p.ends(exitDone)
			harm(p)
			p.feed(100, false)
			p.start("--once")
			p.ends(exitDone)
			p.wants(100)
			said := p.said()
			for _, text := range []string{"are damaged: every source starts where its start_at says", "what source.file.in keeps in"} {
				if strings.Contains(said, text) != (what != "deleted") {
					t.Errorf("the log says %q: %v", text, what == "deleted")
				}
			}
			p.feed(100, false)
			p.start("--once")
			p.ends(exitDone)
			p.wants(100)
			if more := strings.TrimPrefix(p.said(), said); strings.Contains(more, "damaged") {
				t.Errorf("it is said again: %s", more)
			}
		})
	}
}

// While it is used: the process goes on, stores what it knows again, and
// nothing comes twice.
func TestHarmedStateWhileItIsUsed(t *testing.T) {
	for what, harm := range harms {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			p.feed(100, true)
			p.start()
			p.until("100 lines", func() bool { return p.delivered() == 100 })
			p.checkpointed()
			harm(p)
			p.feed(100, true)
			p.until("200 lines", func() bool { return p.delivered() == 200 })
			p.checkpointed()
			p.feed(100, false)
			p.stop()
			p.start("--once")
			p.ends(exitDone)
			p.wants(0)
			if strings.Contains(p.said(), "checkpoints in") {
				t.Error("the next start found the checkpoints damaged")
			}
			if text, err := os.ReadFile(filepath.Join(p.state, "dead_letters.jsonl")); err != nil || !bytes.Contains(text, []byte("no JSON 200")) {
				t.Errorf("what failed since is not in the dead letters: %v", err)
			}
		})
	}
}

// small puts the state on a file system of half a megabyte.
func (p *patient) small() {
	p.Helper()
	if err := os.MkdirAll(p.state, 0o750); err != nil {
		p.Fatal(err)
	}
	if err := syscall.Mount("etl-test", p.state, "tmpfs", 0, "size=512k"); err != nil {
		p.Skipf("a file system can't be mounted here: %v", err)
	}
	p.Cleanup(func() {
		if err := syscall.Unmount(p.state, syscall.MNT_DETACH); err != nil {
			p.Error(err)
		}
	})
}

// fill leaves no room on it.
func (p *patient) fill() (empty func()) {
	p.Helper()
	name := filepath.Join(p.state, "somebody else's")
	f, err := os.Create(name)
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	return func() { os.Remove(name) }
}

func (p *patient) readOnly(yes bool) {
	p.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if yes {
		flags |= syscall.MS_RDONLY
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		err := syscall.Mount("etl-test", p.state, "tmpfs", flags, "size=512k")
		if err == nil {
			return
		}
		if err != syscall.EBUSY || time.Now().After(end) { // busy: a file is open for writing
			p.Fatal(err)
		}
	}
}

// The state's disk is full: positions are stored all the same, dead letters wait and that is
// said, a start works, and all goes on when there is room.
func TestFullDiskOfTheState(t *testing.T) {
	p := newPatient(t)
	p.small()
	p.feed(100, true)
	p.start()
	p.until("100 lines", func() bool { return p.delivered() == 100 })
	p.checkpointed()
	empty := p.fill()
	p.feed(100, false)
	p.until("200 lines", func() bool { return p.delivered() == 200 })
	p.checkpointed()
	p.feed(100, true)
	p.says("no space left on device")
	if said := p.said(); strings.Contains(said, "checkpoints can't be stored") || strings.Contains(said, "no room for checkpoints") {
		t.Error("positions are not stored")
	}
	empty()
	p.until("the dead letter", func() bool {
		text, _ := os.ReadFile(filepath.Join(p.state, "dead_letters.jsonl"))
		return bytes.Contains(text, []byte("no JSON 300"))
	})
	p.until("300 lines", func() bool { return p.delivered() == 300 })
	p.stop()
	empty = p.fill()
	p.feed(100, false)
	p.start("--once")
	p.ends(exitDone)
	empty()
	p.wants(0)
}

// The disk is full before the state is there: that is said, and it waits for room.
func TestFullDiskAtTheFirstStart(t *testing.T) {
	p := newPatient(t)
	p.small()
	empty := p.fill()
	p.feed(100, false)
	p.start()
	p.says("there is no room for checkpoints")
	p.says("storing where reading began")
	empty()
	p.until("100 lines", func() bool { return p.delivered() == 100 })
	p.checkpointed()
	p.feed(100, false)
	p.stop()
	p.start("--once")
	p.ends(exitDone)
	p.wants(0)
}

// A file system that turns read-only is said once, and positions are stored
// again when it is writable; a start on one is refused with the reason.
func TestReadOnlyState(t *testing.T) {
	p := newPatient(t)
	p.small()
	p.feed(100, false)
	p.start()
	p.until("100 lines", func() bool { return p.delivered() == 100 })
	p.checkpointed()
	_ = p.process.Process.Signal(syscall.SIGTERM)
	p.ends(exitDone)
	p.readOnly(true)
	p.start()
	p.ends(exitConfiguration)
	if !strings.Contains(p.said(), "read-only file system") {
		t.Error("the reason is not said")
	}
	p.readOnly(false)
	p.feed(100, false)
	p.start("--once")
	p.ends(exitDone)
	p.wants(0)
}

// The queue on disk of a source that can't be asked again: a full disk makes the source wait.
func TestFullDiskOfTheQueue(t *testing.T) {
	p := newPatient(t)
	p.small()
	p.pipeline(fmt.Sprintf(`
source "stdin" "in" {
  queue { storage = "disk" }
}
sink "file" "out" {
  from    = source.stdin.in
  path    = %q
  payload = "{{ n }}"
}
`, p.out))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	feed := func(n int) {
		for range n {
			fmt.Fprintf(w, "{\"n\":%d}\n", p.written)
			p.written++
		}
	}
	p.process = exec.Command("etl", "run", filepath.Join(p.dir, "pipeline.hcl"), "--state-dir", filepath.Dir(p.state))
	p.process.Stdin, p.process.Stdout, p.process.Stderr = r, p.log, p.log
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	feed(100)
	p.until("100 lines", func() bool { return p.delivered() == 100 })
	empty := p.fill()
	for range 20 {
		feed(50)
	}
	p.says("the queue can't be written: the source waits")
	if got := p.delivered(); got >= p.written {
		t.Errorf("%d lines are delivered, %d written", got, p.written)
	}
	empty()
	p.says("the queue is written again")
	w.Close()
	p.ends(exitDone)
	p.wants(0)
}
