//go:build failpoints

package cmd

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/failpoint"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

// scenario is a pipeline under load, and the failpoints that it comes by.
type scenario struct {
	name string
	// deaths are values of ETL_FAILPOINT, one for each walk; the process has to die at the first point of each.
	deaths   []string
	pipeline string // %s is $DIR, and from the second on what setup gives
	// setup prepares a walk; what it gives goes into the pipeline.
	setup func(w *walk) []any
	// warm says at which points the process has to find something of a run before.
	warm func(w *walk, point string)
	// drive is done over and over until the process is dead.
	drive func(w *walk)
	// arrived is what the target has, in order, while nobody runs.
	arrived func(w *walk) []string
	// refused, if there is one, is what another place has of what the target refused: in no order with the rest.
	refused func(w *walk) []string
	sink    string // whose checkpoint bounds what comes twice; empty: nothing may
	line    string // %06d is the number
	stdin   bool
	most    int // lines
	burst   int // lines written at a time; 0: 20
}

// TestFailpoints kills the process at each failpoint of the program while alerts are
// written, starts it again, and compares what has arrived with what was written: nothing lost, nothing that was not
// written, order kept, and twice only what was delivered behind the last checkpoint. A point that no
// scenario knows, and one that is not passed, is a failure.
//
//	go test -tags failpoints ./cmd -run TestFailpoints/reload -v
func TestFailpoints(t *testing.T) {
	var counts totals
	walked := map[string]bool{}
	t.Run("all", func(t *testing.T) {
		for _, s := range scenarios {
			for i, death := range s.deaths {
				point, _, _ := strings.Cut(death, ":")
				walked[point] = true
				t.Run(fmt.Sprintf("%s/%d-%s", s.name, i, point), func(t *testing.T) {
					t.Parallel()
					(&walk{T: t, scenario: s, death: death, totals: &counts}).run()
				})
			}
		}
	})
	for _, name := range failpoint.Names() {
		if !walked[name] {
			t.Errorf("no scenario walks over %s", name)
		}
	}
	t.Logf("%d points, %d kills, %d alerts: lost %d, phantom %d, reordered %d, twice %d (at most %d)", len(walked), counts.kills.Load(),
		counts.written.Load(), counts.lost.Load(), counts.phantom.Load(), counts.reordered.Load(), counts.twice.Load(), counts.bound.Load())
}

// totals are over all walks.
type totals struct{ kills, written, lost, phantom, reordered, twice, bound atomic.Int64 }

// walk is one process that is killed at one point, and those before and behind it.
type walk struct {
	*testing.T
	scenario
	death  string
	totals *totals

	dir     string
	values  []any // of the pipeline
	log     *os.File
	process *exec.Cmd
	dead    chan struct{}
	killed  atomic.Bool
	input   *os.File
	written int
	edits   int
}

func (w *walk) run() {
	dir, err := os.MkdirTemp("", "etl") // a socket's name is short
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { os.RemoveAll(dir) })
	w.dir = dir
	if w.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if w.process != nil {
			_ = w.process.Process.Kill()
			<-w.dead
		}
		if w.Failed() {
			text, _ := os.ReadFile(w.log.Name())
			w.Logf("%s:\n%s", w.death, text[max(0, len(text)-6000):])
		}
		w.log.Close()
	})
	if w.setup != nil {
		w.values = w.setup(w)
	}
	w.configure()
	if !w.stdin {
		if w.input, err = os.Create(filepath.Join(dir, "in.jsonl")); err != nil {
			w.Fatal(err)
		}
		defer w.input.Close()
	}
	point, _, _ := strings.Cut(w.death, ":")
	if w.warm != nil {
		w.warm(w, point)
	}
	before := len(w.arrived(w))
	w.start(w.death)
	w.feed()
	if status := w.process.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		w.Fatalf("the process did not come by %s: it ended with %v", w.death, w.process.ProcessState)
	}
	w.totals.kills.Add(1)
	w.killed.Store(true)
	w.process = nil
	w.judge(before)
}

