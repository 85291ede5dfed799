package file

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// namings are how rotations call what they put aside: the n-th of them is called so, from 1 on.
var namings = map[string]func(n int) string{
	"counts on":          func(n int) string { return fmt.Sprintf("%s.%d", alerts, n) },
	"unknown suffix":     func(n int) string { return fmt.Sprintf("%s.%c%c", alerts, 'a'+n/26, 'a'+n%26) },
	"before the ending":  func(n int) string { return fmt.Sprintf("/logs/alerts-%d.json", n) },
	"dated":              func(n int) string { return fmt.Sprintf("%s-202511%02d", alerts, n) },
	"dated, with points": func(n int) string { return fmt.Sprintf("/logs/alerts.2025-11-%02d.json", n) },
	"compressed":         func(n int) string { return fmt.Sprintf("%s.%d.gz", alerts, n) },
	"compressed, dated":  func(n int) string { return fmt.Sprintf("/logs/alerts.json.x%03d.gz", n) },
}

// aside puts the current file aside, as it is or compressed, and begins another.
func (r *rig) aside(name string) {
	r.t.Helper()
	r.must(r.files.Rename(alerts, strings.TrimSuffix(name, ".gz")))
	if plain, ok := strings.CutSuffix(name, ".gz"); ok {
		text, err := r.files.ReadFile(plain)
		r.must(err)
		r.append(name, string(zipped(text)))
		r.must(r.files.Remove(plain))
	}
	r.append(alerts, "")
}

// Whatever the files are called that a rotation puts aside, and however often etl is down meanwhile:
// each line comes once, in order.
func TestRotationsUnderAnyName(t *testing.T) {
	for name, naming := range namings {
		for seed := range uint64(8) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				onRig(t, func(t *testing.T, r *rig) {
					random := rand.New(rand.NewPCG(seed, 3))
					next, rotations, done := 0, 0, 0
					write := func(n int) { r.append(alerts, lines(next, next+n)); next += n }
					var checkpoint []component.Position
					write(3)
					for range 8 {
						r.out = &collector{}
						r.start(checkpoint...)
						for range random.IntN(3) {
							write(1 + random.IntN(5))
							time.Sleep(time.Second)
							if random.IntN(2) == 0 && !strings.HasSuffix(naming(1), ".gz") {
								rotations++
								r.aside(naming(rotations))
							}
						}
						r.finish()
						got := r.out.got()
						wantNumbers(t, got, done, next)
						wantUnique(t, r.out.ids)
						if keep := len(got) - 1 - random.IntN(3); keep >= 0 {
							checkpoint, done = []component.Position{r.out.positions[keep]}, done+keep+1
						}
						for range random.IntN(4) {
							time.Sleep(time.Hour)
							write(1 + random.IntN(5))
							rotations++
							r.aside(naming(rotations))
						}
						time.Sleep(time.Hour)
						write(random.IntN(3))
						r.source = sourceAt(alerts) // as another process
					}
				})
			})
		}
	}
}

// A generation that is through is not read again, whatever it is called by then.
func TestWhatIsThroughIsNotReadAgain(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.start()
		for n := range 20 {
			r.append(alerts, lines(2*n, 2*n+2))
			time.Sleep(time.Second)
			r.must(r.files.Rename(alerts, fmt.Sprintf("%s.%d", alerts, n+1)))
			for k := range n { // and all older ones are called otherwise
				r.must(r.files.Rename(fmt.Sprintf("%s.%d", alerts, k+1), "/logs/x"))
				r.must(r.files.Rename("/logs/x", fmt.Sprintf("%s.%d", alerts, k+1)))
			}
		}
		r.append(alerts, lines(40, 41))
		r.finish()
		wantNumbers(t, r.out.got(), 0, 41)
	})
}

