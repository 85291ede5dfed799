package file

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// disk is what a writer of alerts needs of a file system.
type disk interface {
	world.FS
	Link(from, to string) error
}

// machine is the machine's file system with links.
type machine struct{ world.FS }

func (machine) Link(from, to string) error { return os.Link(from, to) }

// writer writes numbered lines and rotates in one of three ways.
type writer struct {
	t    testing.TB
	fs   disk
	path string
	way  string
	file world.File
	day  int
	next int
}

var ways = []string{"rename", "wazuh", "copytruncate"}

func newWriter(t testing.TB, fs disk, path, way string) *writer {
	w := &writer{t: t, fs: fs, path: path, way: way}
	w.begin()
	t.Cleanup(func() { w.file.Close() })
	return w
}

func (w *writer) check(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

// begin opens the file that is to be written.
func (w *writer) begin() {
	name := w.path
	if w.way == "wazuh" {
		w.day++
		name = w.dated(w.day)
		w.check(w.fs.MkdirAll(filepath.Dir(name), 0o755))
	}
	f, err := w.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	w.check(err)
	w.file = f
	if w.way == "wazuh" {
		if w.day > 1 {
			w.check(w.fs.Remove(w.path))
		}
		w.check(w.fs.Link(name, w.path))
	}
}

func (w *writer) dated(day int) string {
	month := []string{"Jan", "Feb"}[day/29%2]
	return filepath.Join(filepath.Dir(w.path), "2025", month, fmt.Sprintf("ossec-alerts-%02d.json", day%29+1))
}

// write writes n lines, in pieces that do not end where lines do.
func (w *writer) write(n int, random *rand.Rand) {
	text := lines(w.next, w.next+n)
	w.next += n
	for text != "" {
		cut := min(len(text), 1+random.IntN(40))
		_, err := io.WriteString(w.file, text[:cut])
		w.check(err)
		text = text[cut:]
	}
}

// lines writes n lines, whole.
func (w *writer) lines(n int) {
	_, err := io.WriteString(w.file, lines(w.next, w.next+n))
	w.check(err)
	w.next += n
}

func (w *writer) rotate() {
	switch w.way {
	case "rename":
		for n := 20; n > 0; n-- {
			_ = w.fs.Rename(fmt.Sprintf("%s.%d", w.path, n), fmt.Sprintf("%s.%d", w.path, n+1))
		}
		w.check(w.fs.Rename(w.path, w.path+".1"))
		w.check(w.file.Close())
		w.begin()
	case "wazuh":
		w.check(w.file.Close())
		w.begin()
	case "copytruncate":
		content, err := w.fs.ReadFile(w.path)
		w.check(err)
		for n := 20; n > 0; n-- {
			_ = w.fs.Rename(fmt.Sprintf("%s.%d", w.path, n), fmt.Sprintf("%s.%d", w.path, n+1))
		}
		c, err := w.fs.OpenFile(w.path+".1", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
		w.check(err)
		_, err = c.Write(content)
		w.check(err)
		w.check(c.Close())
		w.check(w.file.Truncate(0))
	}
}

// wantNumbers fails unless the lines are those from from up to to, each once, in order.
func wantNumbers(t *testing.T, got []string, from, to int) {
	t.Helper()
	if len(got) != to-from {
		t.Errorf("%d lines, want %d", len(got), to-from)
	}
	for i, l := range got {
		if l != line(from+i) {
			t.Fatalf("line %d is %s, want %s", i, l, line(from+i))
		}
	}
}

// wantUnique fails if two lines have the same id.
func wantUnique(t *testing.T, ids []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			t.Fatalf("two lines have the id %s", id)
		}
		seen[id] = true
	}
}

