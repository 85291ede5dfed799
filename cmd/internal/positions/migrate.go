package positions

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/cmd/internal/filebeat"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
)

// FromWazuhDFN makes every file that the pipeline reads begin at its end or
// beginning: wazuh-dfn keeps no registry.
func (t *Target) FromWazuhDFN(where string) (*Changes, error) {
	if where != "end" && where != "beginning" {
		return nil, fmt.Errorf("wazuh-dfn does not remember how far it has read: say end (it keeps up) or beginning (everything in the file again), not %q", where)
	}
	all := &Changes{}
	for _, n := range t.sources() {
		if n.Kind != "file" {
			continue
		}
		c, err := t.Set(n.Address, where, "")
		if errors.Is(err, file.ErrNoLine) {
			all.note("%s: %v", n.Address, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Address, err)
		}
		all.Checkpoints = append(all.Checkpoints, c.Checkpoints...)
	}
	if len(all.Checkpoints) == 0 && len(all.Notes) == 0 {
		return nil, errors.New("the pipeline has no source \"file\"")
	}
	return all, nil
}

// FromFilebeat makes the files that Filebeat has read go on where it stood.
func (t *Target) FromFilebeat(entries []filebeat.Entry) (*Changes, error) {
	c := &Changes{}
	used := map[string]bool{}
	for _, n := range t.sources() {
		if n.Kind != "file" {
			continue
		}
		_, v, path, err := t.file(n.Address)
		if err != nil {
			return nil, err
		}
		if err := t.goOn(c, n, v, path, entries, used); err != nil {
			return nil, err
		}
	}
	for _, e := range entries {
		if !used[e.Key+e.Path] {
			c.note("%s: no source of the pipeline reads it", e.Path)
		}
	}
	return c, nil
}

// stand is an entry and the file it is about.
type stand struct {
	filebeat.Entry
	member file.Member
	index  int // among the files of the source, oldest first
}

// goOn makes the source n go on in the oldest of its files that Filebeat has
// not read to the end, or behind the newest that it has.
func (t *Target) goOn(c *Changes, n *plan.Node, v file.Survey, path string, entries []filebeat.Entry, used map[string]bool) error {
	members := v.Members()
	var stands []stand
	for _, e := range entries {
		i := memberOf(e, members)
		if i < 0 {
			if e.Path == path {
				used[e.Key+e.Path] = true
				c.note("%s: Filebeat read it to offset %d, and that file is not there any more", e.Path, e.Offset)
			}
			continue
		}
		used[e.Key+e.Path] = true
		stands = append(stands, stand{e, members[i], i})
	}
	if len(stands) == 0 {
		known := slices.ContainsFunc(entries, func(e filebeat.Entry) bool { return e.Path == path })
		if known {
			c.note("%s: no checkpoint is made; etl state set %s can begin with a file that is there", n.Address, n.Address)
		} else {
			c.note("%s: Filebeat knows nothing of %s: no checkpoint is made", n.Address, path)
		}
		return nil
	}
	slices.SortFunc(stands, func(a, b stand) int { return a.index - b.index })
	s := stands[len(stands)-1]
	for _, o := range stands {
		if o.Offset < o.member.Size {
			s = o
			break
		}
	}
	offset := s.Offset
	if offset > s.member.Size {
		words := fmt.Sprintf("%s: Filebeat read it to offset %d, and it has only %d bytes now: it was truncated, or another file got its inode, and is read from its beginning",
			s.member.Path, offset, s.member.Size)
		if s.index > 0 { // the rest may be in a copy or an archive, and nobody knows in which
			words += fmt.Sprintf("; what Filebeat had not read before that is left out, if it is in an older file: etl state set goes back to one, as to %s:0", members[s.index-1].Path)
		}
		c.note("%s", words)
		offset = 0
	}
	p, err := v.At(s.member.Path, offset, t.positions(n.Address)...)
	if errors.Is(err, file.ErrNoLine) {
		c.note("%s: %v: it is read from its beginning", s.member.Path, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.member.Path, err)
	}
	switch {
	case p.Offset != offset:
		c.note("%s: Filebeat read it to offset %d, which is inside of a line: %s goes on at its beginning, %d. Filebeat stops between lines: look whether another file got the inode", s.member.Path, s.Offset, n.Address, p.Offset)
	case offset == s.Offset:
		c.note("%s: Filebeat read it to offset %d, the beginning of a line: %s goes on there", s.member.Path, s.Offset, n.Address)
	}
	sinks, err := t.choose(n, "")
	if err != nil {
		return err
	}
	for _, sink := range sinks {
		c.Checkpoints = append(c.Checkpoints, state.Checkpoint{Source: n.Address, Sink: sink, Position: p})
	}
	return nil
}

// memberOf is the index of the file that e is about: the one with its inode, or,
// where the registry has none, the one with its path. -1 if there is none.
func memberOf(e filebeat.Entry, members []file.Member) int {
	return slices.IndexFunc(members, func(m file.Member) bool {
		if e.Inode != 0 {
			return m.Inode == e.Inode && (m.Device == e.Device || e.Device == 0)
		}
		if m.Path == e.Path {
			return true
		}
		real, err := filepath.EvalSymlinks(e.Path)
		return err == nil && real == m.Path
	})
}
