package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

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
	file          world.File
	path          string // it was found under
	device, inode uint64
	name          string        // empty until the first line is complete
	stream        *event.Stream // nil as long as name is empty
	head          []byte        // how the file begins
	final         bool          // its writer has gone on to the next one
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

// size is how long the file is now.
func (g *generation) size() (int64, error) {
	info, err := g.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
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
// of a line where position says so.
func (g *generation) fits(p component.Position) bool {
	size, err := g.size()
	if err != nil || size < p.Offset {
		return false
	}
	if print, _, err := fingerprint(g.file); err != nil || print != printOf(p.Generation) {
		return false
	}
	if p.Offset == 0 || p.Offset == size {
		return true
	}
	var around [2]byte
	if _, err := g.file.ReadAt(around[:], p.Offset-1); err != nil && err != io.EOF {
		return false
	}
	// A last line without line break was taken as it was when the file was read to its end.
	return around[0] == '\n' || around[1] == '\n' || around[1] == '\r'
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
// follow each other and begin with the same line.

// printOf is the fingerprint in the name of a generation.
func printOf(name string) string {
	print, _, _ := strings.Cut(name[strings.LastIndexByte(name, ':')+1:], "~")
	return print
}

// nameFor is the name of a generation that follows the one called previous.
func nameFor(dated, print, previous string) string {
	name := print
	if printOf(previous) == print {
		_, count, _ := strings.Cut(previous, "~")
		n, _ := strconv.Atoi(count)
		name += "~" + strconv.Itoa(n+1)
	}
	if dated != "" {
		name = dated + ":" + name
	}
	return name
}