// While lines are written the file rotates: none is lost, none comes twice, the
// order stays.
func TestRotationsLoseNothing(t *testing.T) {
	for _, way := range ways {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("%s/%d", way, seed), func(t *testing.T) {
				onRig(t, func(t *testing.T, r *rig) {
					r.source.profile = profileOf(way)
					random := rand.New(rand.NewPCG(seed, 1))
					w := newWriter(t, r.files, alerts, way)
					r.start()
					for range 12 {
						for range 1 + random.IntN(5) {
							w.write(random.IntN(30), random)
							switch random.IntN(3) {
							case 0:
								synctest.Wait()
							case 1:
								time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
							}
						}
						if way != "wazuh" && random.IntN(3) > 0 {
							time.Sleep(time.Second)
						}
						if way == "copytruncate" {
							w.write(1, random)
							synctest.Wait() // that the file had begun was seen
							w.write(random.IntN(20), random)
						}
						w.rotate()
						if way == "copytruncate" {
							synctest.Wait() // a truncation that nobody could see is another test
						}
					}
					time.Sleep(time.Second)
					wantNumbers(t, r.out.got(), 0, w.next)
					wantUnique(t, r.out.ids)
					r.stop()
				})
			})
		}
	}
}

// The same on the machine's own file system, with a writer that does not wait.
func TestRotationsOnDisk(t *testing.T) {
	for _, way := range []string{"rename", "wazuh"} {
		t.Run(way, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "alerts.json")
			r := newRig(t)
			r.host.World = world.OS()
			r.source.path, r.source.profile, r.source.poll = path, profileOf(way), 20*time.Millisecond
			w := newWriter(t, machine{world.OS().FS}, path, way)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- r.source.Run(ctx, r.host, nil, r.out) }()
			random := rand.New(rand.NewPCG(7, 7))
			await := func() {
				for deadline := time.Now().Add(time.Minute); len(r.out.got()) < w.next && time.Now().Before(deadline); {
					time.Sleep(5 * time.Millisecond)
				}
			}
			w.write(1, random)
			await()
			for range 15 {
				w.write(500, random)
				w.rotate()
			}
			w.write(500, random)
			await()
			cancel()
			r.must(<-ended)
			wantNumbers(t, r.out.got(), 0, w.next)
			wantUnique(t, r.out.ids)
		})
	}
}

// A sink that is down for days: each file is opened when it appears, however
// long the one before it is not read.
func TestRotationsWhileHeldUp(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			onRig(t, func(t *testing.T, r *rig) {
				r.source.profile = profileOf(way)
				r.out.hold = make(chan struct{})
				r.source.poll = 30 * time.Minute
				random := rand.New(rand.NewPCG(1, 1))
				w := newWriter(t, r.files, alerts, way)
				r.start()
				for range 5 {
					w.write(50, random)
					time.Sleep(24 * time.Hour)
					w.rotate()
					time.Sleep(time.Hour)
					switch way {
					case "wazuh": // monitord has compressed it
						w.check(r.files.Remove(w.dated(w.day - 1)))
					case "rename":
						w.check(r.files.Remove(alerts + ".1"))
					}
				}
				close(r.out.hold)
				time.Sleep(time.Hour)
				wantNumbers(t, r.out.got(), 0, w.next)
				wantUnique(t, r.out.ids)
				if read, total := r.source.Progress(); read != total {
					t.Errorf("progress %d of %d", read, total)
				}
				r.stop()
			})
		})
	}
}

// Stopped at any line, started again after any number of rotations: what comes
// is the rest, each line once.
func TestResumeAfterRotation(t *testing.T) {
	for _, way := range ways {
		for seed := range uint64(25) {
			t.Run(fmt.Sprintf("%s/%d", way, seed), func(t *testing.T) {
				onRig(t, func(t *testing.T, r *rig) {
					r.source.profile = profileOf(way)
					random := rand.New(rand.NewPCG(seed, 2))
					w := newWriter(t, r.files, alerts, way)
					w.write(1+random.IntN(30), random)
					r.start()
					r.finish()
					first := r.out
					wantNumbers(t, first.lines, 0, w.next)
					at := random.IntN(len(first.lines))

					r.out = &collector{}
					r.must(r.files.Rename(alerts, alerts+".x")) // other inodes than before, by and by
					r.must(r.files.Rename(alerts+".x", alerts))
					for range random.IntN(5) {
						w.write(1+random.IntN(30), random)
						w.rotate()
					}
					w.write(random.IntN(30), random)
					reachable, err := r.source.Resume(r.host, []component.Position{first.positions[at], first.positions[len(first.positions)-1]})
					if err != nil || !reachable[0] || !reachable[1] {
						t.Errorf("reachable %v, error %v", reachable, err)
					}
					r.source.follow = random.IntN(2) == 0
					r.start(first.positions[at])
					time.Sleep(time.Second)
					wantNumbers(t, r.out.got(), at+1, w.next)
					for i, id := range first.ids[at+1:] {
						if r.out.ids[i] != id {
							t.Errorf("%s has now the id %s, had %s", r.out.lines[i], r.out.ids[i], id)
						}
					}
					r.stop()
				})
			})
		}
	}
}

