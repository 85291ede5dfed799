package file

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wazuh-etl/etl/runtime/world"
)

// calendar is how Wazuh names what it writes: the file at a path is a hard
// link to YYYY/Mon/<prefix>DD[-NNN]<extension> in the same directory, and so is the
// one after a rotation. By and by each of them is compressed to …<extension>.gz.
type calendar struct {
	directory string
	prefix    string // "ossec-alerts-"
	extension string // ".json"
}

// calendarOf is the calendar that profile keeps for the file at path; nil if it keeps none.
func calendarOf(profile, path string) *calendar {
	directory, base := filepath.Split(path)
	extension := filepath.Ext(base)
	stem := strings.TrimSuffix(base, extension)
	switch profile {
	case "wazuh4":
		return &calendar{filepath.Clean(directory), "ossec-" + stem + "-", extension}
	case "wazuh5":
		return &calendar{filepath.Clean(directory), stem + "-", extension}
	}
	return nil
}

var monthNames = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// order is what a dated name, 2025/Nov/ossec-alerts-21-002.json, is sorted by
// among its like: a string that begins with year and month. ok is false for any other name.
func (c *calendar) order(name string) (order string, ok bool) {
	pieces := strings.Split(name, "/")
	if len(pieces) != 3 {
		return "", false
	}
	year, ok := digits(pieces[0], 4, 4)
	if !ok {
		return "", false
	}
	month := slices.Index(monthNames, pieces[1]) + 1
	rest, ours := strings.CutPrefix(pieces[2], c.prefix)
	rest, whole := strings.CutSuffix(rest, c.extension)
	if month == 0 || !ours || !whole {
		return "", false
	}
	text, number, numbered := strings.Cut(rest, "-")
	day, ok := digits(text, 2, 2)
	if !ok || day < 1 || day > 31 {
		return "", false
	}
	part := 0 // the first of a day has no number
	if numbered {
		if part, ok = digits(number, 1, 9); !ok {
			return "", false
		}
	}
	return fmt.Sprintf("%04d%02d%02d%09d", year, month, day, part), true
}

// digits is a number written with least to most digits and nothing else.
func digits(text string, least, most int) (int, bool) {
	if len(text) < least || len(text) > most || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// orderIn is the order of the dated path that the name of a generation begins with; empty if
// it has none.
func (c *calendar) orderIn(generation string) string {
	dated, _, ok := strings.Cut(generation, ":")
	if c == nil || !ok {
		return ""
	}
	order, _ := c.order(dated)
	return order
}

// list is the dated files from the month of the order since on, all for an
// empty one, oldest first. The same file compressed comes before the plain one: where they
// differ, it was there first.
func (c *calendar) list(files world.FS, since string) []member {
	var list []member
	years, _ := files.ReadDir(c.directory)
	for _, year := range years {
		if _, ok := digits(year.Name(), 4, 4); !ok || since != "" && year.Name() < since[:4] {
			continue
		}
		months, _ := files.ReadDir(filepath.Join(c.directory, year.Name()))
		for _, month := range months {
			n := slices.Index(monthNames, month.Name()) + 1
			if n > 0 && (since == "" || fmt.Sprintf("%s%02d", year.Name(), n) >= since[:6]) {
				list = append(list, c.month(files, path.Join(year.Name(), month.Name()))...)
			}
		}
	}
	slices.SortFunc(list, member.compare)
	return list
}

// month is the dated files in the directory YYYY/Mon.
func (c *calendar) month(files world.FS, name string) (list []member) {
	directory := filepath.Join(c.directory, filepath.FromSlash(name))
	entries, _ := files.ReadDir(directory)
	for _, entry := range entries {
		plain, compressed := strings.CutSuffix(entry.Name(), ".gz")
		m := member{path: filepath.Join(directory, entry.Name()), name: path.Join(name, plain), archive: compressed, kind: dated}
		order, ok := c.order(m.name)
		if m.order = order; !ok || entry.IsDir() {
			continue
		}
		if info, err := entry.Info(); err == nil {
			list = append(list, m.described(files, info))
		}
	}
	return list
}
