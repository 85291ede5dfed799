package file

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/runtime/linefile"
)

// compressed is lines in a compressed file. Each batch is compressed by itself, so that it is on
// disk as a whole once it is synced, and a file is such pieces one behind the other, which
// zstd and gzip read. Before each stands its length in something that they
// pass over: the end of the last whole piece is found without decompressing all.
type compressed struct {
	method *compression.Method
	mark   []byte // what stands before each piece, with room for its length
	length int    // where in it
}

// newCompressed is nil for a nil method.
func newCompressed(method *compression.Method) *compressed {
	switch method.Name() {
	case "zstd": // a skippable frame of four bytes
		return &compressed{method: method, length: 8, mark: []byte{0x5E, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 0, 0, 0, 0}}
	case "gzip": // a member that is empty but for a field of its header
		return &compressed{method: method, length: 16, mark: []byte{
			0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 8, 0, 'e', 't', 4, 0, 0, 0, 0, 0,
			3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		}}
	}
	return nil
}

// piece is lines as they are appended.
func (c *compressed) piece(lines []byte) []byte {
	piece := c.method.Append(bytes.Clone(c.mark), lines)
	binary.LittleEndian.PutUint32(piece[c.length:], uint32(len(piece)-len(c.mark))) //nolint:gosec // a batch is some MiB
	return piece
}

// End goes from piece to piece. What a crash has cut ends too early, or has zeros
// where its length was on disk before it was; so the last piece is decompressed.
func (c *compressed) End(file io.ReaderAt, size int64) (int64, error) {
	var at, last int64
	mark := make([]byte, len(c.mark))
	for at < size {
		n := min(int64(len(mark)), size-at)
		if _, err := file.ReadAt(mark[:n], at); err != nil && err != io.EOF {
			return 0, err
		}
		same := c.same(mark[:n])
		switch {
		case same < int(n) && len(bytes.Trim(mark[same:n], "\x00")) > 0:
			if whole, err := c.whole(file, last, at); err != nil || !whole {
				return last, err
			}
			return 0, fmt.Errorf("%w: what stands at byte %d was not written by this sink; move the file away, or take another path", linefile.ErrFormat, at)
		case same < len(mark):
			return at, nil
		}
		next := at + n + int64(binary.LittleEndian.Uint32(mark[c.length:]))
		if next > size {
			return at, nil
		}
		at, last = next, at
	}
	if whole, err := c.whole(file, last, at); err != nil || !whole {
		return last, err
	}
	return at, nil
}

// same is how many bytes of b are as in a mark, whatever length it has.
func (c *compressed) same(b []byte) int {
	for i := range b {
		if b[i] != c.mark[i] && (i < c.length || i >= c.length+4) {
			return i
		}
	}
	return len(b)
}

// whole says whether what stands between two places can be decompressed. The
// error is the disk's.
func (c *compressed) whole(file io.ReaderAt, from, to int64) (bool, error) {
	if from == to {
		return true, nil
	}
	disk := &below{Reader: io.NewSectionReader(file, from, to-from)}
	_, err := c.Lines(disk)
	return err == nil, disk.err
}

// Lines counts the lines that are compressed.
func (c *compressed) Lines(file io.Reader) (lines int64, err error) {
	r, err := c.method.Reader(file)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
	}
}