func TestResumeTakesTheEarliest(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 10))
		r.must(r.once())
		p := r.out.positions
		gone := component.Position{Generation: "0123456789abcdef", Offset: 5, Path: alerts}
		for _, c := range []struct {
			from      []component.Position
			reachable string
			first     int
		}{
			{[]component.Position{p[6], p[3]}, "[true true]", 4},
			{[]component.Position{p[6], gone}, "[true false]", 0},
			{[]component.Position{p[6], {}}, "[true false]", 0},
			{[]component.Position{gone}, "[false]", 0},
			{[]component.Position{{}}, "[false]", 0},
		} {
			reachable, err := r.source.Resume(r.host, c.from)
			if err != nil || fmt.Sprint(reachable) != c.reachable {
				t.Errorf("%v: reachable %v, error %v", c.from, reachable, err)
			}
			r.again(c.from...)
			wantNumbers(t, r.out.lines, c.first, 10)
		}
	})
}

func TestResumeWhereTheFileIsGone(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.source.profile = "wazuh4"
		w := newWriter(t, r.files, alerts, "wazuh")
		w.write(3, rand.New(rand.NewPCG(1, 1)))
		r.must(r.once())
		position := r.out.positions[1]
		r.out = &collector{}
		w.rotate()
		r.must(r.files.Rename(w.dated(1), w.dated(1)+".gz"))
		w.write(3, rand.New(rand.NewPCG(1, 1)))
		r.must(r.once(position))
		r.want(line(3), line(4), line(5))
		if log := r.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "from=16 to=unknown gaps=1") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// An inode is no proof: the file that has it now begins with another line.
func TestReusedInode(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 3))
		r.must(r.once())
		position := r.out.positions[1]
		r.out = &collector{}
		r.truncate(alerts)
		r.append(alerts, lines(5, 20))
		r.append(alerts+".1", lines(0, 3))
		r.must(r.once(position))
		wantNumbers(t, r.out.lines[1:], 5, 20)
		if r.out.lines[0] != line(2) {
			t.Errorf("first line %s", r.out.lines[0])
		}
	})
}

// Two generations that begin with the same line: the shorter one can't be that
// of the position, and their events have different ids.
func TestSameFirstLine(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 5))
		r.start()
		synctest.Wait()
		position := r.out.positions[3]
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(0, 2))
		synctest.Wait()
		wantNumbers(t, r.out.got()[5:], 0, 2)
		wantUnique(t, r.out.ids)
		again := r.out.positions[5]
		r.stop()

		r.out = &collector{}
		position.Inode, position.Device = 0, 0 // as after a move to another disk
		r.must(r.once(position))
		r.want(line(4), line(0), line(1))

		r.out = &collector{}
		r.must(r.once(again)) // its inode tells
		r.want(line(1))
	})
}

func TestTruncationWithoutCopy(t *testing.T) {
	for name, after := range map[string]int{"shorter": 1, "longer than before": 500} {
		t.Run(name, func(t *testing.T) {
			onRig(t, func(t *testing.T, r *rig) {
				r.append(alerts, lines(0, 20)+`{"n":`)
				r.start()
				r.files.Blind(true) // nothing is seen between the truncation and what is written then
				r.truncate(alerts)
				r.append(alerts, lines(1000, 1000+after))
				time.Sleep(time.Second)
				got := r.out.got()
				wantNumbers(t, got[:20], 0, 20)
				if got[20] != `{"n":` || r.out.failures[20] == "" {
					t.Errorf("the cut line came as %q, %q", got[20], r.out.failures[20])
				}
				wantNumbers(t, got[21:], 1000, 1000+after)
				wantUnique(t, r.out.ids)
				if !strings.Contains(r.log.String(), "could not be seen") || !strings.Contains(r.log.String(), fmt.Sprintf("from=%d", len(lines(0, 20))+5)) {
					t.Errorf("log:\n%s", r.log.String())
				}
				r.stop()
			})
		})
	}
}

