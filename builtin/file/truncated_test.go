package file

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

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
			onRig(t, func(t *testing.T, r *rig) {
				r.append(alerts, c.before)
				r.start()
				time.Sleep(time.Second)
				synctest.Wait()
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
					synctest.Wait()
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
				r.wantGaps(0)
			})
		})
	}
}

// A file that is copied and truncated every night is one line a night, which wakes nobody and says what to change; if bytes
// are known to be gone the line is a warning, and has them.
func TestACopyIsOneLine(t *testing.T) {
	told := func(r *rig) (lines []string) {
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, "truncat") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	t.Run("nothing is known to be gone", func(t *testing.T) {
		onRig(t, func(t *testing.T, r *rig) {
			w := newWriter(t, r.files, alerts, "copytruncate")
			w.lines(3)
			r.start()
			for range 5 {
				time.Sleep(time.Second)
				w.rotate()
				time.Sleep(time.Second)
				w.lines(3)
			}
			r.finish()
			wantNumbers(t, r.out.got(), 0, w.next)
			lines := told(r)
			for _, line := range lines {
				if !strings.Contains(line, "level=INFO") || !strings.Contains(line, "logrotate: create, not copytruncate") {
					t.Errorf("told %s", line)
				}
			}
			if len(lines) != 5 {
				t.Errorf("%d lines for 5 rotations:\n%s", len(lines), r.log.String())
			}
		})
	})
	t.Run("some is seen and in no copy", func(t *testing.T) {
		onRig(t, func(t *testing.T, r *rig) {
			const all, copied, size = 40, 30, 100_000 // more than one read takes
			text := func(from, to int) string {
				var b strings.Builder
				for n := from; n < to; n++ {
					fmt.Fprintf(&b, "{\"n\":%d,\"p\":\"%*s\"}\n", n, size-len(fmt.Sprint(n))-14, "")
				}
				return b.String()
			}
			r.append(alerts, text(0, all))
			r.out = &collector{hold: make(chan struct{}, 2*all)}
			r.start()
			time.Sleep(time.Second)
			r.append(alerts+".1", text(0, copied))
			r.truncate(alerts)
			r.append(alerts, text(all, all+3))
			close(r.out.hold)
			r.finish()
			if got := strings.Join(r.out.got(), ""); strings.ReplaceAll(got, "\n", "") != strings.ReplaceAll(text(0, copied)+text(all, all+3), "\n", "") {
				t.Errorf("%d lines, or others", len(r.out.got()))
			}
			if lines := told(r); len(lines) != 1 || !strings.Contains(lines[0], "level=WARN") {
				t.Errorf("told %q", lines)
			}
			r.wantGaps(1, fmt.Sprintf("from=%d to=%d", copied*size, all*size))
		})
	})
}

// A file is copied and truncated, and the copy compressed at once, while it is read, or waits to be.
func TestCopiedTruncatedAndCompressed(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			onRig(t, func(t *testing.T, r *rig) {
				random := rand.New(rand.NewPCG(seed, 5))
				some := func(most int) { time.Sleep(time.Duration(random.IntN(most)) * time.Millisecond) }
				r.files.Blind(random.IntN(2) == 0)
				next := 0
				write := func(n int) { r.append(alerts, lines(next, next+n)); next += n }
				write(300)
				if random.IntN(2) == 0 {
					r.out.hold = make(chan struct{}, 100)
				}
				r.start()
				time.Sleep(time.Second)
				for range 3 {
					write(300)
					some(400)
					for n := 9; n > 0; n-- {
						_ = r.files.Rename(fmt.Sprintf("%s.%d.gz", alerts, n), fmt.Sprintf("%s.%d.gz", alerts, n+1))
					}
					text, err := r.files.ReadFile(alerts)
					r.must(err)
					r.append(alerts+".1", string(text))
					r.truncate(alerts)
					some(100)
					packed := zipped(text)
					for len(packed) > 0 {
						n := min(len(packed), 1+random.IntN(len(packed)))
						r.append(alerts+".1.gz", string(packed[:n]))
						packed = packed[n:]
						some(100)
					}
					r.must(r.files.Remove(alerts + ".1"))
					some(600)
				}
				write(10)
				if r.out.hold != nil {
					close(r.out.hold)
				}
				time.Sleep(5 * time.Second)
				r.stop()
				wantNumbers(t, r.out.got(), 0, next)
				wantUnique(t, r.out.ids)
				r.wantGaps(0)
			})
		})
	}
}