// The file of one sink's place is gone: reading begins with the oldest one behind it, not at the
// place of the other sink.
func TestLostPlaceBeginsWithTheOldestThatIsLeft(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		w := newWriter(t, r.files, alerts, "rename")
		w.lines(2)
		r.start()
		synctest.Wait()
		w.rotate()
		w.lines(3)
		r.finish()
		dead, well := r.out.positions[0], r.out.positions[3]
		w.rotate()
		w.lines(1)
		r.must(r.files.Remove(alerts + ".2"))
		r.out = &collector{}
		reachable, err := r.source.Resume(r.host, []component.Position{dead, well})
		if err != nil || fmt.Sprint(reachable) != "[false true]" {
			t.Errorf("reachable %v, error %v", reachable, err)
		}
		r.start(dead, well)
		time.Sleep(time.Second)
		r.want(line(2), line(3), line(4), line(5))
		r.stop()
		r.wantGaps(1, "from=8 to=unknown gaps=1")
	})
}

// The same without any checkpoint: the file in which the first run began is gone.
func TestTheBeginningIsGone(t *testing.T) {
	for _, begun := range []string{lines(0, 2), ""} {
		onRig(t, func(t *testing.T, r *rig) {
			w := newWriter(t, r.files, alerts, "rename")
			r.append(alerts, begun)
			w.next = 2
			r.out = &collector{hold: make(chan struct{})}
			r.start()
			r.stop()
			w.rotate()
			w.lines(3)
			w.rotate()
			w.lines(1)
			r.must(r.files.Remove(alerts + ".2"))
			r.out = &collector{}
			r.source = sourceAt(alerts)
			r.start()
			time.Sleep(time.Second)
			r.want(line(2), line(3), line(4), line(5))
			r.stop()
		})
	}
}

// Generations that begin with the same line, with others in between or not, never share an id, and keep theirs over a
// restart.
func TestSameFirstLineAgainLater(t *testing.T) {
	const head = `{"head":1}` + "\n"
	onRig(t, func(t *testing.T, r *rig) {
		w := newWriter(t, r.files, alerts, "rename")
		r.start()
		texts := []string{head + lines(0, 2), lines(5, 7), head + lines(10, 12), head + lines(20, 22), lines(5, 8)}
		for i, text := range texts {
			if i > 0 {
				w.rotate()
			}
			r.append(alerts, text)
			time.Sleep(time.Second)
		}
		r.stop()
		wantUnique(t, r.out.ids)
		first := r.out
		r.restart()
		r.start(first.positions[0])
		r.finish()
		if got, want := fmt.Sprint(r.out.ids), fmt.Sprint(first.ids[1:]); got != want {
			t.Errorf("ids %s\nbefore %s", got, want)
		}
	})
}

// A file takes the place of another and is smaller: it is another one, whether it begins with the same line or not, and
// while etl is down, too.
func TestReplacedByASmallerFile(t *testing.T) {
	for name, text := range map[string]string{"another first line": lines(20, 22), "the same first line": lines(0, 1) + lines(30, 32)} {
		for _, how := range []string{"running, in place", "running, another file", "down, in place", "down, another file"} {
			t.Run(name+", "+how, func(t *testing.T) {
				onRig(t, func(t *testing.T, r *rig) {
					r.append(alerts, lines(0, 10))
					r.start()
					time.Sleep(time.Second)
					ids, position := r.out.ids, r.out.last
					if strings.HasPrefix(how, "down") {
						r.stop()
						r.restart()
					}
					if strings.HasSuffix(how, "file") {
						r.must(r.files.Remove(alerts))
					} else {
						r.truncate(alerts)
					}
					r.append(alerts, text)
					if strings.HasPrefix(how, "down") {
						r.start(position)
						ids = append(ids, r.out.ids...)
					}
					r.finish()
					got := r.out.got()
					n := strings.Count(text, "\n")
					if len(got) < n || strings.Join(got[len(got)-n:], "\n")+"\n" != text {
						t.Errorf("got %q, want %q at the end\n%s", got, text, r.log.String())
					}
					if strings.HasPrefix(how, "running") {
						ids = r.out.ids
					}
					wantUnique(t, ids)
				})
			})
		}
	}
}

