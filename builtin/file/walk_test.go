package file

import (
	"flag"
	"fmt"
	"math/rand/v2"
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

// Down over a weekend: the file of the checkpoint is compressed, so is one
// after it, days have several parts, month and year change.
func TestDownOverRotations(t *testing.T) {
	for profile := range stems {
		for _, follow := range []bool{true, false} {
			t.Run(fmt.Sprint(profile, follow), func(t *testing.T) {
				onManaged(t, profile, func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
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
					r.finish()
					wantNumbers(t, r.out.got(), 8, m.next)
					wantUnique(t, append(first.ids[:8:8], r.out.ids...))
					if r.out.ids[0] != first.ids[8] {
						t.Errorf("%s has now the id %s, had %s", line(8), r.out.ids[0], first.ids[8])
					}
					r.wantGaps(0)
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
	r.again(position)
	wantNumbers(t, r.out.lines, 3211, m.next)
	wantUnique(t, r.out.ids)
}

// What is compressed while it is read is read to its end all the same.
func TestCompressedWhileRead(t *testing.T) {
	for _, profile := range []string{"wazuh4", ""} {
		t.Run(profile, func(t *testing.T) {
			onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
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
				r.finish()
				wantNumbers(t, r.out.got(), 0, m.next)
				wantUnique(t, r.out.ids)
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
	r.wantGaps(0)
	m.done()
}

// The next file is there, alerts.json is still a link to the one before: that one comes first.
func TestNextFileIsMadeBeforeTheLink(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
		r.files.Blind(true)
		r.out.hold = make(chan struct{})
		m.write(3, random)
		r.start()
		m.rotate(true, func() {})
		m.write(3, random)
		m.rotate(true, func() { time.Sleep(time.Second) })
		m.write(3, random)
		close(r.out.hold)
		r.finish()
		wantNumbers(t, r.out.got(), 0, m.next)
	})
}

// More files than are held open at a time.
func TestLongWalk(t *testing.T) {
	for _, follow := range []bool{true, false} {
		onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
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
		})
	}
}

// The checkpoint's file has been removed, those behind it are there.
func TestWalkGoesOnBehindAFileThatIsGone(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
		m.write(5, random)
		r.must(r.once())
		position, gone := r.out.positions[2], m.name
		for range 3 {
			m.rotate(true, func() {})
			m.write(5, random)
		}
		m.compressAll()
		r.must(r.files.Remove(gone + ".gz"))
		r.again(position, position)
		wantNumbers(t, r.out.lines, 5, m.next)
		r.wantGaps(1, "from=24 to=unknown")
	})
}

// The clock is put back: the manager goes on in a file of an earlier day.
func TestClockPutBack(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
		m.write(5, random)
		r.start()
		m.day = m.day.AddDate(0, -2, 0)
		m.rotate(true, func() {})
		m.write(5, random)
		r.finish()
		wantNumbers(t, r.out.got(), 0, 10)
		position := r.out.positions[2] // in the file that is ahead now
		r.out = &collector{}
		r.start(position)
		time.Sleep(time.Second)
		m.day = m.day.AddDate(0, 3, 0)
		m.rotate(true, func() {})
		m.write(5, random)
		r.finish()
		wantNumbers(t, r.out.got(), 3, 15)
	})
}

// The manager was started again on the same day, after monitord had compressed
// its file: the same dated name for a second time.
func TestDatedNameTwice(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
		m.write(5, random)
		r.must(r.once())
		position := r.out.positions[2]
		m.old = append(m.old, m.name)
		m.compressAll()
		m.must(m.file.Close())
		m.open()
		r.must(r.files.Remove(alerts))
		m.link()
		m.write(5, random)
		m.rotate(true, func() {})
		m.write(5, random)
		r.again(position)
		wantNumbers(t, r.out.lines, 3, 15)
		wantUnique(t, r.out.ids)
	})
}

// An operator has unpacked an old file beside its archive.
func TestUnpackedBesideItsArchive(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
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
		r.again(position)
		wantNumbers(t, r.out.lines, 3, 15)
	})
}

// The compressed files of logrotate are read as well.
func TestCompressedSiblings(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 5))
		r.must(r.once())
		position := r.out.positions[2]
		r.must(r.files.Remove(alerts))
		r.append(alerts+".3.gz", string(zipped([]byte(lines(0, 6)))))
		r.append(alerts+".2.gz", string(zipped([]byte(lines(6, 9)))))
		r.append(alerts+".1", lines(9, 12))
		r.append(alerts, lines(12, 14))
		r.again(position)
		wantNumbers(t, r.out.lines, 3, 14)
	})
}

// A first start reads the live file only: what is older has been dealt with.
func TestFirstStartLeavesTheArchivesAlone(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
		m.write(5, random)
		m.rotate(true, func() {})
		m.write(5, random)
		r.must(r.once())
		wantNumbers(t, r.out.lines, 5, 10)
		if !strings.HasPrefix(r.out.ids[0], "2025/Dec/ossec-alerts-29.json:") {
			t.Errorf("id %s", r.out.ids[0])
		}
	})
}