// A copy that gets its name when the file is truncated already is no gap.
func TestCopyComesBehindTheTruncation(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 3))
		r.start()
		time.Sleep(time.Second)
		r.files.Blind(true)
		r.append(alerts, lines(3, 6))
		r.append("/logs/being-made", lines(0, 6))
		r.truncate(alerts)
		r.append(alerts, lines(6, 8))
		time.Sleep(100 * time.Millisecond)
		r.must(r.files.Rename("/logs/being-made", alerts+".1"))
		r.finish()
		wantNumbers(t, r.out.got(), 0, 8)
		r.wantGaps(0)
	})
}

// A file is copied and truncated again and again, within moments.
func TestTruncationsInARow(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			onRig(t, func(t *testing.T, r *rig) {
				random := rand.New(rand.NewPCG(seed, 5))
				r.files.Blind(random.IntN(2) == 0)
				if random.IntN(2) == 0 {
					r.out.hold = make(chan struct{}, 100)
				}
				w := newWriter(t, r.files, alerts, "copytruncate")
				w.write(3, random)
				r.start()
				time.Sleep(time.Second)
				for range 4 {
					w.write(random.IntN(5), random)
					time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
					w.rotate()
					time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
				}
				w.write(3, random)
				if r.out.hold != nil {
					close(r.out.hold)
				}
				time.Sleep(5 * time.Second)
				r.stop()
				wantNumbers(t, r.out.got(), 0, w.next)
				wantUnique(t, r.out.ids)
				r.wantGaps(0)
			})
		})
	}
}

// What a file holds behind a truncation begins as it did before, and is longer: that it was shorter meanwhile was seen, while
// the target was slow.
func TestTruncatedFileBeginsAsBefore(t *testing.T) {
	for _, copied := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			head := `{"head":"` + strings.Repeat("x", headWindow) + `"}` + "\n"
			r := newRig(t)
			r.append(alerts, head+lines(0, 3))
			r.out.hold = make(chan struct{}, 100)
			r.start()
			time.Sleep(time.Second)
			r.append(alerts, lines(3, 6))
			time.Sleep(time.Second)
			if copied {
				r.append(alerts+".1", head+lines(0, 6))
			}
			r.truncate(alerts)
			time.Sleep(time.Second)
			r.append(alerts, head+lines(6, 20))
			time.Sleep(time.Second)
			close(r.out.hold)
			time.Sleep(2 * time.Second)
			r.stop()
			got := slices.DeleteFunc(r.out.got(), func(l string) bool { return l+"\n" == head })
			gaps, _ := r.source.Missed()
			if copied {
				wantNumbers(t, got, 0, 20)
			} else {
				wantNumbers(t, got[:3], 0, 3)
				wantNumbers(t, got[3:], 6, 20)
			}
			if want := map[bool]int64{true: 0, false: 1}[copied]; gaps != want {
				t.Errorf("%d gaps:\n%s", gaps, r.log.String())
			}
			wantUnique(t, r.out.ids)
		})
	}
}

// A file that was empty when it was found is written to and truncated, without a copy, while the target is slow: a gap.
func TestWaitingEmptyFileIsTruncated(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 2))
		r.out.hold = make(chan struct{}, 100)
		r.start()
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, "")
		time.Sleep(time.Second)
		r.append(alerts, lines(2, 4))
		time.Sleep(time.Second)
		r.truncate(alerts)
		r.append(alerts, lines(5, 6))
		time.Sleep(time.Second)
		close(r.out.hold)
		r.finish()
		r.want(line(0), line(1), line(5))
		r.wantGaps(1)
	})
}