// Files that begin with the same line are compressed: what else they hold tells them apart.
func TestSameFirstLineCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const head = "#fields n\n"
		r := newRig(t)
		w := newWriter(t, r.files, alerts, "rename")
		w.check(w.file.Close())
		for i := range 4 {
			if i > 0 {
				r.aside(alerts + fmt.Sprintf(".%d", i))
			}
			r.append(alerts, head+lines(1000*i, 1000*i+1000))
			if i == 1 {
				r.start()
				r.finish()
			}
		}
		for i := 1; i < 4; i++ {
			name := fmt.Sprintf("%s.%d", alerts, i)
			text, err := r.files.ReadFile(name)
			r.must(err)
			r.append(name+".gz", string(zipped(text)))
			r.must(r.files.Remove(name))
		}
		position := r.out.positions[500]
		r.restart()
		r.start(position)
		r.finish()
		var got []string
		for _, l := range r.out.got() {
			if l+"\n" != head {
				got = append(got, l)
			}
		}
		wantNumbers(t, got, 1500, 4000)
	})
}

// What is in the way of writing the history down is tried again, and does not stop the events.
func TestHistoryOnAFullDisk(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		full := r.host.State.(*memory)
		w := newWriter(t, r.files, alerts, "rename")
		random := rand.New(rand.NewPCG(1, 1))
		w.write(3, random)
		r.start()
		full.fill(true)
		for range 3 {
			w.rotate()
			w.write(3, random)
			time.Sleep(time.Second)
		}
		wantNumbers(t, r.out.got(), 0, w.next)
		full.fill(false)
		r.finish()
		if n := len((&history{state: full}).load()); n != 4 {
			t.Errorf("%d generations are stored", n)
		}
	})
}

// On a full disk too a file has one name, whoever reads it: a detached sink has a source of its own, and here it comes to
// the file only when there is room again.
func TestOneHistoryOnAFullDisk(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		full := r.host.State.(*memory)
		r.append(alerts, lines(0, 3))
		r.start()
		time.Sleep(time.Second)
		side := &rig{t: t, files: r.files, host: r.host, source: sourceAt(alerts), out: &collector{hold: make(chan struct{})}}
		side.start(r.out.last)
		r.append(alerts, lines(3, 4))
		time.Sleep(time.Second)
		full.fill(true)
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, line(4)) // has no name until it is read
		r.must(r.files.Rename(alerts, alerts+".2"))
		r.append(alerts, lines(5, 6))
		time.Sleep(time.Second)
		full.fill(false)
		time.Sleep(time.Second)
		close(side.out.hold)
		side.finish()
		r.finish()
		wantNumbers(t, r.out.lines, 0, 6)
		if want := r.out.ids[3:]; !slices.Equal(side.out.ids, want) {
			t.Errorf("the other source gave %q, want %q", side.out.ids, want)
		}
	})
}

// What a reload puts in the place of a source goes on with what that one could not store.
func TestHistoryOnAFullDiskOverAReload(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		same := `{"the":"same"}` + "\n" // so that names are counted
		r.append(alerts, same+lines(0, 3))
		r.start()
		r.host.State.(*memory).fill(true)
		for n := 1; n <= 2; n++ {
			r.must(r.files.Rename(alerts, fmt.Sprint(alerts, ".", n)))
			r.append(alerts, same+lines(3*n, 3*n+3))
			time.Sleep(time.Second)
		}
		r.finish()
		first := r.out
		r.must(r.files.Remove(alerts + ".2"))
		r.restart()
		r.start(first.positions[1]) // of a sink that is behind
		r.finish()
		if want := slices.Concat(first.ids[2:4], first.ids[8:]); !slices.Equal(r.out.ids, want) {
			t.Errorf("the new source gave %q, want %q", r.out.ids, want)
		}
	})
}

// The history does not grow for ever.
func TestHistoryForgets(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.start()
		for n := range 2 * historyLength {
			r.append(alerts, lines(n, n+1))
			time.Sleep(time.Second)
			r.must(r.files.Remove(alerts))
		}
		r.stop()
		wantNumbers(t, r.out.got(), 0, 2*historyLength)
		if n := len((&history{state: r.host.State}).load()); n > historyLength+1 {
			t.Errorf("%d generations are stored", n)
		}
	})
}

