package file

import (
	"bytes"
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
// earliest. Where the file of one is gone, reading begins no later than at the start of
// the current file. Without any, it begins as start_at says.
func (s *Source) start(host *component.Host, from []component.Position) start {
	f := s.family(host)
	members, _ := f.members()
	result := start{reachable: make([]bool, len(from))}
	var opened []*generation
	found := make([]int, len(from)) // index in members, -1: nowhere
	if len(from) == 0 {
		if g, offset := s.began(host, f, members); g != nil {
			result.generation, result.offset = g, offset
			return result
		}
	}
	earliest, fresh := -1, len(from) == 0
	for i, p := range from {
		found[i] = -1
		if p.Generation == "" {
			fresh = true
			continue
		}
		g := f.find(p, members)
		if g == nil {
			result.lost = append(result.lost, p)
			result.previous = p.Generation
			continue
		}
		opened = append(opened, g)
		found[i] = slices.IndexFunc(members, g.is)
		if earliest < 0 || found[i] < found[earliest] || found[i] == found[earliest] && p.Offset < from[earliest].Offset {
			earliest = i
			result.generation, result.offset = g, p.Offset
		}
	}
	if n := len(members) - 1; n >= 0 && members[n].kind == current {
		begin := len(result.lost) > 0 || fresh && !s.atEnd
		if begin && earliest >= 0 && found[earliest] == n {
			result.offset = 0
		}
		if earliest < 0 && (begin || fresh) {
			if g, err := openGeneration(f.files, s.path); err == nil {
				opened = append(opened, g)
				result.generation = g
				if !begin {
					result.offset = lineEnd(g)
				}
			}
		}
	}
	for i, p := range from {
		if found[i] < 0 || earliest < 0 {
			continue
		}
		read := found[i] == found[earliest] || found[i] > found[earliest] && members[found[i]].kind != other
		result.reachable[i] = read && (found[i] != found[earliest] || p.Offset >= result.offset)
	}
	for _, g := range opened {
		if g != result.generation {
			g.file.Close()
		}
	}
	return result
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
