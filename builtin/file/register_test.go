package file

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/world"
)

// meddled is a file system on which something happens behind a directory's being read.
type meddled struct {
	world.FS
	behind []func() // each reading of a directory
}

func (m *meddled) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := m.FS.ReadDir(name)
	if len(m.behind) > 0 {
		do := m.behind[0]
		m.behind = m.behind[1:]
		do()
	}
	return list, err
}

// Who has looked at the files before another one, and comes to write down what it saw after that one, looks again.
func TestALookThatIsOldIsForgotten(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, "")
		now := r.source.family(r.host)
		old := now
		look := func(f family) []member {
			t.Helper()
			list, err := f.members(since{})
			r.must(err)
			return list
		}
		old.files = &meddled{now.files, []func(){func() {}, func() {
			r.append(alerts, lines(0, 3))
			r.must(r.files.Rename(alerts, alerts+".1"))
			r.append(alerts, "")
			look(now)
		}}}
		look(old)
		r.append(alerts, lines(3, 6))
		r.must(r.files.Rename(alerts, alerts+".2"))
		r.append(alerts, lines(6, 9))
		for i, m := range look(now) {
			if n := printOf(m.generation); m.generation != n || m.at != i {
				t.Errorf("%s is %q at %d", m.path, m.generation, m.at)
			}
		}
	})
}

// Which way numbers go is seen by what is known, whatever empty files there are in between.
func TestNumbersGoWhereTheyWent(t *testing.T) {
	for name, c := range map[string]struct {
		known, fresh string // numbers, oldest first; 0: an empty file
		empty        int
		up           bool
	}{
		"shifted, one known":       {"4", "1 2 3", 0, false},
		"counts on, one known":     {"1", "2 3 4", 0, true},
		"shifted, two known":       {"4 3", "1 2", 0, false},
		"counts on, two known":     {"1 2", "3 4", 0, true},
		"counts on, an empty one":  {"1 3", "2 4 5", 2, true},
		"shifted, an empty one":    {"5 3", "1 2 4", 4, false},
		"one known, an empty one":  {"2", "1 3 4", 1, true},
		"shifted, an empty newest": {"2", "1 3", 3, false},
		"nothing known":            {"", "1 2 3", 0, true}, // by their times
	} {
		r := &register{}
		add := func(numbers string, id int64) {
			for i, n := range strings.Fields(numbers) {
				m := member{kind: counted, path: n, head: []byte("x"), id: id * int64(i+1), modified: time.Unix(int64(i), 0)}
				_, m.order = rotated('.', n)
				if m.number() == c.empty {
					m.head = nil
				}
				r.members = append(r.members, m)
				if id != 0 {
					r.records = append(r.records, record{ID: m.id})
				}
			}
		}
		add(c.known, 1)
		add(c.fresh, 0)
		var fresh []*member
		for i := range r.members[len(r.records):] {
			fresh = append(fresh, &r.members[len(r.records)+i])
		}
		if up := r.upwards(fresh); up != c.up {
			t.Errorf("%s: up %v", name, up)
		}
	}
}

// Of several copies of a generation the one that is whole is read.
func TestTheLongestCopyIsRead(t *testing.T) {
	r := &register{records: []record{{ID: 7, Name: "x"}}, members: []member{
		{path: "part", id: 7, size: 10, kind: counted}, {path: "whole", id: 7, size: 20, kind: counted},
	}}
	list := between(r.sorted(), map[int64]int{7: 0}, -1, 1)
	if len(list) != 1 || list[0].path != "whole" {
		t.Errorf("%v", list)
	}
}

// Numbers of files that only begin like another one say nothing about which way numbers go.
func TestCopiesDoNotTellWhichWayNumbersGo(t *testing.T) {
	r := &register{records: []record{{ID: 7}}}
	for _, n := range []string{"4", "3", "2", "1"} {
		m := member{kind: counted, path: n, head: []byte("x")}
		_, m.order = rotated('.', n)
		switch n {
		case "1":
			m.id, m.itself = 7, true
		case "4":
			m.id = 7
		}
		r.members = append(r.members, m)
	}
	if !r.upwards([]*member{&r.members[1], &r.members[2]}) {
		t.Error("1 is the oldest, and yet they count down")
	}
}