// A history that is damaged is none: files are ordered by their names then.
func TestHistoryIsDamaged(t *testing.T) {
	for _, value := range []string{"", "{", "[]", `[{"id":1}]`, `[{"id":1,"name":"x","length":-5,"head":"y"},{"id":1,"length":9999999}]`} {
		onRig(t, func(t *testing.T, r *rig) {
			w := newWriter(t, r.files, alerts, "rename")
			random := rand.New(rand.NewPCG(1, 1))
			w.write(3, random)
			r.must(r.once())
			position := r.out.positions[1]
			for range 3 {
				w.rotate()
				w.write(3, random)
			}
			r.must(r.host.State.Set(historyKey, []byte(value)))
			r.restart()
			r.must(r.once(position))
			wantNumbers(t, r.out.got(), 2, w.next)
		})
	}
}

// A file beside the path that can't be looked into for a while holds up the start, one that nobody may
// read does not.
func TestFilesBesideThatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{{os.ErrPermission, 3}, {syscall.EIO, 0}} {
		onRig(t, func(t *testing.T, r *rig) {
			r.append(alerts+".1", lines(0, 3))
			r.append(alerts, lines(3, 6))
			r.files.Fault(func(op worldtest.Op, name string) error {
				if strings.HasSuffix(name, ".1") && op == worldtest.OpOpen {
					return &os.PathError{Op: "open", Path: name, Err: c.err}
				}
				return nil
			})
			r.start()
			time.Sleep(time.Second)
			if got := len(r.out.got()); got != c.want {
				t.Errorf("%v: %d lines", c.err, got)
			}
			r.files.Fault(nil)
			time.Sleep(time.Second)
			wantNumbers(t, r.out.got(), 3, 6)
			r.stop()
		})
	}
}

// A file that is made beside the path, and was seen there, is read when it comes to the path.
func TestMadeBesideThePath(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, line(0)+"\n")
		r.start()
		for n := 1; n < 10; n++ {
			r.append(alerts+".next", line(n)+"\n")
			r.stop()
			r.start(r.out.last) // looks around, as it does where a sink is detached
			r.must(r.files.Rename(alerts, alerts+".1"))
			r.must(r.files.Rename(alerts+".next", alerts))
			time.Sleep(time.Second)
		}
		r.stop()
		wantNumbers(t, r.out.got(), 0, 10)
	})
}

// A file that is known to be none of the path's holds up nothing when it can't be read.
func TestAForeignFileThatCannotBeRead(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 3))
		r.start()
		time.Sleep(time.Second)
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(3, 5))
		r.finish()
		r.append("/logs/alerts.json.backup", "something else\n")
		r.source = sourceAt(alerts)
		from := r.out.positions[0]
		for range 2 { // it is written down when the first of them looks
			if _, err := r.source.Resume(r.host, []component.Position{from}); err != nil {
				t.Fatal(err)
			}
			r.files.Fault(func(op worldtest.Op, name string) error {
				if strings.HasSuffix(name, ".backup") {
					return &os.PathError{Op: string(op), Path: name, Err: syscall.EIO}
				}
				return nil
			})
		}
		r.out = &collector{}
		r.start(from)
		r.finish()
		wantNumbers(t, r.out.got(), 1, 5)
	})
}

// An empty file is the copy of nothing: not of the one that is read from.
func TestEmptyFilesAreNoCopies(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 3))
		r.start()
		r.finish()
		from := r.out.positions[2]
		r.truncate(alerts)
		r.append(alerts+".1", "")
		r.append(alerts, lines(3, 6))
		r.restart()
		if _, err := r.source.Resume(r.host, []component.Position{from}); err != nil {
			t.Fatal(err)
		}
		r.start(from)
		r.finish()
		wantNumbers(t, r.out.got(), 3, 6)
	})
}
