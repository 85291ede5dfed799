package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/builtin"
)

// receiver counts the numbered datagrams that come to a Unix socket.
type receiver struct {
	mu     sync.Mutex
	counts map[int]int
	total  int
}

var numbered = regexp.MustCompile(`"n":([0-9]+)`)

func receive(t *testing.T, path string) *receiver {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{counts: map[int]int{}}
	var done sync.WaitGroup
	done.Go(func() {
		buffer := make([]byte, 1<<17)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if m := numbered.FindSubmatch(buffer[:n]); m != nil {
				k, _ := strconv.Atoi(string(m[1]))
				r.mu.Lock()
				r.counts[k]++
				r.total++
				r.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() { conn.Close(); done.Wait() })
	return r
}

func (r *receiver) got() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

// A replay that is killed again and again loses nothing; what comes twice was
// in flight.
func TestReplayKilledInTheMiddle(t *testing.T) {
	const events, inFlight = 20_000, 500
	dir, err := os.MkdirTemp("", "dl") // a socket's name is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	letters := filepath.Join(dir, "state", "p", "dead_letters.jsonl")
	if err := os.MkdirAll(filepath.Dir(letters), 0o750); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for i := range events {
		raw, err := json.Marshal(fmt.Sprintf(`{"n":%d}`, i))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, `{"time":"2026-01-01T00:00:00Z","id":"ab@%d","source":"source.file.in","component":"sink.wazuh.out","code":"c","message":"m","generation":"ab","offset":%d,"received":"2026-01-01T00:00:00Z","raw":%s}`+"\n", i, i, raw)
		if i == events/2 {
			if err := os.WriteFile(letters+".1", text.Bytes(), 0o640); err != nil {
				t.Fatal(err)
			}
			text.Reset()
		}
	}
	if err := os.WriteFile(letters, text.Bytes(), 0o640); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "queue")
	pipeline := filepath.Join(dir, "p.hcl")
	err = os.WriteFile(pipeline, fmt.Appendf(nil, `source "file" "in" { path = "in.jsonl" }
sink "wazuh" "out" {
  from    = source.file.in
  socket  = %q
  payload = "1:x:{{ json(event) }}"
}
`, socket), 0o640)
	if err != nil {
		t.Fatal(err)
	}
	r := receive(t, socket)

	kills := 0
	for range 12 {
		cmd := exec.Command("etl", "dead-letter", "replay", pipeline, "--state-dir", filepath.Join(dir, "state"))
		var said bytes.Buffer
		cmd.Stderr = &said
		before := r.got()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		killed := false
		for over := false; !over; {
			select {
			case err := <-ended:
				over = true
				if !killed && err != nil {
					t.Fatalf("%v: %s", err, said.String())
				}
			case <-time.After(time.Millisecond):
				if !killed && kills < 8 && r.got() > before+1000 {
					killed = true
					kills++
					_ = cmd.Process.Kill()
				}
			}
		}
		if !killed {
			break
		}
	}
	deadline := time.Now().Add(time.Minute)
	for len(r.seen()) < events && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := len(r.seen()); n != events {
		t.Errorf("lost: %d of %d events came", n, events)
	}
	if twice := r.got() - events; twice > kills*inFlight {
		t.Errorf("%d came twice over %d kills, more than %d in flight each", twice, kills, inFlight)
	}
	if kills == 0 {
		t.Error("nothing was killed in the middle")
	}
	for _, name := range []string{letters, letters + ".1"} {
		if b, err := os.ReadFile(name); err == nil && len(b) > 0 {
			t.Errorf("%s has %d bytes left", name, len(b))
		}
	}
	t.Logf("%d kills: %d of %d came twice", kills, r.got()-events, events)
}

func (r *receiver) seen() map[int]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := make(map[int]int, len(r.counts))
	for k, n := range r.counts {
		seen[k] = n
	}
	return seen
}

// While a pipeline runs, its state can be looked at and not changed; the error
// says who has it.
func TestARunningPipelineKeepsItsState(t *testing.T) {
	dir := t.TempDir()
	pipeline := filepath.Join(dir, "p.hcl")
	err := os.WriteFile(pipeline, []byte(`source "file" "in" { path = "in.jsonl" }
sink "blackhole" "out" { from = source.file.in }
`), 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in.jsonl"), []byte("{\"n\":1}\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	cmd := exec.Command("etl", "run", pipeline, "--state-dir", state)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "state is kept") {
	}
	go func() {
		for lines.Scan() {
		}
	}()
	pid := strconv.Itoa(cmd.Process.Pid)
	etl := func(want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		args = append(args, "--state-dir", state)
		code := execute(context.Background(), builtin.Specs(), args, strings.NewReader(""), &stdout, &stderr)
		if code != want {
			t.Errorf("%s: exit code %d, want %d: %s", strings.Join(args, " "), code, want, stderr.String())
		}
		return stdout.String() + stderr.String()
	}
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{exitDone, []string{"state", "ls", pipeline}, "in use by process " + pid},
		{exitDone, []string{"state", "set", pipeline, "source.file.in", "end"}, "nothing was changed"},
		{exitConfiguration, []string{"state", "set", pipeline, "source.file.in", "end", "--yes"}, "in use by process " + pid},
		{exitConfiguration, []string{"state", "import", pipeline, "--from", "wazuh-dfn", "end", "--yes"}, "in use by process " + pid},
		{exitDone, []string{"dead-letter", "ls", pipeline}, "0 records"},
		{exitDone, []string{"dead-letter", "replay", pipeline, "--dry-run"}, "0 chosen"},
		{exitConfiguration, []string{"dead-letter", "replay", pipeline}, "in use by process " + pid},
	} {
		if got := etl(c.code, c.args...); !strings.Contains(got, c.want) {
			t.Errorf("%s says %q, want %q", strings.Join(c.args, " "), got, c.want)
		}
	}
}
