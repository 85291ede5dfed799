package file

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// family is the file at a path and those that were there before it. It has either a
// calendar or a history.
type family struct {
	files    world.FS
	path     string
	calendar *calendar
	history  *history
}

// since says what is looked for among the members of a family.
type since struct {
	order     string               // of a calendar's files: those from its month on; all if it is empty
	positions []component.Position // to go on from
	starting  bool                 // nothing is read yet
}

// member is one file of a family.
type member struct {
	path          string
	name          string // path without .gz; from the calendar's directory, if the calendar has it
	archive       bool   // it is the compressed file of that name
	device, inode uint64
	size          int64 // of the file as it is
	modified      time.Time
	order         string // sorts members of the same kind, oldest first
	kind          kind

	// Without a calendar:
	shape      string // what is between the name of the current file and the suffix
	head       []byte // how it begins
	print      string // fingerprint
	complete   bool   // the fingerprint is that of a whole line
	seen       int64  // its size before it was looked into
	id         int64  // its record in the history; 0: none
	itself     bool   // it is the very file of the record, no copy
	at         int    // where the record is in the history; -1: it is no generation
	before     int64  // the record before that one; 0: there is none
	generation string // name
}

// kind is how the name of a member shows that it is one.
type kind uint8

const (
	other   kind = iota // looks related: worth a look for a lost position, but not read for itself
	counted             // alerts.json.1
	dated               // alerts.json-20251121, alerts-2025-11-21.json, 2025/Nov/ossec-alerts-21.json
	current             // the path itself
)

// described is m with what info says of it.
func (m member) described(files world.FS, info fs.FileInfo) member {
	m.device, m.inode = files.Identity(info)
	m.size, m.modified = info.Size(), info.ModTime()
	return m
}

// compare sorts members of the same kind. Of a file that is there compressed and plain the
// compressed one comes first: if they differ, it was there before.
func (m member) compare(n member) int {
	if c := cmp.Compare(m.order, n.order); c != 0 || m.archive == n.archive {
		return c
	}
	if m.archive {
		return -1
	}
	return 1
}

// is says whether m is a name of g.
func (g *generation) is(m member) bool { return g.device == m.device && g.inode == m.inode }

// members are all that can be found now, oldest first, the current one last
// and under no other name. Nobody looks at all names at once: the error is errMoved if they went on changing, so
// that one may be missing or in the wrong place.
func (f family) members(s since) ([]member, error) {
	known := f.history.known()
	list := f.list(s.order)
	for range 20 {
		err := error(nil)
		if f.history != nil {
			err = f.look(list)
		}
		again := f.list(s.order)
		if !slices.EqualFunc(list, again, func(a, b member) bool {
			return a.path == b.path && a.device == b.device && a.inode == b.inode
		}) {
			list = again
			continue
		}
		if f.history == nil || err != nil && !errors.Is(err, errMoved) {
			return again, err
		}
		for i := range again {
			m, seen := &again[i], list[i]
			m.head, m.print, m.complete, m.seen, m.id = seen.head, seen.print, seen.complete, seen.size, seen.id
		}
		if err == nil {
			if list, err = f.history.register(again, s, known); err == nil {
				return list, nil
			}
		}
		known = f.history.known()
		list = f.list(s.order)
	}
	return list, errMoved
}

// look reads how each of list begins. The error is errMoved if one is not there any more. What the history knows to be
// no generation need not be readable.
func (f family) look(list []member) error {
	for i := range list {
		m := &list[i]
		g, err := f.raw(*m)
		if err == nil && !g.is(*m) {
			err = errMoved
		}
		if err == nil {
			head := make([]byte, headWindow)
			var n int
			if n, err = g.file.ReadAt(head, 0); err == io.EOF {
				err = nil
			}
			m.head = head[:n]
		}
		if err == nil {
			m.print, m.complete, err = fingerprint(g.file)
		}
		if g != nil {
			g.file.Close()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return errMoved
		case errors.Is(err, fs.ErrPermission) && m.kind != current: // who wants to read it is told
		case err != nil && m.kind != current && f.history.foreign(m) != 0:
			m.id = f.history.foreign(m)
		case err != nil:
			return err
		}
	}
	return nil
}

