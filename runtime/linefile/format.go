package linefile

import (
	"bytes"
	"errors"
	"io"
)

// Format is how lines stand in a file. What is given to Append is in it already.
type Format interface {
	// End is where the last whole piece of what was appended ends, in the first size
	// bytes of a file: what is behind it was cut by a crash. It is ErrFormat if the file is none of the format.
	End(file io.ReaderAt, size int64) (int64, error)
	// Lines counts the lines in a file.
	Lines(file io.Reader) (int64, error)
}

// ErrFormat says that a file is not what this File writes, and that nothing was
// done to it.
var ErrFormat = errors.New("the file has another format")

func (f *File) format() Format {
	if f.options.Format != nil {
		return f.options.Format
	}
	return plain{}
}

// plain is lines as they are.
type plain struct{}

// End is behind the last line break.
func (plain) End(file io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for size > 0 {
		n := min(size, int64(len(buf)))
		if _, err := file.ReadAt(buf[:n], size-n); err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return size - n + int64(i) + 1, nil
		}
		size -= n
	}
	return 0, nil
}

// Lines counts line breaks.
func (plain) Lines(file io.Reader) (lines int64, err error) {
	buf := make([]byte, 256<<10)
	for {
		n, err := file.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
		if err == io.EOF || n == 0 && err == nil {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
	}
}
