package file

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
)

// start is where reading begins.
type start struct {
	generation *generation // nil: with whatever appears at the path
	offset     int64
	previous   string // name of the generation before, where that one can't be read any more
	reachable  []bool // for each position: reading from here comes to it
	lost       []component.Position
}

// start looks for the files in which the positions were reached and opens the
// earliest. Where the file of one is gone, reading begins no later than with the one that
// the calendar has behind it, else at the start of the current file. Without any position, it begins as
// start_at says. The error is that of a file that can't be read.
func (s *Source) start(host *component.Host, from []component.Position) (begin start, err error) {
	for range 20 {
		if begin, err = s.attempt(host, from); !errors.Is(err, errMoved) {
			break
		}
	}
	return begin, err
}

// place is where a position is, as far as it can be found.
type place struct {
	index  int // in the members; -1: nowhere
	offset int64
	gone   bool // its own file is: this is what comes behind it
}

// attempt is start, unless files move meanwhile: then the error is errMoved.
func (s *Source) attempt(host *component.Host, from []component.Position) (result start, err error) {
	f := s.family(host)
	members, _ := f.members(f.since(from))
	result.reachable = make([]bool, len(from))
	if len(from) == 0 {
		if result.generation, result.offset, err = s.began(host, f, members); result.generation != nil || err != nil {
			return result, err
		}
	}
	var opened []*generation
	defer func() {
		if err != nil {
			result.generation = nil
		}
		for _, g := range opened {
			if g != result.generation {
				g.file.Close()
			}
		}
	}()
	places, earliest := make([]place, len(from)), place{index: -1}
	fresh := len(from) == 0
	for i, p := range from {
		places[i] = place{index: -1}
		if p.Generation == "" {
			fresh = true
			continue
		}
		g, err := f.find(p, members)
		if err != nil {
			return result, err
		}
		if g != nil {
			opened = append(opened, g)
			places[i] = place{index: slices.IndexFunc(members, g.is), offset: p.Offset}
		} else {
			result.lose(p)
			if places[i], err = f.behind(p, members); err != nil {
				return result, err
			}
		}
		if earlier(places[i], earliest) {
			earliest, result.generation = places[i], g
		}
	}
	n := len(members) - 1
	if fresh && n >= 0 && members[n].kind == current {
		if first := (place{index: n}); !s.atEnd && earlier(first, earliest) || earliest.index < 0 {
			earliest, result.generation = first, nil
		}
	}
	if earliest.index < 0 {
		return result, nil
	}
	if result.generation == nil {
		g, err := f.open(members[earliest.index])
		if errors.Is(err, fs.ErrNotExist) || err == nil && !g.is(members[earliest.index]) {
			err = errMoved
		}
		if err != nil {
			if g != nil {
				g.file.Close()
			}
			return result, err
		}
		opened = append(opened, g)
		result.generation = g
		if s.atEnd && fresh && len(result.lost) == 0 {
			earliest.offset = lineEnd(g)
		}
	}
	result.offset = earliest.offset
	for i, p := range places {
		read := p.index == earliest.index || p.index > earliest.index && members[p.index].kind != other
		result.reachable[i] = p.index >= 0 && !p.gone && read && !earlier(p, earliest)
	}
	return result, nil
}

// earlier says whether reading comes to p before q.
func earlier(p, q place) bool {
	if p.index < 0 || q.index < 0 {
		return p.index >= 0
	}
	return cmp.Or(cmp.Compare(p.index, q.index), cmp.Compare(p.offset, q.offset)) < 0
}

// lose adds p to what is lost: the rest of a file, once.
func (s *start) lose(p component.Position) {
	s.previous = p.Generation
	i := slices.IndexFunc(s.lost, func(q component.Position) bool { return q.Generation == p.Generation })
	if i < 0 {
		s.lost = append(s.lost, p)
	} else if p.Offset < s.lost[i].Offset {
		s.lost[i] = p
	}
}

// behind is where to go on if the file of p is gone.
func (f family) behind(p component.Position, members []member) (place, error) {
	order := f.calendar.orderIn(p.Generation)
	list, err := f.once(slices.DeleteFunc(slices.Clone(members), func(m member) bool {
		return m.kind != current && (order == "" || m.kind != dated || m.order < order)
	}))
	if err != nil || len(list) == 0 {
		return place{index: -1, gone: true}, err
	}
	return place{index: slices.Index(members, list[0]), gone: true}, nil
}

// since is the earliest order that positions need, empty if one has none.
func (f family) since(from []component.Position) string {
	since := ""
	for i, p := range from {
		order := f.calendar.orderIn(p.Generation)
		if order == "" {
			return ""
		}
		if i == 0 || order < since {
			since = order
		}
	}
	return since
}

// lineEnd is where the last complete line of g ends: a line that is being
// written now will be read whole.
func lineEnd(g *generation) int64 {
	size, err := g.size()
	if err != nil {
		return 0
	}
	buf := make([]byte, 64<<10)
	for size > 0 {
		n := min(size, int64(len(buf)))
		if _, err := g.file.ReadAt(buf[:n], size-n); err != nil {
			return 0
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return size - n + int64(i) + 1
		}
		size -= n
	}
	return 0
}