// list is one attempt at members.
func (f family) list(since string) []member {
	now := member{path: f.path, name: f.path, kind: current}
	info, err := f.files.Stat(f.path)
	have := err == nil
	if have {
		now = now.described(f.files, info)
	}
	list := f.siblings()
	if f.calendar != nil { // they are no rotations of Wazuh's
		for i := range list {
			list[i].kind, list[i].order = other, ""
		}
	}
	list = slices.DeleteFunc(list, func(m member) bool { return have && m.device == now.device && m.inode == now.inode })
	slices.SortStableFunc(list, func(a, b member) int {
		if a.kind == b.kind && a.kind != other {
			return a.compare(b)
		}
		return a.modified.Compare(b.modified)
	})
	if f.calendar != nil {
		return f.dated(list, now, have, since)
	}
	if have {
		list = append(list, now)
	}
	return list
}

// dated adds the files of the calendar to list. The current one is one of them; those that come
// behind it are still being made, or were written when the clock was ahead.
func (f family) dated(list []member, now member, have bool, since string) []member {
	all := f.calendar.list(f.files, since)
	if !have {
		return append(list, all...)
	}
	isNow := func(m member) bool { return m.device == now.device && m.inode == now.inode }
	at := slices.IndexFunc(all, isNow)
	if at < 0 && since != "" { // the clock was put back, or the link is gone
		if older := f.calendar.list(f.files, ""); slices.ContainsFunc(older, isNow) {
			all = older
			at = slices.IndexFunc(all, isNow)
		}
	}
	if at < 0 && now.size == 0 { // Wazuh takes the dated name from a file that stayed empty, before it makes the next
		return append(list, all...)
	}
	if at < 0 {
		return append(append(list, all...), now)
	}
	now.name, now.order = all[at].name, all[at].order
	for _, ahead := range all[at+1:] {
		ahead.kind = other
		list = append(list, ahead)
	}
	return append(append(list, all[:at]...), now)
}

// siblings are the files beside the path whose names begin like it.
func (f family) siblings() (list []member) {
	directory, base := filepath.Split(f.path)
	extension := filepath.Ext(base)
	stem := strings.TrimSuffix(base, extension)
	entries, err := f.files.ReadDir(directory)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name, archive := strings.CutSuffix(entry.Name(), ".gz")
		if entry.Name() == base || !entry.Type().IsRegular() || foreign(name) {
			continue
		}
		shape := base
		suffix, ok := strings.CutPrefix(name, base)
		if !ok {
			if suffix, ok = strings.CutPrefix(name, stem); !ok {
				continue
			}
			if suffix, ok = strings.CutSuffix(suffix, extension); !ok {
				continue
			}
			shape = stem
		}
		m := member{path: filepath.Join(directory, entry.Name()), name: filepath.Join(directory, name), archive: archive}
		switch {
		case suffix == "" && archive: // alerts.json.gz
		case suffix == "" || !strings.ContainsRune(".-_", rune(suffix[0])):
			continue
		default:
			m.kind, m.order = rotated(suffix[0], suffix[1:])
			m.shape = shape + suffix[:1]
		}
		if info, err := entry.Info(); err == nil {
			list = append(list, m.described(f.files, info))
		}
	}
	return list
}

// countedFrom less the number of a counted file is its order.
const countedFrom = 1_000_000

// rotated tells by what a rotation added to a name, behind a separator, how
// its files are ordered.
func rotated(separator byte, suffix string) (kind, string) {
	if n, err := strconv.Atoi(suffix); err == nil && n > 0 && len(suffix) < 6 {
		if separator != '.' { // app-2.log is the log of a second app
			return other, ""
		}
		return counted, strconv.Itoa(countedFrom - n) // the highest is the oldest, mostly
	}
	if strings.Trim(suffix, "0123456789-_.:TZ+") == "" && suffix != "" {
		return dated, suffix
	}
	return other, ""
}

// foreign files hold what can't be read at an offset.
func foreign(name string) bool {
	switch filepath.Ext(name) {
	case ".zst", ".xz", ".bz2", ".sum":
		return true
	}
	return false
}
