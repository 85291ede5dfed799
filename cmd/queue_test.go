package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A process is killed in full flight: what its queue holds then is delivered
// by the next one. While it runs, nobody may empty the queue.
func TestQueueOnDiskOutlivesAKill(t *testing.T) {
	const pipeline = `
source "generate" "in" {
  rate  = "20000/s"
  count = %d
  queue { storage = "disk" }
}
sink "file" "out" {
  from = source.generate.in
  path = "out.jsonl"
}
`
	d := startDaemon(t, fmt.Sprintf(pipeline, 1_000_000))
	state := filepath.Join(d.dir, "pipeline")
	etl := func(args ...string) (string, int) {
		c := exec.Command("etl", args...)
		c.Dir = d.dir
		c.Env = append(os.Environ(), "STATE_DIRECTORY="+d.dir)
		out, _ := c.CombinedOutput()
		return string(out), c.ProcessState.ExitCode()
	}
	out := filepath.Join(state, "out.jsonl")
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if info, err := os.Stat(out); err == nil && info.Size() > 1<<20 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing is delivered")
		}
	}
	if text, code := etl("queue", "drop", state, "--yes"); code != 1 || !strings.Contains(text, fmt.Sprint("process ", d.command.Process.Pid)) {
		t.Errorf("drop while the pipeline runs: exit code %d, %s", code, text)
	}
	d.command.Process.Kill()
	d.command.Wait()
	held, code := etl("queue", "export", state)
	if code != 0 || strings.Count(held, "\n") < 100 {
		t.Fatalf("export: exit code %d, %d lines", code, strings.Count(held, "\n"))
	}
	d.write("pipeline.hcl", fmt.Sprintf(pipeline, 10))
	if text, code := etl("run", "pipeline.hcl"); code != 0 || strings.Contains(text, "missing") {
		t.Fatalf("the next run: exit code %d, %s", code, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	delivered := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		delivered[line] = true
	}
	for line := range strings.Lines(held) {
		if !delivered[line] {
			t.Fatalf("lost: %s", line)
		}
	}
}
