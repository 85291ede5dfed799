// Package compression is the attribute `compression` that sinks share which
// write bytes of their own, and what is done by it. A nil *Method, an attribute that is not
// written, leaves bytes as they are everywhere in this package.
package compression

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Attr is the description of the attribute, for a Spec; doc says what is compressed, and what tells a reader.
func Attr(doc string) component.Attr {
	return component.Attr{Name: "compression", Type: component.TypeEnum, Enum: []string{"zstd", "gzip"}, Doc: doc}
}

// Method compresses on one goroutine at a time.
type Method struct {
	name   string
	suffix string
	append func(dst, src []byte) []byte
}

// New is the method of that name; nil for "".
func New(name string) *Method {
	switch name {
	case "zstd":
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
		if err != nil {
			panic(err) // of these options, none
		}
		return &Method{name: name, suffix: ".zst", append: func(dst, src []byte) []byte { return w.EncodeAll(src, dst) }}
	case "gzip":
		w := gzip.NewWriter(nil)
		return &Method{name: name, suffix: ".gz", append: func(dst, src []byte) []byte {
			b := bytes.NewBuffer(dst)
			w.Reset(b)
			_, err := w.Write(src)
			if err = errors.Join(err, w.Close()); err != nil {
				panic(err) // memory takes all
			}
			return b.Bytes()
		}}
	}
	return nil
}

// Name is the method's name, which is its token of HTTP's Content-Encoding too; "" for nil.
func (m *Method) Name() string {
	if m == nil {
		return ""
	}
	return m.name
}

// Suffix is the end of the names of files that are so compressed; "" for nil.
func (m *Method) Suffix() string {
	if m == nil {
		return ""
	}
	return m.suffix
}

// Append appends what src becomes to dst: a whole zstd frame, or gzip member. Several,
// one behind the other, are a file that zstd and gzip read.
func (m *Method) Append(dst, src []byte) []byte {
	if m == nil {
		return append(dst, src...)
	}
	return m.append(dst, src)
}

// Reader is what the method made of what r holds, one piece behind the other.
func (m *Method) Reader(r io.Reader) (io.ReadCloser, error) {
	if m == nil {
		return io.NopCloser(r), nil
	}
	return reader(m.name, r, 1<<30)
}

// reader takes a method's name; a window of more than memory bytes is an error.
func reader(name string, r io.Reader, memory int64) (io.ReadCloser, error) {
	switch name {
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(memory))) //nolint:gosec // a size
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case "gzip":
		return gzip.NewReader(r)
	}
	return nil, fmt.Errorf("%q is no compression that is known", name)
}

// Expand is what the method of that name made data of. More than limit bytes are an error, as is
// a name that is none.
func Expand(name string, data []byte, limit int64) ([]byte, error) {
	r, err := reader(name, bytes.NewReader(data), max(limit, 1<<20))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	expanded, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(expanded)) > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	return expanded, err
}
