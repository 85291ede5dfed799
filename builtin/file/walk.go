package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
)

// after are the members that came behind the file g and are named by the same kind of
// rotation; only the current one if nobody knows where g was among them. stable is as for members.
func (f family) after(g *generation) (list []member, stable bool) {
	members, stable := f.members(g.order)
	if f.calendar != nil && g.order != "" {
		list, err := f.afterDate(g, members)
		return list, stable && err == nil
	}
	i, rotation := f.index(g, members), current
	if i >= 0 {
		rotation = members[i].kind
	}
	list = slices.DeleteFunc(members[i+1:], func(m member) bool {
		return m.kind != current && (m.kind != rotation || m.kind == other)
	})
	list, err := f.once(list)
	return list, stable && err == nil
}

// afterDate is after where the calendar knows where g was, whether it is still there or not.
func (f family) afterDate(g *generation, members []member) (list []member, err error) {
	for _, m := range members {
		switch {
		case g.is(m):
			list = nil // what is before it has its name, but was there first
		case m.kind == current || m.kind == dated && m.order >= g.order:
			if m.order == g.order && m.name == g.dated {
				if same, err := f.holds(m, g); err != nil || same {
					if err != nil {
						return nil, err
					}
					continue
				}
			}
			list = append(list, m)
		}
	}
	return f.once(list)
}

// index is where g is among members, under its name or compressed; -1 if it is nowhere.
func (f family) index(g *generation, members []member) int {
	if i := slices.IndexFunc(members, g.is); i >= 0 {
		return i
	}
	for i := len(members) - 1; i >= 0; i-- { // it was compressed lately
		if members[i].archive {
			if same, err := f.holds(members[i], g); err == nil && same {
				return i
			}
		}
	}
	return -1
}

// once is list without the compressed files that are there as they were, too: they are
// being compressed now.
func (f family) once(list []member) ([]member, error) {
	for i := 0; i+1 < len(list); i++ {
		if plain := list[i+1]; list[i].archive && !plain.archive && plain.name == list[i].name {
			g, err := f.open(plain)
			if err != nil {
				return nil, err
			}
			same, err := f.holds(list[i], g)
			g.file.Close()
			if err != nil {
				return nil, err
			}
			if same {
				list = slices.Delete(list, i, i+1)
			}
		}
	}
	return list, nil
}

// holds says whether m is another file with what g holds, as far as the beginning tells: one of
// them compressed, maybe only in part yet.
func (f family) holds(m member, g *generation) (bool, error) {
	h, err := f.open(m)
	if err != nil {
		return false, err
	}
	defer h.file.Close()
	mine, err := beginning(h)
	if err != nil {
		return false, err
	}
	its, err := beginning(g)
	if err != nil {
		return false, err
	}
	switch {
	case h.archive() != nil && g.archive() == nil:
		return bytes.HasPrefix(its, mine), nil
	case h.archive() == nil && g.archive() != nil:
		return bytes.HasPrefix(mine, its), nil
	}
	return len(mine) > 0 && bytes.Equal(mine, its), nil
}

func beginning(g *generation) ([]byte, error) {
	buf := make([]byte, 4096)
	n, err := g.file.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", g.path, err)
	}
	return buf[:n], nil
}

// errMoved says that files were renamed or compressed while they were looked through.
var errMoved = errors.New("files have moved meanwhile")

// find opens the file in which position was reached; nil if there is none.
// Where several would do, the one with the position's inode is it, then a plain one, then the oldest,
// since reading twice is better than not reading. The error is errMoved, or that of the file that it should be.
func (f family) find(position component.Position, members []member) (*generation, error) {
	name, _, _ := strings.Cut(position.Generation, ":")
	order := f.calendar.orderIn(position.Generation)
	likely := func(m member) int {
		switch {
		case m.device == position.Device && m.inode == position.Inode:
			return 0
		case m.archive:
			return 2
		}
		return 1
	}
	candidates := slices.Clone(members)
	slices.SortStableFunc(candidates, func(a, b member) int { return likely(a) - likely(b) })
	for _, m := range candidates {
		elsewhere := order != "" && m.order != "" && m.name != name && likely(m) > 0
		if elsewhere || !m.archive && m.size < position.Offset {
			continue
		}
		g, err := f.open(m)
		if err == nil {
			fits := false
			if fits, err = g.fits(position); fits && g.is(m) {
				g.name = position.Generation
				return g, nil
			}
			g.file.Close()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist) || g != nil && !g.is(m):
			return nil, errMoved
		case err != nil && (likely(m) == 0 || order != "" && m.name == name):
			return nil, fmt.Errorf("looking for the file that was being read: %w", err)
		}
	}
	return nil, nil
}
