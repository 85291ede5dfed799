package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

var _ component.Gaps = (*Source)(nil)

// stems are how the profiles name dated files.
var stems = map[string]string{"wazuh4": "ossec-alerts", "wazuh5": "alerts"}

// newManaged is a rig with a profile and a manager that writes for it.
func newManaged(t *testing.T, profile string) (*rig, *manager, *rand.Rand) {
	r := newRig(t)
	r.source.profile = profile
	m := newManager(t, r.files, alerts, stems[profile])
	m.link()
	return r, m, rand.New(rand.NewPCG(1, 1))
}

// Down over a weekend: the file of the checkpoint is compressed, so is one
// after it, days have several parts, month and year change.
func TestDownOverRotations(t *testing.T) {
	for profile := range stems {
		for _, follow := range []bool{true, false} {
			t.Run(fmt.Sprint(profile, follow), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r, m, random := newManaged(t, profile)
					m.write(20, random)
					r.must(r.once())
					first := r.out
					for i := range 40 {
						m.rotate(i%3 == 0, func() {})
						if i%4 > 0 { // others are empty, and gone
							m.write(10, random)
						}
						if i == 30 {
							m.compressAll()
						}
					}
					r.out = &collector{}
					r.source.follow = follow
					position := first.positions[7]
					reachable, err := r.source.Resume(r.host, []component.Position{position, {Generation: "2020/Jan/ossec-alerts-01.json:00"}, first.last})
					if err != nil || fmt.Sprint(reachable) != "[true false true]" {
						t.Errorf("reachable %v, error %v", reachable, err)
					}
					r.start(position)
					time.Sleep(time.Second)
					r.stop()
					wantNumbers(t, r.out.got(), 8, m.next)
					wantUnique(t, append(first.ids[:8:8], r.out.ids...))
					if r.out.ids[0] != first.ids[8] {
						t.Errorf("%s has now the id %s, had %s", line(8), r.out.ids[0], first.ids[8])
					}
					if gaps, _ := r.source.Missed(); gaps != 0 {
						t.Errorf("%d gaps:\n%s", gaps, r.log.String())
					}
					m.stop()
				})
			})
		}
	}
}

// The same on the machine's own file system.
func TestDownOverRotationsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	r := newRig(t)
	r.host.World = world.OS()
	r.source.path, r.source.profile = path, "wazuh4"
	m := newManager(t, machine{world.OS().FS}, path, stems["wazuh4"])
	m.link()
	random := rand.New(rand.NewPCG(1, 1))
	m.write(5000, random)
	r.must(r.once())
	position := r.out.positions[3210]
	m.write(1000, random)
	m.rotate(true, func() {})
	m.compressAll()
	m.write(3000, random)
	m.rotate(true, func() {})
	m.write(100, random)
	r.out = &collector{}
	r.must(r.once(position))
	wantNumbers(t, r.out.lines, 3211, m.next)
	wantUnique(t, r.out.ids)
	m.stop()
}

// What is compressed while it is read is read to its end all the same.
func TestCompressedWhileRead(t *testing.T) {
	for _, profile := range []string{"wazuh4", ""} {
		t.Run(profile, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, m, random := newManaged(t, "wazuh4")
				r.source.profile = profile
				r.out.hold = make(chan struct{})
				m.write(50, random)
				r.start()
				m.write(50, random)
				for range 3 {
					m.rotate(true, func() {})
					m.write(50, random)
					time.Sleep(time.Second)
				}
				m.compressAll()
				time.Sleep(time.Second)
				close(r.out.hold)
				time.Sleep(time.Second)
				r.stop()
				wantNumbers(t, r.out.got(), 0, m.next)
				wantUnique(t, r.out.ids)
				m.stop()
			})
		})
	}
}

var schedules = flag.Uint64("schedules", 400, "how many interleavings TestAnySchedule tries")

// Any interleaving of writing, rotating, compressing, being held up, killed and
// started again with any checkpoint: go test -run TestAnySchedule -schedules 10000.
func TestAnySchedule(t *testing.T) {
	for seed := range *schedules {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { anySchedule(t, seed) })
		}) {
			return
		}
	}
}

