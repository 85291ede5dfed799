package file

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"math"
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
	cut        []component.Position // what there is of their files ends before them
}

// start looks for the files in which the positions were reached and opens the
// earliest. Where the file of one is gone, reading begins no later than with the oldest one that
// is left behind it. Without any position, it begins where the first run did, else as
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
	result.reachable = make([]bool, len(from))
	var first *firstRun
	if len(from) == 0 {
		if first = s.began(host); first != nil && first.Generation != "" {
			from = []component.Position{first.Position}
		}
	}
	members, err := f.members(f.since(from))
	if err != nil {
		return result, err
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
	if fresh && first != nil {
		earliest = f.unnamed(first, members)
		fresh = earliest.index < 0
	}
	for i, p := range from {
		places[i] = place{index: -1}
		if p.Generation == "" {
			fresh = true
			continue
		}
		g, offset, err := f.reached(p, members)
		if err != nil {
			return result, err
		}
		switch {
		case g == nil:
			result.lose(p)
			if places[i], err = f.behind(p, members); err != nil {
				return result, err
			}
		case offset < p.Offset:
			result.cut = append(result.cut, p)
			fallthrough
		default:
			opened = append(opened, g)
			places[i] = place{index: slices.IndexFunc(members, g.is), offset: offset}
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
	for i := range result.reachable {
		p := places[i]
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

// reached opens the file in which p was reached, and says where it goes on there: at its end, if it is a copy
// that was made before p was reached. nil if the file is gone.
func (f family) reached(p component.Position, members []member) (g *generation, offset int64, err error) {
	if g, err = f.find(p, members); g != nil || err != nil || f.history == nil {
		return g, p.Offset, err
	}
	for _, m := range members {
		if m.generation != p.Generation || m.kind == current && m.size >= p.Offset {
			continue
		}
		if m.kind == current { // it was replaced by a smaller one that begins with the same line
			f.history.leave(m.id, p.Offset)
			return nil, 0, errMoved
		}
		if g, err = f.open(m); errors.Is(err, fs.ErrNotExist) || err == nil && !g.is(m) {
			err = errMoved
		}
		if err == nil {
			offset, err = g.size()
		}
		if err == nil && offset < p.Offset {
			return g, offset, nil
		}
		if g != nil {
			g.file.Close()
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, nil
}

// behind is where to go on if the file of p is gone: with the oldest that was written later.
func (f family) behind(p component.Position, members []member) (place, error) {
	if f.history != nil {
		return f.oldest(f.history.named(p.Generation), members), nil
	}
	order := f.calendar.orderIn(p.Generation)
	list, err := f.once(slices.DeleteFunc(slices.Clone(members), func(m member) bool {
		return m.kind != current && (order == "" || m.kind != dated || m.order < order)
	}))
	if err != nil || len(list) == 0 {
		return place{index: -1, gone: true}, err
	}
	return place{index: slices.IndexFunc(members, func(m member) bool { return m.path == list[0].path }), gone: true}, nil
}

// oldest is the first member behind the record id, or of all if the history does not have that.
func (f family) oldest(id int64, members []member) place {
	places := f.history.places()
	from, ok := places[id]
	if !ok {
		from = -1
	}
	list := between(members, places, from, math.MaxInt)
	if len(list) == 0 {
		return place{index: -1, gone: true}
	}
	return place{index: slices.IndexFunc(members, func(m member) bool { return m.id == list[0].id }), gone: true}
}

// since is what to look for to go on from positions.
func (f family) since(from []component.Position) since {
	s := since{positions: from, starting: true}
	for i, p := range from {
		order := f.calendar.orderIn(p.Generation)
		if order == "" {
			s.order = ""
			return s
		}
		if i == 0 || order < s.order {
			s.order = order
		}
	}
	return s
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
