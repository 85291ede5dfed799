package lang

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// file is one pipeline file. HCL and everything behind it see src, which has no byte
// order mark, only line feeds, and one at its end: lines and columns are those
// of the file, byte offsets are mapped back by lines.
type file struct {
	name  string // as messages call it
	path  string // absolute
	src   []byte
	tests bool // NAME.test.hcl

	starts []int // of each line in src
	places []int // of each line in the file as it is
}

var bom = []byte("\xef\xbb\xbf")

func newFile(name, path string, raw []byte) *file {
	f := &file{name: name, path: path, starts: []int{0}, src: make([]byte, 0, len(raw)+1)}
	at := 0
	if bytes.HasPrefix(raw, bom) {
		at = len(bom)
	}
	f.places = []int{at}
	for ; at < len(raw); at++ {
		if raw[at] == '\r' && at+1 < len(raw) && raw[at+1] == '\n' {
			continue
		}
		f.src = append(f.src, raw[at])
		if raw[at] == '\n' {
			f.starts = append(f.starts, len(f.src))
			f.places = append(f.places, at+1)
		}
	}
	if n := len(f.src); n > 0 && f.src[n-1] != '\n' {
		f.src = append(f.src, '\n')
	}
	return f
}

// pos is the place of a byte of src.
func (f *file) pos(offset int) diag.Pos {
	offset = max(0, min(offset, len(f.src)))
	line := sort.SearchInts(f.starts, offset+1) - 1
	return diag.Pos{
		Line:   line + 1,
		Column: utf8.RuneCount(f.src[f.starts[line]:offset]) + 1,
		Byte:   f.places[line] + offset - f.starts[line],
	}
}

func (f *file) span(start, end int) diag.Range {
	return diag.Range{File: f.name, Start: f.pos(start), End: f.pos(max(start, end))}
}

func (f *file) at(r hcl.Range) diag.Range { return f.span(r.Start.Byte, r.End.Byte) }

// invalid is the offset in src of the first byte that is not UTF-8, or -1.
func (f *file) invalid() int {
	for i := 0; i < len(f.src); {
		r, n := utf8.DecodeRune(f.src[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}
