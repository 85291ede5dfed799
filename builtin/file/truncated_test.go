package file

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// truncate cuts a file to nothing.
func (r *rig) truncate(name string) {
	r.t.Helper()
	f, err := r.files.OpenFile(name, os.O_WRONLY, 0)
	r.must(err)
	r.must(f.Truncate(0))
	r.must(f.Close())
}

// restart makes what is started next another process.
func (r *rig) restart() { r.out, r.source = &collector{}, sourceAt(alerts) }

// What was written between the copy and the truncation while nobody looked is in neither: that there was a truncation
// is told, once.
func TestUnwatchedTruncationIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		before, lost string // in the file when it was seen last, and written behind its copy
		copied, cut  bool
		running      bool
		want         int
	}{
		"down":                             {lines(0, 2), line(2), true, true, false, 1},
		"down, empty to empty":             {"", line(2), true, true, false, 1},
		"down, empty to empty, no copy":    {"", line(2), false, true, false, 1},
		"running, empty to empty":          {"", line(2), true, true, true, 1},
		"running, empty to empty, no copy": {"", line(2), false, true, true, 1},
		"down, nothing happened":           {lines(0, 2), "", false, false, false, 0},
		"down, nothing happened, empty":    {"", "", false, false, false, 0},
		"running, nothing happened":        {"", "", false, false, true, 0},
		"down, a copy and nothing is cut":  {lines(0, 2), "", true, false, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.append(alerts, c.before)
				r.start()
				time.Sleep(time.Second)
				from, seen := r.out.positions, len(r.out.got())
				r.files.Blind(true) // nothing is seen of what happens at once
				if !c.running {
					r.stop()
					r.restart()
				}
				if c.copied {
					r.append(alerts+".1", c.before)
				}
				if c.cut {
					r.append(alerts, c.lost)
					r.truncate(alerts)
				}
				time.Sleep(time.Second)
				for range 2 {
					if !c.running {
						r.start(from[max(0, len(from)-1):]...)
					}
					time.Sleep(time.Second)
					r.append(alerts, lines(seen+3, seen+5))
					time.Sleep(time.Second)
					if !c.running {
						r.stop()
					}
					seen, from = seen+2, append(from, r.out.last)
				}
				if c.running {
					r.stop()
				}
				if n := strings.Count(r.log.String(), "the file was truncated while nobody read it"); n != c.want {
					t.Errorf("told %d times:\n%s", n, r.log.String())
				}
				if gaps, _ := r.source.Missed(); gaps != 0 {
					t.Errorf("%d gaps:\n%s", gaps, r.log.String())
				}
			})
		})
	}
}
