package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

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
			onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
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
				r.finish()
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
			})
		})
	}
}

// The checkpoint lies behind the damage.
func TestCheckpointBehindTheDamage(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
		m.write(4000, random)
		r.must(r.once())
		position, damaged := r.out.positions[3500], m.name
		m.rotate(true, func() {})
		m.write(5, random)
		r.must(r.files.Remove(damaged))
		whole := zipped([]byte(lines(0, 4000)))
		r.append(damaged+".gz", string(whole[:len(whole)/2]))
		r.again(position)
		wantNumbers(t, r.out.lines, 4000, 4005)
		r.wantGaps(1, fmt.Sprintf("from=%d ", position.Offset))
	})
}

// A disk that fails while an archive is read is no damage.
func TestArchiveIsTriedAgain(t *testing.T) {
	onManaged(t, "wazuh4", func(t *testing.T, r *rig, m *manager, random *rand.Rand) {
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
