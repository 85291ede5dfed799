package cmd

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// screen is a pseudo terminal, and what was written to it.
type screen struct {
	master, slave *os.File

	mu   sync.Mutex
	text bytes.Buffer
}

func newScreen(t *testing.T, columns, rows uint16) *screen {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no pseudo terminals: ", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	s := &screen{master: master, slave: slave}
	s.resize(t, columns, rows)
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.text.Write(buffer[:n])
			s.mu.Unlock()
		}
	}()
	return s
}

func (s *screen) resize(t *testing.T, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
}

func (s *screen) modes(t *testing.T) unix.Termios {
	t.Helper()
	modes, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *modes
}

// shows waits until something is written, behind what was there before.
func (s *screen) shows(t *testing.T, text string) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		written := s.text.String()
		_, after, found := strings.Cut(written, text)
		if found {
			s.text.Reset()
			s.text.WriteString(after)
		}
		s.mu.Unlock()
		if found {
			return
		}
		if time.Since(start) > patience {
			t.Fatalf("the terminal does not show %q but %q", text, written)
		}
	}
}

// On a real terminal: frames, colours, changes, a resize, and the terminal as it was after each way to end it.
func TestWatchOnATerminal(t *testing.T) {
	const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	for _, c := range []struct {
		name string
		end  func(s *screen, p *os.Process) error
	}{
		{"SIGTERM", func(_ *screen, p *os.Process) error { return p.Signal(syscall.SIGTERM) }},
		{"SIGHUP", func(_ *screen, p *os.Process) error { return p.Signal(syscall.SIGHUP) }},
		{"ctrl-c", func(s *screen, _ *os.Process) error { _, err := s.master.WriteString("\x03"); return err }},
		{"q", func(s *screen, _ *os.Process) error { _, err := s.master.WriteString("q"); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "global.db")
			if err := writeAgents(name, someAgents); err != nil {
				t.Fatal(err)
			}
			s := newScreen(t, 80, 24)
			before := s.modes(t)
			command := exec.Command("etl", "watch", "agents", "--database", name, "--interval", "200ms")
			command.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=")
			command.Stdin, command.Stdout, command.Stderr = s.slave, s.slave, s.slave
			command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- command.Wait() }()
			defer func() { _ = command.Process.Kill() }()
			s.shows(t, "\x1b[?1049h\x1b[?25l\x1b[?7l")
			s.shows(t, `db-\x1b[3`) // as much as fits
			s.shows(t, "\x1b[31mdisconnected\x1b[0m")
			if s.modes(t).Lflag&unix.ECHO != 0 {
				t.Error("what is typed is shown")
			}
			if c.name == "SIGTERM" {
				if err := writeAgents(name, "UPDATE agent SET connection_status = 'active', disconnection_time = 0 WHERE id = 2"); err != nil {
					t.Fatal(err)
				}
				s.shows(t, "1 change in the last minute")
				s.resize(t, 60, 6)
				s.shows(t, "\x1b[6;1H… 3 more")
			}
			if err := c.end(s, command.Process); err != nil {
				t.Fatal(err)
			}
			s.shows(t, leave)
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Fatal("it does not end")
			}
			if got := s.modes(t); got != before {
				t.Errorf("the terminal is not as it was: %+v, before %+v", got, before)
			}
		})
	}
}

// Elsewhere it is a line for each change.
func TestWatchWritesChanges(t *testing.T) {
	name := filepath.Join(t.TempDir(), "global.db")
	if err := writeAgents(name, someAgents); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	command := exec.Command("etl", "watch", "agents", "--database", name, "--interval", "100ms")
	pipe, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = &errs
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() { // it can't be seen when the first read is done: the agent goes on coming and going
		for i := 0; ; i++ {
			status := []string{"active", "disconnected"}[i%2]
			_ = writeAgents(name, fmt.Sprintf("UPDATE agent SET connection_status = '%s', disconnection_time = %d WHERE id = 2", status, i%2*1_750_001_000))
			select {
			case <-first:
				return
			case <-time.After(300 * time.Millisecond):
			}
		}
	})
	line := make([]byte, 4096)
	n, err := pipe.Read(line)
	close(first)
	writing.Wait() // its files are removed behind the test
	if err != nil {
		t.Fatal(err, errs.String())
	}
	out.Write(line[:n])
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	if got := out.String(); !strings.Contains(got, `Z 002 db-\x1b[31m: `) || !strings.HasSuffix(got, ")\n") || errs.Len() > 0 {
		t.Errorf("%q, %q", got, errs.String())
	}
}

// Who is not of group wazuh is told so.
func TestWatchSaysWhoMayRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "global.db")
	if err := os.WriteFile(name, []byte("SQLite format 3\x00"), 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // may read everything: this thread is somebody else for a moment
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := unix.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Setfsuid(0) }()
	}
	err := readable(name, "database", "SQLite format 3\x00")
	if err == nil || !strings.HasSuffix(err.Error(), "may not be read by this user: use one of group wazuh, or root") {
		t.Error(err)
	}
}
