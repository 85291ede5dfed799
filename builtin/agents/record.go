package agents

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"iter"
	"slices"
)

// record is one change of the ledger.
type record struct {
	Generation string        `json:"generation,omitempty"`
	Reserved   int64         `json:"reserved,omitempty"`
	Done       int64         `json:"done,omitempty"`
	Read       bool          `json:"read,omitempty"`
	Gone       []int64       `json:"gone,omitempty"` // taken out before Agents are put in
	Agents     []*agent      `json:"agents,omitempty"`
	Past       map[int64]int `json:"past,omitempty"`
	Restart    *restart      `json:"restart,omitempty"`
	Events     []kept        `json:"events,omitempty"`
}

// past says how much of an agent's id is over.
func (r *record) past(id int64, n int) {
	if r.Past == nil {
		r.Past = map[int64]int{}
	}
	r.Past[id] = n
}

// partSize is how many agents and events are in one part of a record.
const partSize = 256

// parts are records that come to the same as r, of which none is big: what they are
// rendered in is some kilobytes then, not some megabytes. Read is in the last one.
func (r *record) parts() iter.Seq[*record] {
	return func(yield func(*record) bool) {
		first := *r
		first.Read, first.Agents, first.Events = false, nil, nil
		if !yield(&first) {
			return
		}
		for agents := range slices.Chunk(r.Agents, partSize) {
			if !yield(&record{Agents: agents}) {
				return
			}
		}
		for events := range slices.Chunk(r.Events, partSize) {
			if !yield(&record{Events: events}) {
				return
			}
		}
		yield(&record{Read: r.Read})
	}
}

var (
	magic      = []byte("etl agents 1\n")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// recordHeader is the size of what a record begins with: the length of its JSON, and that one's CRC-32C.
const recordHeader = 8

// appendRecord appends r with its header.
func appendRecord(dst []byte, r *record) ([]byte, error) {
	b := lineBuffer(append(dst, make([]byte, recordHeader)...))
	if err := encode(&b, r); err != nil {
		return dst, err
	}
	header, payload := b[len(dst):], b[len(dst)+recordHeader:]
	binary.LittleEndian.PutUint32(header, uint32(len(payload))) //nolint:gosec // a fleet has no 4 GiB
	binary.LittleEndian.PutUint32(header[4:], crc32.Checksum(payload, castagnoli))
	return b, nil
}

// tail is what stands behind the last good record of a file.
type tail struct {
	bytes int64
	torn  bool // it can be one record that was being written when the process or the machine died
}

// readRecords takes the records of a file of that size, up to the first bad one.
func readRecords(r io.Reader, size int64, take func(*record)) (tail, error) {
	in := bufio.NewReader(r)
	header := make([]byte, max(len(magic), recordHeader))
	if err := fill(in, header[:len(magic)]); err != nil || string(header[:len(magic)]) != string(magic) {
		return tail{bytes: size}, err
	}
	var payload []byte
	for rest := size - int64(len(magic)); rest > 0; {
		if rest < recordHeader {
			return tail{rest, true}, nil
		}
		if err := fill(in, header[:recordHeader]); err != nil {
			return tail{bytes: rest}, err
		}
		n := int64(binary.LittleEndian.Uint32(header))
		if n == 0 || n > rest-recordHeader { // no record is empty
			return tail{rest, true}, nil
		}
		payload = slices.Grow(payload[:0], int(n))[:n]
		if err := fill(in, payload); err != nil {
			return tail{bytes: rest}, err
		}
		if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(header[4:]) {
			return tail{rest, n == rest-recordHeader}, nil
		}
		var next record
		if json.Unmarshal(payload, &next) != nil {
			return tail{bytes: rest}, nil
		}
		take(&next)
		rest -= recordHeader + n
	}
	return tail{}, nil
}

// fill reads as much as there is room for. A file that has become shorter is no error: its
// bytes are zero.
func fill(r io.Reader, buffer []byte) error {
	n, err := io.ReadFull(r, buffer)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		clear(buffer[n:])
		return nil
	}
	return err
}