// A writer that keeps its offset over a truncation leaves a hole.
func TestTruncationLeavesAHole(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		f, err := r.files.OpenFile(alerts, os.O_RDWR|os.O_CREATE, 0o640)
		r.must(err)
		io.WriteString(f, lines(0, 10))
		r.start()
		r.must(f.Truncate(0))
		io.WriteString(f, lines(10, 12))
		time.Sleep(time.Second)
		wantNumbers(t, r.out.got(), 0, 12)
		r.stop()
		r.must(f.Close())
	})
}

func TestVanishesAndComesBack(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 2))
		r.start()
		r.must(r.files.Rename(alerts, "/logs/hidden"))
		r.append("/logs/hidden", lines(2, 4)) // still the file that is read
		time.Sleep(time.Minute)
		r.want(line(0), line(1), line(2), line(3))
		r.must(r.files.Rename("/logs/hidden", alerts)) // the same one
		r.append(alerts, lines(4, 5))
		time.Sleep(time.Second)
		r.want(line(0), line(1), line(2), line(3), line(4))
		r.must(r.files.Remove(alerts))
		time.Sleep(time.Minute)
		r.append(alerts, lines(5, 6)) // another one
		time.Sleep(time.Second)
		r.want(line(0), line(1), line(2), line(3), line(4), line(5))
		r.stop()
	})
}

// The new file is made by who rotates, before its writer knows of it.
func TestWriterGoesOnInTheOldFile(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 1))
		r.start()
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, "")
		time.Sleep(time.Minute)
		r.append(alerts+".1", lines(1, 3))
		time.Sleep(time.Minute)
		r.want(line(0), line(1), line(2))
		r.append(alerts, lines(3, 4))
		r.want(line(0), line(1), line(2), line(3))
		r.stop()
	})
}

func TestWazuhGenerationHasItsDatedPath(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.source.profile = "wazuh4"
		w := newWriter(t, r.files, alerts, "wazuh")
		w.write(2, rand.New(rand.NewPCG(1, 1)))
		r.must(r.once())
		if want := "2025/Jan/ossec-alerts-02.json:" + printOf(r.out.ids[0][:46]) + "@8"; r.out.ids[1] != want {
			t.Errorf("id %s, want %s", r.out.ids[1], want)
		}
	})
}

// Not everything beside a file is what it was before.
func TestNeighbours(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 5))
		r.append("/logs/alerts.json-20251121", lines(100, 105))
		r.must(r.once())
		position := r.out.positions[2]
		r.out = &collector{}
		r.must(r.files.Rename(alerts, alerts+".1"))
		for _, name := range []string{"alerts.json.bak", "alerts-2.json", "alerts.log", "alerts.json.0", "alertsx.json.1"} {
			time.Sleep(time.Second)
			r.append("/logs/"+name, lines(100, 105))
		}
		r.append(alerts, lines(5, 7))
		r.must(r.once(position))
		wantNumbers(t, r.out.lines, 3, 7)
	})
}

func profileOf(way string) string {
	if way == "wazuh" {
		return "wazuh4"
	}
	return ""
}

// logrotate's olddir puts files into another directory: while etl is at work they are read to their end; what is put there while it
// is down is a gap.
func TestOldDir(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.must(r.files.MkdirAll("/logs/old", 0o755))
		r.append(alerts, lines(0, 3))
		r.start()
		time.Sleep(time.Second)
		r.must(r.files.Rename(alerts, "/logs/old/alerts.json.1"))
		r.append("/logs/old/alerts.json.1", lines(3, 5))
		time.Sleep(time.Second)
		r.append(alerts, lines(5, 7))
		r.finish()
		wantNumbers(t, r.out.got(), 0, 7)
		r.append(alerts, lines(7, 9))
		r.must(r.files.Rename(alerts, "/logs/old/alerts.json.2"))
		r.append(alerts, lines(9, 11))
		from := r.out.last
		r.restart()
		r.start(from)
		r.finish()
		wantNumbers(t, r.out.got(), 9, 11)
		r.wantGaps(1, "from=16 to=unknown")
	})
}