func anySchedule(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 9))
	profile := []string{"wazuh4", "wazuh5"}[random.IntN(2)]
	r, m, _ := newManaged(t, profile)
	r.files.Blind(random.IntN(3) == 0)
	m.write(1, random)
	var checkpoint []component.Position
	ids, done := map[string]string{}, 0
	rest := func() {
		switch random.IntN(4) {
		case 0:
			synctest.Wait()
		case 1:
			time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond)
		}
	}
	act := func() {
		switch random.IntN(8) {
		case 0, 1, 2:
			m.write(random.IntN(12), random)
		case 3, 4:
			m.rotate(random.IntN(2) == 0, rest)
		case 5:
			m.compress()
		case 6:
			m.done()
		case 7:
			rest()
		}
	}
	kept := func() {
		got := r.out.got()
		wantNumbers(t, got, done, done+len(got))
		for i, l := range got {
			if old, ok := ids[l]; ok && old != r.out.ids[i] {
				t.Fatalf("%s has now the id %s, had %s", l, r.out.ids[i], old)
			}
			ids[l] = r.out.ids[i]
		}
		if len(got) > 0 {
			keep := random.IntN(len(got))
			checkpoint = []component.Position{r.out.positions[keep]}
			done += keep + 1
		}
	}
	for range 6 {
		r.out = &collector{hold: make(chan struct{}, 100)}
		for range random.IntN(8) { // then it is held up
			r.out.hold <- struct{}{}
		}
		r.start(checkpoint...)
		for range random.IntN(12) {
			act()
		}
		r.stop()
		kept()
		for range random.IntN(12) {
			act()
		}
	}
	r.out = &collector{}
	r.start(checkpoint...)
	time.Sleep(2 * time.Second)
	r.stop()
	wantNumbers(t, r.out.got(), done, m.next)
	if gaps, _ := r.source.Missed(); gaps > 0 {
		t.Errorf("%d gaps:\n%s", gaps, r.log.String())
	}
	m.done()
	m.stop()
}

// The next file is there, alerts.json is still a link to the one before: that one comes first.
func TestNextFileIsMadeBeforeTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		r.files.Blind(true)
		r.out.hold = make(chan struct{})
		m.write(3, random)
		r.start()
		m.rotate(true, func() {})
		m.write(3, random)
		m.rotate(true, func() { time.Sleep(time.Second) })
		m.write(3, random)
		close(r.out.hold)
		time.Sleep(time.Second)
		r.stop()
		wantNumbers(t, r.out.got(), 0, m.next)
		m.stop()
	})
}

// More files than are held open at a time.
func TestLongWalk(t *testing.T) {
	for _, follow := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r, m, random := newManaged(t, "wazuh4")
			m.write(3, random)
			r.must(r.once())
			position := r.out.positions[0]
			for range 10 * ahead {
				m.rotate(random.IntN(2) == 0, func() {})
				m.write(3, random)
				m.compress()
			}
			open, most := map[string]bool{}, 0
			r.files.Fault(func(op worldtest.Op, name string) error {
				if op == worldtest.OpOpen && strings.HasSuffix(name, ".gz") {
					open[name] = true
					most = max(most, len(open)-len(r.out.got())/3)
				}
				return nil
			})
			r.out = &collector{}
			r.source.follow = follow
			r.start(position)
			time.Sleep(time.Minute)
			r.stop()
			wantNumbers(t, r.out.got(), 1, m.next)
			if most > 2*ahead {
				t.Errorf("%d files are opened before they are read", most)
			}
			m.done()
			m.stop()
		})
	}
}

// The checkpoint's file has been removed, those behind it are there.
func TestWalkGoesOnBehindAFileThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		m.write(5, random)
		r.must(r.once())
		position, gone := r.out.positions[2], m.name
		for range 3 {
			m.rotate(true, func() {})
			m.write(5, random)
		}
		m.compressAll()
		r.must(r.files.Remove(gone + ".gz"))
		r.out = &collector{}
		r.must(r.once(position, position))
		wantNumbers(t, r.out.lines, 5, m.next)
		if gaps, _ := r.source.Missed(); gaps != 1 || !strings.Contains(r.log.String(), "from=24 to=unknown") {
			t.Errorf("%d gaps:\n%s", gaps, r.log.String())
		}
		m.stop()
	})
}

