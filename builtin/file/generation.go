package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world"
)

// printWindow is how much of a file its fingerprint looks at, whatever
// max_line_bytes is: the name of a generation must not change with an option.
const printWindow = 64 << 10

// headLength is how much of a file's beginning is compared after each read. An
// alert begins with its timestamp.
const headLength = 128

// generation is one file, from its first byte to its last, under whatever
// names it has had.
type generation struct {
	file          text
	path          string // it was found under
	device, inode uint64
	dated         string        // path that Wazuh keeps it under, from the directory of the live one: 2025/Nov/ossec-alerts-21.json
	order         string        // of that path
	name          string        // empty until the first line is complete
	stream        *event.Stream // nil as long as name is empty
	head          []byte        // how the file begins
	final         bool          // its writer has gone on to the next one

	id     atomic.Int64 // its record in the history; another one after it was truncated
	before int64        // the record before that; 0: there is none
	cut    atomic.Bool  // its file was seen to become shorter since it was looked into
}

// text is what a file holds, or a compressed one.
type text interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
}

// open opens the file that m described; it may be another one by now. Whether it is still what m was
// when it was looked into shows when it is read: generation.intact.
func (f family) open(m member) (*generation, error) {
	g, err := f.raw(m)
	if err == nil && m.id != 0 {
		g.name, g.before = m.generation, m.before
		g.id.Store(m.id)
		g.head = append(g.head, m.head[:min(len(m.head), headLength)]...)
	}
	return g, err
}

// raw opens the file that m described, and knows of it what its names say.
func (f family) raw(m member) (*generation, error) {
	g, err := openGeneration(f.files, m.path)
	if err != nil {
		return nil, err
	}
	if f.calendar != nil && m.order != "" {
		g.dated, g.order = m.name, m.order
	}
	if m.archive {
		g.file = newArchive(g.file.(world.File))
		g.final = true
	}
	return g, nil
}

// openGeneration opens the file at path.
func openGeneration(files world.FS, path string) (*generation, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("is a directory")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	g := &generation{file: f, path: path}
	g.device, g.inode = files.Identity(info)
	return g, nil
}

// size is how long the file is now, or what it holds, as far as that is known.
func (g *generation) size() (int64, error) {
	if a := g.archive(); a != nil {
		return a.length()
	}
	info, err := g.file.(world.File).Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// archive is the compressed file that g is read from; nil if it is none.
func (g *generation) archive() *archive {
	a, _ := g.file.(*archive)
	return a
}

// seek goes to offset. The error may be ctx's, or *damage.
func (g *generation) seek(ctx context.Context, offset int64) error {
	_, err := g.file.Seek(offset, io.SeekStart)
	if a := g.archive(); a != nil && err == nil {
		err = a.forward(ctx)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", g.path, err)
	}
	return nil
}

// intact says whether the file still begins as it did, which it does as long as it is only
// appended to. It is asked behind a read: what was read then belongs to what was read before.
func (g *generation) intact() (bool, error) {
	var buf [headLength]byte
	n, err := g.file.ReadAt(buf[:], 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	if n < len(g.head) || !bytes.Equal(buf[:len(g.head)], g.head) {
		return false, nil
	}
	if n > len(g.head) {
		g.head = append(g.head[:0], buf[:n]...)
	}
	return true, nil
}

// fits says whether position may have been reached in this very file: it is
// long enough, begins with the line that names the generation, and has the end
// of a line where position says so. Where the lines of an archive end shows when it is read.
func (g *generation) fits(p component.Position) (bool, error) {
	print, complete, err := fingerprint(g.file)
	if err != nil {
		return false, err
	}
	same := print == printOf(p.Generation)
	if g.archive() != nil {
		// It may be damaged before its first line ends.
		return same || !complete && g.dated != "" && strings.HasPrefix(p.Generation, g.dated+":"), nil
	}
	size, err := g.size()
	if err != nil || !same || size < p.Offset {
		return false, err
	}
	if p.Offset == 0 || p.Offset == size {
		return true, nil
	}
	var around [2]byte
	if _, err := g.file.ReadAt(around[:], p.Offset-1); err != nil && err != io.EOF {
		return false, err
	}
	// A last line without line break was taken as it was when the file was read to its end.
	return around[0] == '\n' || around[1] == '\n' || around[1] == '\r', nil
}

// position is where a reader stands that is through with the file up to offset.
func (g *generation) position(offset int64) component.Position {
	return component.Position{Generation: g.name, Offset: offset, Path: g.path, Device: g.device, Inode: g.inode}
}

// fingerprint is the hash of the first line that is not blank, without the
// white space around it, or of as much as there is of it. complete says that it won't change.
func fingerprint(f io.ReaderAt) (print string, complete bool, err error) {
	window := make([]byte, 4096)
	for {
		n, err := f.ReadAt(window, 0)
		if err != nil && err != io.EOF {
			return "", false, fmt.Errorf("reading the first line: %w", err)
		}
		print, complete := printOfHead(window[:n])
		if complete || n < len(window) {
			return print, complete, nil
		}
		if len(window) == printWindow {
			return print, true, nil
		}
		window = make([]byte, printWindow)
	}
}

// printOfHead is the fingerprint of what begins with head.
func printOfHead(head []byte) (print string, complete bool) {
	line := bytes.TrimLeft(head, " \t\r\n\x00")
	end := bytes.IndexByte(line, '\n')
	if end >= 0 {
		line = line[:end]
	}
	sum := sha256.Sum256(bytes.TrimRight(line, " \t\r"))
	return hex.EncodeToString(sum[:8]), end >= 0
}

// A generation's name is [DATED PATH:]FINGERPRINT[~N]: N counts those that
// follow each other and would have the same name else.

// printOf is the fingerprint in the name of a generation.
func printOf(name string) string {
	print, _, _ := strings.Cut(name[strings.LastIndexByte(name, ':')+1:], "~")
	return print
}

// nameFor is the name of a generation that follows the one called previous.
func nameFor(dated, print, previous string) string {
	name := print
	if dated != "" {
		name = dated + ":" + print
	}
	if before, count, _ := strings.Cut(previous, "~"); before == name {
		n, _ := strconv.Atoi(count)
		name += "~" + strconv.Itoa(n+1)
	}
	return name
}
