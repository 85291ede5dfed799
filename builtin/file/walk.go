package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
)

// after are the members that came behind the file g. The error is errMoved, or that of a file that can't be read.
func (f family) after(g *generation) (list []member, err error) {
	members, err := f.members(since{order: g.order})
	if err != nil {
		return nil, err
	}
	if f.history != nil {
		places := f.history.places()
		return slices.DeleteFunc(between(members, places, f.place(g, members, places), math.MaxInt), g.is), nil
	}
	if g.order != "" {
		return f.afterDate(g, members)
	}
	return f.once(slices.DeleteFunc(members[f.index(g, members)+1:], func(m member) bool { return m.kind != current }))
}

// place is where g is in the history. If it has been forgotten, only the current file is behind it.
func (f family) place(g *generation, members []member, places map[int64]int) int {
	if at, ok := places[g.id.Load()]; ok {
		return at
	}
	for _, m := range members {
		if at, ok := places[m.id]; ok && g.is(m) {
			return at
		} else if ok && m.kind == current {
			return at - 1
		}
	}
	return math.MaxInt
}

// between are the members that the history has between two places, each generation once.
func between(members []member, places map[int64]int, from, to int) (list []member) {
	for _, m := range members {
		at, ok := places[m.id] // others may have come in since members were looked for
		if !ok || m.at < 0 || at <= from || at >= to {
			continue
		}
		if n := len(list) - 1; n >= 0 && list[n].id == m.id {
			if m.likeness() < list[n].likeness() {
				list[n] = m
			}
			continue
		}
		list = append(list, m)
	}
	return list
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

// index is where g is among members of a calendar, under its name or compressed; -1 if it is nowhere.
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
	buf := make([]byte, headWindow)
	n, err := g.file.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", g.path, err)
	}
	return buf[:n], nil
}

// errMoved says that files were renamed or compressed while they were looked through.
var errMoved = errors.New("files have moved meanwhile")

// find opens the file in which position was reached; nil if there is none.
// Where the history does not tell and several would do, the one with the position's inode is it, then a plain one, then the
// oldest, since reading twice is better than not reading. The error is errMoved, or that of the file that it should be.
func (f family) find(position component.Position, members []member) (*generation, error) {
	name, _, _ := strings.Cut(position.Generation, ":")
	order := f.calendar.orderIn(position.Generation)
	known := slices.ContainsFunc(members, func(m member) bool { return m.generation != "" && m.generation == position.Generation })
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
		if known || m.generation != "" {
			elsewhere = m.generation != position.Generation
		}
		if elsewhere || !known && !m.archive && m.size < position.Offset {
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
		case err != nil && (known || likely(m) == 0 || order != "" && m.name == name):
			return nil, fmt.Errorf("looking for the file that was being read: %w", err)
		}
	}
	return nil, nil
}
