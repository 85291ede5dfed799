package positions

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

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
	index  int    // among the files of the source, oldest first
	other  string // why this is not the file that Filebeat has read; empty if it is
}

// offset is where to go on in the file.
func (s *stand) offset() int64 {
	if s.other != "" {
		return 0
	}
	return s.Offset
}

// judge says whether the file is the one that Filebeat has read, which stops between lines: an inode is given to another file
// as soon as it is free.
func (s *stand) judge(v file.Survey) error {
	if s.Offset > s.member.Size {
		s.other = fmt.Sprintf("it has only %d bytes: it was truncated, or another file got its inode", s.member.Size)
		return nil
	}
	p, err := v.At(s.member.Path, s.Offset)
	if errors.Is(err, file.ErrNoLine) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.member.Path, err)
	}
	if p.Offset != s.Offset {
		s.other = "that is inside of a line, and Filebeat stops between lines: another file got its inode"
	}
	return nil
}

// stands are the entries about files of the source whose path that is, oldest first. Filebeat reads no archives: one
// with the inode of an entry is another file, which was read, if at all, before it was compressed.
func (c *Changes) stands(v file.Survey, path string, entries []filebeat.Entry, used map[string]bool) (list []stand, err error) {
	members := v.Members()
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
		s := stand{Entry: e, member: members[i], index: i}
		if err := s.judge(v); err != nil {
			return nil, err
		}
		if s.other != "" && strings.HasSuffix(s.member.Path, ".gz") {
			c.note("%s: it has the inode of a file that Filebeat read to offset %d, and is another one: left out", s.member.Path, e.Offset)
			continue
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b stand) int { return a.index - b.index })
	return list, nil
}

// goOn makes the source n go on in the oldest of its files that Filebeat has
// not read to the end, or behind the newest that it has.
func (t *Target) goOn(c *Changes, n *plan.Node, v file.Survey, path string, entries []filebeat.Entry, used map[string]bool) error {
	stands, err := c.stands(v, path, entries, used)
	if err != nil {
		return err
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
	s := stands[len(stands)-1]
	for _, o := range stands {
		if o.offset() < o.member.Size {
			s = o
			break
		}
	}
	p, err := v.At(s.member.Path, s.offset(), t.positions(n.Address)...)
	if errors.Is(err, file.ErrNoLine) {
		c.note("%s: %v: it is read from its beginning", s.member.Path, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.member.Path, err)
	}
	if s.other == "" {
		c.note("%s: Filebeat read it to offset %d, the beginning of a line: %s goes on there", s.member.Path, s.Offset, n.Address)
	} else {
		words := fmt.Sprintf("%s: Filebeat read it to offset %d, and %s. %s reads it from its beginning", s.member.Path, s.Offset, s.other, n.Address)
		if s.index > 0 { // the rest may be in a copy or an archive, and nobody knows in which
			words += fmt.Sprintf("; what Filebeat had not read before that is left out, if it is in an older file: etl state set goes back to one, as to %s:0", v.Members()[s.index-1].Path)
		}
		c.note("%s", words)
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
