package file

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"

	"github.com/wazuh-etl/etl/runtime/world"
)

// archive is what a gzip file holds, as a stream: no more of it is in memory than
// the window of the decompressor. Its offsets are those of the file that was compressed.
type archive struct {
	file   world.File
	below  *below
	unzip  *gzip.Reader // nil: begins with the next read
	at     int64        // the offset unzip is at
	wanted int64        // the offset that Read reads at
	ended  error        // what every further read at at gives
}

// damage says that a compressed file can't be read behind an offset: it is cut
// off, or broken.
type damage struct {
	at  int64 // of what it holds
	err error
}

func (d *damage) Error() string {
	return fmt.Sprintf("the compressed file is damaged behind byte %d of what it holds: %v", d.at, d.err)
}

func (d *damage) Unwrap() error { return d.err }

// below notes whether an error is the disk's, which may pass, or one of what is read.
type below struct {
	io.Reader
	err error
}

func (d *below) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if err != nil && err != io.EOF {
		d.err = err
	}
	return n, err
}

func newArchive(f world.File) *archive { return &archive{file: f} }

func (a *archive) Close() error { return a.file.Close() }

// Seek goes to an offset. It costs nothing itself, but the next read, or forward, reads all before it.
func (a *archive) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart || offset < 0 {
		return 0, errors.ErrUnsupported
	}
	a.wanted = offset
	return offset, nil
}

// forward does what Seek has left to do. The error may be ctx's, the disk's or *damage.
func (a *archive) forward(ctx context.Context) error {
	if a.at == a.wanted {
		return nil
	}
	if a.at > a.wanted {
		a.restart()
	}
	scratch := make([]byte, 256<<10)
	for a.at < a.wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := a.read(scratch[:min(int64(len(scratch)), a.wanted-a.at)])
		if err == io.EOF { // it was longer once
			err = &damage{a.at, io.ErrUnexpectedEOF}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Read reads on. An error that is no *damage may pass.
func (a *archive) Read(p []byte) (int, error) {
	if err := a.forward(context.Background()); err != nil {
		return 0, err
	}
	n, err := a.read(p)
	if n > 0 {
		a.wanted = a.at
	}
	return n, err
}

// ReadAt reads from a decompressor of its own: it is for the beginning. Where the archive is damaged,
// it ends.
func (a *archive) ReadAt(p []byte, offset int64) (int, error) {
	b := archive{file: a.file, wanted: offset}
	for n := 0; ; {
		m, err := b.Read(p[n:])
		n += m
		if n == len(p) {
			return n, nil
		}
		if damaged := new(damage); errors.As(err, &damaged) {
			err = io.EOF
		}
		if err != nil {
			return n, err
		}
	}
}

// read is Read where the decompressor is.
func (a *archive) read(p []byte) (int, error) {
	for a.ended == nil {
		var n int
		var err error
		if a.unzip == nil {
			err = a.begin()
		} else {
			n, err = a.unzip.Read(p)
		}
		a.at += int64(n)
		switch {
		case err == nil:
		case a.below.err != nil:
			if n == 0 {
				err = a.below.err
				a.restart()
				return 0, err
			}
		case err == io.EOF:
			a.ended = io.EOF
		default:
			a.ended = &damage{a.at, err}
		}
		if n > 0 {
			a.wanted = max(a.wanted, a.at)
			return n, nil
		}
	}
	return 0, a.ended
}

// restart makes the next read begin with the first byte.
func (a *archive) restart() { a.unzip, a.at, a.ended = nil, 0, nil }

func (a *archive) begin() error {
	a.below = &below{Reader: io.NewSectionReader(a.file, 0, math.MaxInt64)}
	unzip, err := gzip.NewReader(bufio.NewReaderSize(a.below, 64<<10))
	if err == io.EOF { // nothing in it at all
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	a.unzip = unzip
	return nil
}

// length is how much the archive holds by what is written at its end, which is right
// but for a damaged one and one of several pieces.
func (a *archive) length() (int64, error) {
	info, err := a.file.Stat()
	if err != nil {
		return 0, err
	}
	var end [4]byte
	size := info.Size()
	if size < int64(len(end)) {
		return 0, nil
	}
	if _, err := a.file.ReadAt(end[:], size-int64(len(end))); err != nil && err != io.EOF {
		return 0, err
	}
	length := int64(binary.LittleEndian.Uint32(end[:]))
	for length < size/2 { // only the lower 32 bits are written; text hardly grows by compression
		length += 1 << 32
	}
	return length, nil
}