// A damaged archive costs what is damaged, is counted, and the walk goes on.
func TestDamagedArchive(t *testing.T) {
	content := []byte(lines(5, 4000))
	whole := zipped(content)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0xff
	checksum := bytes.Clone(whole)
	checksum[len(checksum)-6] ^= 0xff
	for name, c := range map[string]struct {
		archive []byte
		least   int  // lines that can be read
		all     bool // every line can
		known   bool // the end of the gap
	}{
		"truncated":     {whole[:len(whole)/2], 1000, false, false},
		"last byte":     {whole[:len(whole)-1], 3995, true, false},
		"flipped":       {flipped, 1000, false, true},
		"checksum":      {checksum, 3995, true, true},
		"no gzip":       {[]byte("nothing of the kind, whatever it is called"), 0, false, false},
		"empty":         {nil, 0, false, false},
		"garbage after": {append(bytes.Clone(whole), "garbage that is no header"...), 3995, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, m, random := newManaged(t, "wazuh4")
				m.write(5, random)
				r.must(r.once())
				position := r.out.last
				m.rotate(true, func() {})
				m.write(3995, random)
				damaged := m.name
				m.rotate(true, func() {})
				m.write(5, random)
				r.must(r.files.Remove(damaged))
				r.append(damaged+".gz", string(c.archive))
				r.out = &collector{}
				r.source.follow = true
				r.start(position)
				time.Sleep(time.Second)
				r.stop()
				n := len(r.out.lines) - 5
				cut := n > 0 && r.out.failures[n-1] != ""
				if cut {
					n--
				}
				wantNumbers(t, r.out.lines[:n], 5, 5+n)
				wantNumbers(t, r.out.lines[len(r.out.lines)-5:], 4000, 4005)
				if n < c.least || c.all && (n != 3995 || cut) {
					t.Errorf("%d lines could be read, cut: %v", n, cut)
				}
				gaps, missing := r.source.Missed()
				if log := r.log.String(); gaps != 1 || !strings.Contains(log, "level=WARN") || !strings.Contains(log, "from=") || !strings.Contains(log, "gaps=1") {
					t.Errorf("%d gaps:\n%s", gaps, log)
				}
				if c.known && !c.all && (missing <= 0 || missing > int64(len(content))) {
					t.Errorf("%d bytes missing", missing)
				}
				m.stop()
			})
		})
	}
}

// The checkpoint lies behind the damage.
func TestCheckpointBehindTheDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		m.write(4000, random)
		r.must(r.once())
		position, damaged := r.out.positions[3500], m.name
		m.rotate(true, func() {})
		m.write(5, random)
		r.must(r.files.Remove(damaged))
		whole := zipped([]byte(lines(0, 4000)))
		r.append(damaged+".gz", string(whole[:len(whole)/2]))
		r.out = &collector{}
		r.must(r.once(position))
		wantNumbers(t, r.out.lines, 4000, 4005)
		if gaps, _ := r.source.Missed(); gaps != 1 || !strings.Contains(r.log.String(), fmt.Sprintf("from=%d ", position.Offset)) {
			t.Errorf("%d gaps:\n%s", gaps, r.log.String())
		}
		m.stop()
	})
}

// A disk that fails while an archive is read is no damage.
func TestArchiveIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		m.write(5000, random)
		r.must(r.once())
		position := r.out.positions[2000]
		m.rotate(true, func() {})
		m.write(5, random)
		m.compressAll()
		r.out = &collector{}
		r.source.follow = true
		reads := 0
		r.files.Fault(func(op worldtest.Op, name string) error {
			if op == worldtest.OpRead && strings.HasSuffix(name, ".gz") {
				if reads++; reads%2 == 1 && reads < 20 {
					return os.ErrDeadlineExceeded
				}
			}
			return nil
		})
		r.start(position)
		time.Sleep(time.Minute)
		r.stop()
		wantNumbers(t, r.out.got(), 2001, m.next)
		if gaps, _ := r.source.Missed(); gaps != 0 || reads < 10 {
			t.Errorf("%d reads, %d gaps:\n%s", reads, gaps, r.log.String())
		}
		m.stop()
	})
}

