package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// A block is one entry of the engine: some records of one stream between two
// copies of a header, so that a damaged byte costs at most the record it is in.
//
//	header: mark (12) · 'B' at the begin, 'E' at the end · size of the block (4) · records (4)
//	        · number of the first (8) · number before it (8) · length of meta (4) · meta · CRC-32C (4)
//	record: salt (8) · CRC-32C of what follows (4) · number (8) · offset in the stream (8)
//	        · lengths of data, position and failure (4 each) · data · position · failure
//
// Everything is big endian.
const (
	markLen     = 12
	headerFixed = markLen + 1 + 4 + 4 + 8 + 8 + 4
	recordFixed = 8 + 4 + 8 + 8 + 4 + 4 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark begins each header: "etq1" and eight bytes that are the log's own secret
// (its salt, which begins each record too), so that no event can hold what
// looks like a part of the log.
type mark [markLen]byte

func newMark(salt [8]byte) (m mark) {
	copy(m[:], "etq1")
	copy(m[4:], salt[:])
	return m
}

func (m *mark) salt() []byte { return m[4:] }

// header is what the records of a block have in common.
type header struct {
	size  int // of the block, bytes
	count int
	first int64 // number of the first record; the others follow one by one
	prev  int64 // the number before: those in between were never acknowledged
	meta
}

// meta is of a header what has no fixed length.
type meta struct {
	Generation string    `json:"generation"`
	File       string    `json:"file,omitempty"`
	Received   time.Time `json:"received"`
}

// block appends the block of lot's lines to dst.
func (m *mark) block(dst []byte, lot *component.Lot, lines []component.Line, first, prev int64) ([]byte, error) {
	info, err := json.Marshal(meta{Generation: lot.Stream.Generation, File: lot.Stream.File, Received: lot.Received})
	if err != nil {
		return dst, err
	}
	at := len(dst)
	h := header{count: len(lines), first: first, prev: prev}
	dst = m.header(dst, 'B', &h, info)
	for i := range lines {
		if dst, err = m.record(dst, lot, &lines[i], first+int64(i)); err != nil {
			return dst[:at], err
		}
	}
	h.size = len(dst) - at + headerFixed + len(info) + 4
	m.header(dst[at:at], 'B', &h, info)
	return m.header(dst, 'E', &h, info), nil
}

func (m *mark) header(dst []byte, kind byte, h *header, info []byte) []byte {
	at := len(dst)
	dst = append(append(dst, m[:]...), kind)
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.size))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.count))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.first))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.prev))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(info)))
	dst = append(dst, info...)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func (m *mark) record(dst []byte, lot *component.Lot, l *component.Line, number int64) ([]byte, error) {
	at := len(dst)
	dst = append(append(dst, m.salt()...), 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(number))
	dst = binary.BigEndian.AppendUint64(dst, uint64(l.Offset))
	lengths := len(dst)
	dst = append(dst, make([]byte, 12)...)
	data := len(dst)
	dst = append(dst, lot.Data[l.Start:l.End]...)
	position := len(dst)
	if lot.Stream.Position != nil {
		dst = lot.Stream.Position(l.Offset).AppendJSON(dst)
	}
	failure := len(dst)
	if l.Failure != nil {
		raw, err := json.Marshal(l.Failure)
		if err != nil {
			return dst[:at], err
		}
		dst = append(dst, raw...)
	}
	binary.BigEndian.PutUint32(dst[lengths:], uint32(position-data))
	binary.BigEndian.PutUint32(dst[lengths+4:], uint32(failure-position))
	binary.BigEndian.PutUint32(dst[lengths+8:], uint32(len(dst)-failure))
	binary.BigEndian.PutUint32(dst[at+8:], crc32.Checksum(dst[at+12:], castagnoli))
	return dst, nil
}

// readHeader reads the header that raw begins with; n is its length.
func (m *mark) readHeader(raw []byte, kind byte) (h header, n int, ok bool) {
	if len(raw) < headerFixed+4 || !bytes.HasPrefix(raw, m[:]) || raw[markLen] != kind {
		return h, 0, false
	}
	f := raw[markLen+1:]
	length := binary.BigEndian.Uint32(f[24:])
	n = headerFixed + int(length)
	if length > 1<<20 || n+4 > len(raw) || crc32.Checksum(raw[:n], castagnoli) != binary.BigEndian.Uint32(raw[n:]) {
		return h, 0, false
	}
	h = header{
		size: int(binary.BigEndian.Uint32(f)), count: int(binary.BigEndian.Uint32(f[4:])),
		first: int64(binary.BigEndian.Uint64(f[8:])), prev: int64(binary.BigEndian.Uint64(f[16:])),
	}
	if json.Unmarshal(raw[headerFixed:n], &h.meta) != nil || h.size < 2*(n+4) {
		return h, 0, false
	}
	return h, n + 4, true
}

// blockHeader is the header of the block in raw, from its begin or its end.
func (m *mark) blockHeader(raw []byte) (h header, ok bool) {
	if h, _, ok = m.readHeader(raw, 'B'); ok {
		return h, true
	}
	if i := bytes.LastIndex(raw, m[:]); i >= 0 {
		h, _, ok = m.readHeader(raw[i:], 'E')
	}
	return h, ok
}

// record is one record as it is found, its parts in the block's bytes.
type record struct {
	number, offset int64
	start, end     int // of the data
	position       []byte
	failure        *event.Failure
}

// records gives each whole record of the block in raw, which h is the header
// of, in order. What is damaged in between is passed over.
func (m *mark) records(raw []byte, h *header, give func(record)) {
	expect := h.first
	for at := 0; at < len(raw) && expect < h.first+int64(h.count); {
		if r, n, ok := m.readRecord(raw, at); ok && r.number >= expect && r.number < h.first+int64(h.count) {
			give(r)
			at, expect = at+n, r.number+1
			continue
		}
		i := bytes.Index(raw[at+1:], m.salt())
		if i < 0 {
			return
		}
		at += 1 + i
	}
}

func (m *mark) readRecord(raw []byte, at int) (r record, n int, ok bool) {
	b := raw[at:]
	if len(b) < recordFixed || !bytes.HasPrefix(b, m.salt()) {
		return r, 0, false
	}
	data, position, failure := binary.BigEndian.Uint32(b[28:]), binary.BigEndian.Uint32(b[32:]), binary.BigEndian.Uint32(b[36:])
	size := int64(recordFixed) + int64(data) + int64(position) + int64(failure)
	if size > int64(len(b)) || crc32.Checksum(b[12:size], castagnoli) != binary.BigEndian.Uint32(b[8:]) {
		return r, 0, false
	}
	r = record{number: int64(binary.BigEndian.Uint64(b[12:])), offset: int64(binary.BigEndian.Uint64(b[20:])), start: at + recordFixed}
	r.end = r.start + int(data)
	r.position = raw[r.end : r.end+int(position)]
	if failure > 0 {
		r.failure = new(event.Failure)
		if json.Unmarshal(raw[r.end+int(position):r.end+int(position)+int(failure)], r.failure) != nil {
			return r, 0, false
		}
	}
	return r, int(size), true
}
