package file

import (
	"cmp"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// family is the file at a path and those that were there before it.
type family struct {
	files world.FS
	path  string
	wazuh bool // dated hard links in YYYY/Mon below the file's directory
}

// member is one file of a family.
type member struct {
	path          string
	device, inode uint64
	size          int64
	modified      time.Time
	order         string // sorts members of the same kind, oldest first
	kind          kind
}

// kind is how the name of a member shows that it is one.
type kind uint8

const (
	other   kind = iota // looks related: worth a look for a lost position, but not read for itself
	counted             // alerts.json.1
	dated               // alerts.json-20251121, alerts-2025-11-21.json, 2025/Nov/ossec-alerts-21.json
	current             // the path itself
)

// members are all that can be found now, oldest first, the current one last
// and under no other name. Nobody looks at all names at once: stable is false if they
// went on changing, so that one may be missing or in the wrong place.
func (f family) members() (list []member, stable bool) {
	list = f.list()
	for range 20 {
		again := f.list()
		if slices.EqualFunc(list, again, func(a, b member) bool {
			return a.path == b.path && a.device == b.device && a.inode == b.inode
		}) {
			return again, true
		}
		list = again
	}
	return list, false
}

// list is one attempt at members.
func (f family) list() []member {
	var list []member
	now, err := f.files.Stat(f.path)
	have := err == nil
	var device, inode uint64
	if have {
		device, inode = f.files.Identity(now)
	}
	add := func(path string, info fs.FileInfo, k kind, order string) {
		m := member{path: path, size: info.Size(), modified: info.ModTime(), kind: k, order: order}
		m.device, m.inode = f.files.Identity(info)
		if !have || m.device != device || m.inode != inode {
			list = append(list, m)
		}
	}
	f.siblings(add)
	if f.wazuh {
		f.datedLinks(add)
	}
	slices.SortStableFunc(list, func(a, b member) int {
		if a.kind == b.kind && a.kind != other {
			return cmp.Compare(a.order, b.order)
		}
		return a.modified.Compare(b.modified)
	})
	if have {
		list = append(list, member{path: f.path, device: device, inode: inode, size: now.Size(), kind: current})
	}
	return list
}

// siblings are the files beside the path whose names begin like it.
func (f family) siblings(add func(string, fs.FileInfo, kind, string)) {
	directory, base := filepath.Split(f.path)
	extension := filepath.Ext(base)
	stem := strings.TrimSuffix(base, extension)
	entries, err := f.files.ReadDir(directory)
	if err != nil {
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == base || entry.IsDir() || compressed(name) {
			continue
		}
		suffix, ok := strings.CutPrefix(name, base)
		if !ok {
			if suffix, ok = strings.CutPrefix(name, stem); !ok {
				continue
			}
			if suffix, ok = strings.CutSuffix(suffix, extension); !ok {
				continue
			}
		}
		if suffix == "" || !strings.ContainsRune(".-_", rune(suffix[0])) {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue
		}
		k, order := rotated(suffix[0], suffix[1:])
		add(filepath.Join(directory, name), info, k, order)
	}
}

// rotated tells by what a rotation added to a name, behind a separator, how
// its files are ordered.
func rotated(separator byte, suffix string) (kind, string) {
	if n, err := strconv.Atoi(suffix); err == nil && n > 0 && len(suffix) < 6 {
		if separator != '.' { // app-2.log is the log of a second app
			return other, ""
		}
		return counted, strconv.Itoa(1_000_000 - n) // the highest is the oldest
	}
	if strings.Trim(suffix, "0123456789-_.:TZ+") == "" && suffix != "" {
		return dated, suffix
	}
	return other, ""
}

// datedLinks are Wazuh's YYYY/Mon/ossec-alerts-DD.json and -DD-NNN.json.
func (f family) datedLinks(add func(string, fs.FileInfo, kind, string)) {
	directory, base := filepath.Split(f.path)
	extension := filepath.Ext(base)
	prefix := "ossec-" + strings.TrimSuffix(base, extension) + "-"
	years, _ := f.files.ReadDir(directory)
	for _, year := range years {
		if n, err := strconv.Atoi(year.Name()); err != nil || n < 1970 || !year.IsDir() {
			continue
		}
		for i, month := range monthNames {
			entries, err := f.files.ReadDir(filepath.Join(directory, year.Name(), month))
			if err != nil {
				continue
			}
			for _, entry := range entries {
				day, ok := strings.CutPrefix(entry.Name(), prefix)
				if !ok || !strings.HasSuffix(day, extension) {
					continue
				}
				if info, err := entry.Info(); err == nil {
					order := year.Name() + "/" + string(rune('a'+i)) + "/" + strings.TrimSuffix(day, extension)
					add(filepath.Join(directory, year.Name(), month, entry.Name()), info, dated, order)
				}
			}
		}
	}
}

var monthNames = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// datedName is what Wazuh calls the file g beside alerts.json:
// 2025/Nov/ossec-alerts-21.json. It is empty if there is no such link any more.
func (f family) datedName(g *generation) string {
	if !f.wazuh {
		return ""
	}
	found := ""
	family{files: f.files, path: f.path, wazuh: true}.datedLinks(func(path string, info fs.FileInfo, _ kind, _ string) {
		if device, inode := f.files.Identity(info); device == g.device && inode == g.inode {
			found, _ = filepath.Rel(filepath.Dir(f.path), path)
		}
	})
	return filepath.ToSlash(found)
}

// archived is the compressed file that the one of position may have become;
// empty if there is none. Its offsets are the same.
func (f family) archived(position component.Position) string {
	names := []string{position.Path}
	if dated, _, ok := strings.Cut(position.Generation, ":"); ok {
		names = append(names, filepath.Join(filepath.Dir(f.path), dated))
	}
	for _, name := range names {
		if _, err := f.files.Stat(name + ".gz"); err == nil {
			return name + ".gz"
		}
	}
	return ""
}

// compressed files hold what can't be read at an offset.
func compressed(name string) bool {
	switch filepath.Ext(name) {
	case ".gz", ".zst", ".xz", ".bz2", ".sum":
		return true
	}
	return false
}

// find opens the file in which position was reached; nil if there is none.
// Where several would do, the one with the position's inode is it, then the oldest,
// since reading twice is better than not reading.
func (f family) find(position component.Position, members []member) *generation {
	hinted := func(m member) bool { return m.device == position.Device && m.inode == position.Inode }
	byHint := slices.Clone(members)
	slices.SortStableFunc(byHint, func(a, b member) int {
		switch {
		case hinted(a) && !hinted(b):
			return -1
		case hinted(b) && !hinted(a):
			return 1
		}
		return 0
	})
	for _, m := range byHint {
		if m.size < position.Offset {
			continue
		}
		g, err := openGeneration(f.files, m.path)
		if err != nil {
			continue
		}
		if g.fits(position) {
			g.name = position.Generation
			return g
		}
		g.file.Close()
	}
	return nil
}

// after are the members that came behind the file g and are named by the same kind of
// rotation; only the current one if g is not among them any more. stable is as for members.
func (f family) after(g *generation) (list []member, stable bool) {
	members, stable := f.members()
	i, rotation := slices.IndexFunc(members, g.is), current
	if i >= 0 {
		rotation = members[i].kind
	}
	return slices.DeleteFunc(members[i+1:], func(m member) bool {
		return m.kind != current && (m.kind != rotation || m.kind == other)
	}), stable
}

// is says whether m is a name of g.
func (g *generation) is(m member) bool { return g.device == m.device && g.inode == m.inode }