// The clock is put back: the manager goes on in a file of an earlier day.
func TestClockPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		m.write(5, random)
		r.start()
		m.day = m.day.AddDate(0, -2, 0)
		m.rotate(true, func() {})
		m.write(5, random)
		time.Sleep(time.Second)
		r.stop()
		wantNumbers(t, r.out.got(), 0, 10)
		position := r.out.positions[2] // in the file that is ahead now
		r.out = &collector{}
		r.start(position)
		time.Sleep(time.Second)
		m.day = m.day.AddDate(0, 3, 0)
		m.rotate(true, func() {})
		m.write(5, random)
		time.Sleep(time.Second)
		r.stop()
		wantNumbers(t, r.out.got(), 3, 15)
		m.stop()
	})
}

// The manager was started again on the same day, after monitord had compressed
// its file: the same dated name for a second time.
func TestDatedNameTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		m.write(5, random)
		r.must(r.once())
		position := r.out.positions[2]
		m.old = append(m.old, m.name)
		m.compressAll()
		m.stop()
		m.open()
		r.must(r.files.Remove(alerts))
		m.link()
		m.write(5, random)
		m.rotate(true, func() {})
		m.write(5, random)
		r.out = &collector{}
		r.must(r.once(position))
		wantNumbers(t, r.out.lines, 3, 15)
		wantUnique(t, r.out.ids)
		m.stop()
	})
}

// An operator has unpacked an old file beside its archive.
func TestUnpackedBesideItsArchive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		m.write(5, random)
		r.must(r.once())
		position := r.out.positions[2]
		m.rotate(true, func() {})
		m.write(5, random)
		second := m.name
		m.rotate(true, func() {})
		m.write(5, random)
		m.compressAll()
		r.append(second, lines(5, 10))
		r.out = &collector{}
		r.must(r.once(position))
		wantNumbers(t, r.out.lines, 3, 15)
		m.stop()
	})
}

// The compressed files of logrotate are read as well.
func TestCompressedSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.append(alerts, lines(0, 5))
		r.must(r.once())
		position := r.out.positions[2]
		r.must(r.files.Remove(alerts))
		r.append(alerts+".3.gz", string(zipped([]byte(lines(0, 6)))))
		r.append(alerts+".2.gz", string(zipped([]byte(lines(6, 9)))))
		r.append(alerts+".1", lines(9, 12))
		r.append(alerts, lines(12, 14))
		r.out = &collector{}
		r.must(r.once(position))
		wantNumbers(t, r.out.lines, 3, 14)
	})
}

// A first start reads the live file only: what is older has been dealt with.
func TestFirstStartLeavesTheArchivesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m, random := newManaged(t, "wazuh4")
		m.write(5, random)
		m.rotate(true, func() {})
		m.write(5, random)
		r.must(r.once())
		wantNumbers(t, r.out.lines, 5, 10)
		if !strings.HasPrefix(r.out.ids[0], "2025/Dec/ossec-alerts-29.json:") {
			t.Errorf("id %s", r.out.ids[0])
		}
		m.stop()
	})
}

// Reading an archive takes no more memory than its window, however much it holds.
func TestArchiveIsAStream(t *testing.T) {
	files := worldtest.NewFS()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	row := []byte(strings.Repeat("x", 1<<20))
	const rows = 64
	for range rows {
		w.Write(row)
	}
	w.Close()
	f, err := files.OpenFile("/a.gz", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.Write(packed.Bytes())
	g := &generation{file: newArchive(f), path: "/a.gz"}
	allocated := testing.AllocsPerRun(1, func() {
		if err := g.seek(context.Background(), rows<<20-10); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 200 {
		t.Errorf("%v allocations", allocated)
	}
	buf := make([]byte, 100)
	if n, err := g.file.Read(buf); n != 10 || err != nil {
		t.Errorf("read %d, error %v", n, err)
	}
	if size, err := g.size(); size != rows<<20 || err != nil {
		t.Errorf("size %d, error %v", size, err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := g.seek(cancelled, 5); err == nil {
		t.Error("seek does not end")
	}
	f.Close()
}
