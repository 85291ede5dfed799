package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Survey looks at the files of a source "file" from outside: for commands that
// tell or change where it stands.
type Survey struct{ family }

// NewSurvey is the survey of the source whose path and profile these are. state is what is
// stored of the source, and is only read; nil if there is nothing.
func NewSurvey(files world.FS, path, profile string, state component.State) Survey {
	v := Survey{family{files: files, path: path, calendar: calendarOf(profile, path)}}
	if v.calendar == nil {
		v.history = &history{}
		if state != nil {
			v.history.list = (&history{state: state}).load()
		}
	}
	return v
}

// Find is where p lies now: the file's path, and how many bytes there are
// behind it, in that file and those that came after it. ok is false if its file is gone.
func (v Survey) Find(p component.Position) (path string, behind int64, ok bool) {
	members, _ := v.members(v.since([]component.Position{p}))
	g, err := v.find(p, members)
	if g == nil || err != nil {
		return "", 0, false
	}
	defer g.file.Close()
	size, err := g.size()
	if err != nil {
		return "", 0, false
	}
	behind = size - p.Offset
	later, _ := v.after(g)
	for _, m := range later {
		behind += v.length(m)
	}
	return g.path, behind, true
}

// ErrNoLine says that a file holds no complete line, so that nothing in it has
// a name yet.
var ErrNoLine = errors.New("there is no complete line in it yet")

// End stands for the end of the last complete line in At.
const End = -1

// At is the position of offset in the file at path, or of the beginning of the
// line that offset is inside of. known are positions that are stored: their
// generation keeps its name.
func (v Survey) At(path string, offset int64, known ...component.Position) (component.Position, error) {
	g, err := v.open(v.member(path))
	if err != nil {
		return component.Position{}, err
	}
	defer g.file.Close()
	print, complete, err := fingerprint(g.file)
	if err != nil {
		return component.Position{}, err
	}
	if !complete {
		return component.Position{}, ErrNoLine
	}
	g.name = nameFor(g.dated, print, "")
	for _, k := range known {
		if printOf(k.Generation) == print && k.Device == g.device && k.Inode == g.inode {
			g.name = k.Generation
		}
	}
	size, err := g.size()
	if err != nil {
		return component.Position{}, err
	}
	if offset == End {
		return g.position(lineEnd(g)), nil
	}
	if offset > size {
		return component.Position{}, fmt.Errorf("it has only %d bytes", size)
	}
	if offset, err = lineStart(g.file, offset); err != nil {
		return component.Position{}, err
	}
	return g.position(offset), nil
}

// lineStart is offset, or the beginning of the line that it is inside of.
func lineStart(f io.ReaderAt, offset int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for offset > 0 {
		n := min(offset, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], offset-n); err != nil && err != io.EOF {
			return 0, fmt.Errorf("looking for the beginning of the line: %w", err)
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return offset - n + int64(i) + 1, nil
		}
		offset -= n
	}
	return 0, nil
}

// Member is a file that the source would read.
type Member struct {
	Path          string
	Device, Inode uint64
	Size          int64
}

// Members are the files that can be found now, oldest first, the one at the
// source's path last.
func (v Survey) Members() []Member {
	members, _ := v.members(since{starting: true})
	list := make([]Member, len(members))
	for i, m := range members {
		list[i] = Member{m.path, m.device, m.inode, v.length(m)}
	}
	return list
}

// member is the one that is found under path.
func (f family) member(path string) member {
	name, archive := strings.CutSuffix(path, ".gz")
	m := member{path: path, name: name, archive: archive}
	info, err := f.files.Stat(path)
	if err != nil {
		return m // who opens it is told
	}
	m = m.described(f.files, info)
	members, _ := f.members(since{starting: true})
	for _, known := range members {
		if known.device == m.device && known.inode == m.inode {
			return known
		}
	}
	return m
}

// length is how much m holds.
func (f family) length(m member) int64 {
	if !m.archive {
		return m.size
	}
	g, err := f.open(m)
	if err != nil {
		return 0
	}
	defer g.file.Close()
	size, _ := g.size()
	return size
}

// Reads says whether the file at path is one that the source reads, whatever
// it is called: the name of the member it is.
func (v Survey) Reads(path string) (name string, ok bool, err error) {
	info, err := v.files.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && path == v.path {
		return path, true, nil
	}
	if err != nil {
		return "", false, err
	}
	device, inode := v.files.Identity(info)
	for _, m := range v.Members() {
		if m.Device == device && m.Inode == inode {
			return m.Path, true, nil
		}
	}
	return "", false, nil
}