// configure writes the pipeline file.
func (w *walk) configure() {
	text := fmt.Sprintf(w.pipeline, append([]any{w.dir}, w.values...)...)
	text = strings.ReplaceAll(text, "EDIT", strconv.Itoa(100+w.edits))
	if err := os.WriteFile(filepath.Join(w.dir, "pipeline.hcl"), []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
}

// start runs the pipeline; with no failpoint it is run to the end of its input.
func (w *walk) start(failpoints string) {
	w.Helper()
	args := []string{"run", filepath.Join(w.dir, "pipeline.hcl"), "--state-dir", w.dir}
	if failpoints == "" {
		args = append(args, "--once")
	}
	w.process = exec.Command("etl", args...)
	w.process.Env = append(os.Environ(), "ETL_FAILPOINT="+failpoints)
	w.process.Stdout, w.process.Stderr = w.log, w.log
	if w.stdin {
		r, input, err := os.Pipe()
		if err != nil {
			w.Fatal(err)
		}
		defer r.Close()
		w.process.Stdin, w.input = r, input
		if failpoints == "" {
			input.Close()
		}
	}
	if err := w.process.Start(); err != nil {
		w.Fatal(err)
	}
	w.dead = make(chan struct{})
	go func(c *exec.Cmd, dead chan struct{}) {
		defer close(dead)
		_ = c.Wait()
	}(w.process, w.dead)
}

// finish wants the process to end well.
func (w *walk) finish() {
	w.Helper()
	select {
	case <-w.dead:
	case <-time.After(time.Minute):
		_ = w.process.Process.Signal(syscall.SIGQUIT)
		<-w.dead
		w.Fatal("the process does not come to its end")
	}
	if code := w.process.ProcessState.ExitCode(); code != 0 {
		w.Fatalf("exit code %d", code)
	}
	w.process = nil
}

// write appends n lines.
func (w *walk) write(n int) {
	var b bytes.Buffer
	for range n {
		fmt.Fprintf(&b, w.line+"\n", w.written)
		w.written++
	}
	if _, err := w.input.Write(b.Bytes()); err != nil && !w.stdin {
		w.Error(err)
	}
}

// feed appends lines until the process is dead, and some more.
func (w *walk) feed() {
	var driving sync.WaitGroup
	if w.drive != nil {
		driving.Go(func() {
			for !w.over(0) {
				w.drive(w)
			}
		})
	}
	for end := time.Now().Add(2 * time.Minute); !w.over(5 * time.Millisecond); {
		if w.written < w.most {
			w.write(cmp.Or(w.burst, 20))
		}
		if time.Now().After(end) {
			_ = w.process.Process.Signal(syscall.SIGTERM)
			<-w.dead
		}
	}
	driving.Wait()
	if !w.stdin {
		w.write(200)
	}
}

// over says whether the process is dead, or will be after so long.
func (w *walk) over(wait time.Duration) bool {
	select {
	case <-w.dead:
		return true
	case <-time.After(wait):
		return false
	}
}

// judge runs the pipeline to its end, and compares. before is what had arrived before the walk.
func (w *walk) judge(before int) {
	w.Helper()
	killed := w.numbers(w.arrived)
	bound := len(killed) - distinct(killed)
	if w.sink != "" {
		stored := w.stored()
		again := killed
		if w.refused != nil {
			again = w.numbers(w.refused)
		}
		for _, n := range again {
			if n >= stored {
				bound++
			}
		}
	}
	known := w.kept()
	w.start("")
	w.finish()
	got := w.numbers(w.arrived)
	seen := map[int]bool{}
	highest, phantom, reordered := -1, 0, 0
	for _, n := range got {
		switch {
		case n < 0 || n >= w.written:
			phantom++
		case seen[n]:
		default:
			if n < highest {
				reordered++
			}
			highest = max(highest, n)
			seen[n] = true
		}
	}
	if w.refused != nil {
		refused := w.numbers(w.refused)
		for _, n := range refused {
			seen[n] = true
		}
		got = append(got, refused...)
	}
	want := w.written
	if w.stdin { // what nobody has taken from it is the writer's
		want = highest + 1
	}
	lost := want - len(seen)
	for _, n := range known {
		if !seen[n] {
			lost++
		}
	}
	twice := len(got) - phantom - len(seen)
	w.totals.written.Add(int64(want))
	w.totals.lost.Add(int64(lost))
	w.totals.phantom.Add(int64(phantom))
	w.totals.reordered.Add(int64(reordered))
	w.totals.twice.Add(int64(twice))
	w.totals.bound.Add(int64(bound))
	if lost > 0 || phantom > 0 || reordered > 0 || twice > bound {
		w.Errorf("of %d alerts %d are lost, %d phantom, %d reordered, %d there twice, at most %d (%d had arrived before, %d at the kill)",
			want, lost, phantom, reordered, twice, bound, before, len(killed))
	}
}

func distinct(numbers []int) int {
	return len(slices.Compact(slices.Sorted(slices.Values(numbers))))
}

var lineNumber = regexp.MustCompile(`n\\?":\\?"([0-9]{6})`)

// numbers are those that have arrived; -1 is what none of the lines is.
func (w *walk) numbers(arrived func(*walk) []string) (list []int) {
	w.Helper()
	for _, line := range arrived(w) {
		list = append(list, numberOf(line))
	}
	return list
}

func numberOf(line string) int {
	m := lineNumber.FindStringSubmatch(line)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// stored is the number of the line that the sink's checkpoint stands at.
func (w *walk) stored() int {
	d, _, err := state.Look(world.OS().FS, filepath.Join(w.dir, "pipeline"), "pipeline")
	if err != nil {
		return 0
	}
	if w.stdin {
		return w.storedInQueue(d)
	}
	p := d.Checkpoints("source.file.in")[w.sink]
	return int(p.Offset) / (len(fmt.Sprintf(w.line, 0)) + 1)
}

// command runs etl to its end and gives what it prints.
func (w *walk) command(args ...string) string {
	w.Helper()
	c := exec.Command("etl", args...)
	c.Dir = w.dir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		w.Fatalf("etl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