// A file that waits for a slow target is copied and truncated, several times.
func TestWaitingFileIsCopiedAndTruncated(t *testing.T) {
	for _, rotations := range []int{1, 2, 4} {
		onRig(t, func(t *testing.T, r *rig) {
			w := newWriter(t, r.files, alerts, "copytruncate")
			w.lines(2)
			r.start()
			synctest.Wait()
			at := r.out.positions[0] // one line is delivered
			r.stop()
			w.rotate()
			w.lines(2)
			r.out = &collector{hold: make(chan struct{}, 100)} // the target is slow
			r.start(at)
			time.Sleep(time.Second)
			for range rotations {
				w.rotate()
				w.lines(2)
				time.Sleep(time.Second)
			}
			close(r.out.hold)
			time.Sleep(time.Second)
			wantNumbers(t, r.out.got(), 1, w.next)
			wantUnique(t, r.out.ids)
			r.stop()
		})
	}
}

// It is truncated without a copy while it waits: a gap with its bytes.
func TestWaitingFileIsTruncated(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 2))
		r.out = &collector{hold: make(chan struct{}, 100)}
		r.start()
		r.append(alerts+".new", lines(2, 4))
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.must(r.files.Rename(alerts+".new", alerts))
		time.Sleep(time.Second)
		r.truncate(alerts)
		r.append(alerts, lines(5, 6))
		close(r.out.hold)
		time.Sleep(time.Second)
		r.want(line(0), line(1), line(5))
		r.stop()
		r.wantGaps(1, "from=0 to=")
	})
}

// More was read than the copy of a file has: reading goes on at the copy's end, and what may have been
// written in between is a gap.
func TestPlaceBehindTheEndOfTheCopy(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 5))
		r.start()
		r.finish()
		position := r.out.positions[4]
		r.append(alerts+".1", lines(0, 3)) // the rest was written after it had been copied
		r.truncate(alerts)
		r.append(alerts, lines(5, 7))
		r.out = &collector{}
		reachable, err := r.source.Resume(r.host, []component.Position{position})
		if err != nil || !reachable[0] {
			t.Errorf("reachable %v, error %v", reachable, err)
		}
		r.start(position)
		time.Sleep(time.Second)
		r.want(line(5), line(6))
		r.stop()
		r.wantGaps(1, "from=40 to=unknown gaps=1")
	})
}

// Empty when etl stopped, then written, copied and truncated: the copy is read.
func TestEmptyFileIsWrittenCopiedAndTruncated(t *testing.T) {
	for _, running := range []bool{false, true} {
		for _, rotations := range []int{1, 3} {
			t.Run(fmt.Sprint(running, rotations), func(t *testing.T) {
				onRig(t, func(t *testing.T, r *rig) {
					w := newWriter(t, r.files, alerts, "copytruncate")
					random := rand.New(rand.NewPCG(1, 1))
					r.start()
					time.Sleep(time.Second)
					if running {
						r.files.Blind(true)
					} else {
						r.stop()
					}
					for range rotations {
						w.write(3, random)
						w.rotate()
					}
					w.write(2, random)
					if !running {
						r.restart()
						r.start()
					}
					r.finish()
					wantNumbers(t, r.out.got(), 0, w.next)
					if !strings.Contains(r.log.String(), "the file was truncated") {
						t.Errorf("not told:\n%s", r.log.String())
					}
				})
			})
		}
	}
}

// A file that waits for a slow target is copied, truncated and, empty as it is, put aside.
func TestWaitingFileIsTruncatedAndPutAside(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 2))
		r.out = &collector{hold: make(chan struct{}, 100)} // the target is slow
		r.start()
		time.Sleep(time.Second)
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(2, 4))
		time.Sleep(time.Second)
		r.append(alerts+".2", lines(2, 4))
		r.truncate(alerts)
		r.must(r.files.Rename(alerts, alerts+".3"))
		r.append(alerts, lines(4, 6))
		time.Sleep(time.Second)
		close(r.out.hold)
		r.finish()
		wantNumbers(t, r.out.got(), 0, 6)
	})
}
