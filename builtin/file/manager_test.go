package file

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

// manager writes numbered alerts, rotates and compresses as a Wazuh manager
// does (src/analysisd/alerts/getloglocation.c, src/monitord).
type manager struct {
	t     testing.TB
	files disk
	path  string
	stem  string // of the dated names
	day   time.Time
	part  int
	file  world.File
	name  string // dated, of file
	empty bool
	next  int
	old   []string   // closed and not compressed
	half  world.File // an archive that is not complete, of old[0]
	rest  []byte
}

func newManager(t testing.TB, files disk, path, stem string) *manager {
	m := &manager{t: t, files: files, path: path, stem: stem, day: time.Date(2025, time.December, 28, 0, 0, 0, 0, time.UTC)}
	m.open()
	t.Cleanup(func() { m.file.Close() })
	return m
}

func (m *manager) must(err error) {
	if err != nil {
		m.t.Helper()
		m.t.Fatal(err)
	}
}

func (m *manager) open() {
	part := ""
	if m.part > 0 {
		part = fmt.Sprintf("-%03d", m.part)
	}
	m.name = filepath.Join(filepath.Dir(m.path), m.day.Format("2006/Jan"), m.stem+m.day.Format("-02")+part+".json")
	m.must(m.files.MkdirAll(filepath.Dir(m.name), 0o750))
	f, err := m.files.OpenFile(m.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	m.must(err)
	m.file, m.empty = f, true
}

// rotate goes on to the next part of the day, or to the next day.
func (m *manager) rotate(day bool, between func()) {
	m.must(m.file.Close())
	if m.empty {
		m.must(m.files.Remove(m.name))
	} else {
		m.old = append(m.old, m.name)
	}
	if m.part++; day {
		m.day, m.part = m.day.AddDate(0, 0, 1), 0
	}
	m.open()
	between()
	m.must(m.files.Remove(m.path))
	between()
	m.link()
}

func (m *manager) link() { m.must(m.files.Link(m.name, m.path)) }

// write writes n lines in pieces that do not end where lines do.
func (m *manager) write(n int, random *rand.Rand) {
	text := lines(m.next, m.next+n)
	m.next += n
	m.empty = m.empty && n == 0
	for text != "" {
		cut := min(len(text), 1+random.IntN(60))
		_, err := io.WriteString(m.file, text[:cut])
		m.must(err)
		text = text[cut:]
	}
}

// compress begins to compress the oldest file that is closed; done ends it.
func (m *manager) compress() {
	if m.done(); len(m.old) == 0 {
		return
	}
	content, err := m.files.ReadFile(m.old[0])
	m.must(err)
	f, err := m.files.OpenFile(m.old[0]+".gz", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	m.must(err)
	packed := zipped(content)
	_, err = f.Write(packed[:len(packed)/2])
	m.must(err)
	m.half, m.rest = f, packed[len(packed)/2:]
}

func (m *manager) done() {
	if m.half == nil {
		return
	}
	_, err := m.half.Write(m.rest)
	m.must(err)
	m.must(m.half.Close())
	m.must(m.files.Remove(m.old[0]))
	m.half, m.old = nil, m.old[1:]
}

// compressAll compresses all that is closed.
func (m *manager) compressAll() {
	for len(m.old) > 0 {
		m.compress()
		m.done()
	}
}

func zipped(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(content)
	w.Close()
	return b.Bytes()
}
