package codec

import (
	"bytes"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// chunk is how much is read at a time: large enough that a system call costs
// nothing per line, small enough to stay in the processor's cache.
const chunk = 256 << 10

// Splitter cuts a stream of bytes into lines. Its user reads into Room, says
// so by Advance, and takes what is complete by Fill. It allocates nothing per
// line, and holds no more than the longest line allowed and one chunk.
type Splitter struct {
	options  Options
	buf      []byte // what was read and not handed over: begins with a line
	start    int64  // where in the stream buf begins
	searched int    // buf up to here has no line break
	dropped  int64  // bytes cut out of the line that buf begins with, behind buf[:searched]
	doc      document.Document
}

// NewSplitter is a splitter of a stream that is read from offset on, which
// must be the beginning of a line.
func NewSplitter(options Options, offset int64) *Splitter {
	return &Splitter{options: options, start: offset}
}

// Reset forgets what was not handed over; the next bytes are those at offset.
func (s *Splitter) Reset(offset int64) {
	s.buf, s.start, s.searched, s.dropped = s.buf[:0], offset, 0, 0
}

// Room is where the next bytes belong; it is never empty.
func (s *Splitter) Room() []byte { return s.RoomFor(chunk / 2) }

// RoomFor is Room for at least n bytes.
func (s *Splitter) RoomFor(n int) []byte {
	if free := cap(s.buf) - len(s.buf); free < n {
		grown := make([]byte, len(s.buf), max(chunk, 2*len(s.buf)+chunk/2, len(s.buf)+n))
		copy(grown, s.buf)
		s.buf = grown
	}
	return s.buf[len(s.buf):cap(s.buf)]
}

// Advance says that n bytes of Room were filled.
func (s *Splitter) Advance(n int) { s.buf = s.buf[:len(s.buf)+n] }

// Offset is where the first line begins that was not handed over.
func (s *Splitter) Offset() int64 { return s.start }

// Next is where in the stream the next bytes of Room come from.
func (s *Splitter) Next() int64 { return s.start + s.dropped + int64(len(s.buf)) }

// Pending is how many bytes are held of a line that is not complete.
func (s *Splitter) Pending() int64 { return s.dropped + int64(len(s.buf)) }

// Rest is the bytes that are held of a line that is not complete. They are
// valid until the next call.
func (s *Splitter) Rest() []byte { return s.buf }

// Fill adds every complete line to lot, which must be empty, and says whether
// there was one that is not blank.
func (s *Splitter) Fill(lot *component.Lot) bool {
	last := bytes.LastIndexByte(s.buf[s.searched:], '\n')
	if last < 0 {
		s.searched = len(s.buf)
		s.shorten()
		return false
	}
	end := s.searched + last + 1
	return s.take(lot, end)
}

// Finish adds what is left as a line, since nothing comes behind it. It says
// whether it was one that is not blank.
func (s *Splitter) Finish(lot *component.Lot) bool {
	return s.take(lot, len(s.buf))
}

// take moves buf[:end], which ends with a line, to lot, which stays empty if
// there is nothing but blank lines in it.
func (s *Splitter) take(lot *component.Lot, end int) bool {
	s.split(lot, end)
	s.handOver(lot, end)
	if len(lot.Lines) == 0 {
		lot.Data = lot.Data[:0]
	}
	return len(lot.Lines) > 0
}

// split adds the lines in buf[:end], which ends with a line.
func (s *Splitter) split(lot *component.Lot, end int) {
	at := 0
	if s.dropped > 0 {
		stop := s.searched
		if i := bytes.IndexByte(s.buf[stop:end], '\n'); i >= 0 {
			stop += i
		} else {
			stop = end
		}
		s.add(lot, 0, s.searched, s.start, tooLong(s.dropped+int64(stop), s.options.MaxLine))
		at = min(stop+1, end)
		s.start += s.dropped
		s.dropped = 0
	}
	data, lines := s.buf[:end], lot.Lines
	plain := s.options.Format == JSON && !s.options.Validate
	limit := int(s.options.MaxLine)
	for at < end {
		stop := end
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			stop = at + i
		}
		if plain && stop-at <= limit && stop > at && data[at] == '{' && data[stop-1] == '}' {
			lines = append(lines, component.Line{Start: at, End: stop, Offset: s.start + int64(at)})
		} else {
			lot.Lines = lines
			s.unusual(lot, at, stop)
			lines = lot.Lines
		}
		at = stop + 1
	}
	lot.Lines = lines
}

// unusual adds the line buf[start:stop] if it is none of those that one look at
// both ends can tell.
func (s *Splitter) unusual(lot *component.Lot, start, stop int) {
	hole := 0 // a file that was truncated under a writer that kept its offset begins with zeros
	for start+hole < stop && s.buf[start+hole] == 0 {
		hole++
	}
	start += hole
	offset := s.start + int64(start)
	if length := int64(stop - start); length > s.options.MaxLine {
		s.add(lot, start, start+int(min(length, keepOfLong)), offset, tooLong(length, s.options.MaxLine))
		return
	}
	for start < stop && blank(s.buf[start]) {
		start++
	}
	if bytes.HasPrefix(s.buf[start:stop], byteOrderMark) {
		start += len(byteOrderMark)
		for start < stop && blank(s.buf[start]) {
			start++
		}
	}
	for stop > start && blank(s.buf[stop-1]) {
		stop--
	}
	if start < stop {
		s.add(lot, start, stop, offset, s.check(s.buf[start:stop]))
	}
}

// check says what is wrong with a line.
func (s *Splitter) check(line []byte) *event.Failure {
	if s.options.Format == Lines {
		return nil
	}
	if line[0] != '{' || line[len(line)-1] != '}' {
		return event.Failf(event.CodeNotObject, "the line is no JSON object: it does not begin with { and end with }")
	}
	if s.options.Validate {
		if err := s.doc.Reset(line); err != nil {
			return event.Failf(event.CodeNotJSON, "not JSON: %v", err)
		}
	}
	return nil
}

// add adds buf[start:stop] as one line.
func (s *Splitter) add(lot *component.Lot, start, stop int, offset int64, f *event.Failure) {
	if s.options.Format == Lines {
		text := s.buf[start:stop]
		start = len(lot.Data)
		if f == nil {
			lot.Data = appendMessage(lot.Data, text)
		} else {
			lot.Data = append(lot.Data, text...)
		}
		stop = len(lot.Data)
	}
	lot.Lines = append(lot.Lines, component.Line{Start: start, End: stop, Offset: offset, Failure: f})
}

// handOver gives buf[:end] to lot, whose lines are in it, and keeps the rest.
func (s *Splitter) handOver(lot *component.Lot, end int) {
	rest := s.buf[end:]
	s.start += int64(end)
	s.searched = len(rest)
	switch {
	case s.options.Format == Lines: // the lot has its own bytes
		s.buf = append(s.buf[:0], rest...)
	case end < chunk/4:
		// A lot may wait for long. What trickles in must not hold a buffer made for a flood.
		lot.Data = append(fit(lot.Data, end), s.buf[:end]...)
		s.buf = append(s.buf[:0], rest...)
	default:
		full := s.buf[:end]
		s.buf = lot.Data[:0]
		if cap(s.buf) < len(rest)+chunk/2 {
			s.buf = make([]byte, 0, len(rest)+chunk)
		}
		s.buf = append(s.buf, rest...)
		lot.Data = full
	}
	if n := len(lot.Lines); cap(lot.Lines) > 8*n+64 {
		lot.Lines = append(make([]component.Line, 0, n), lot.Lines...)
	}
}

// fit is an empty buffer for n bytes: buf, unless that is far too large.
func fit(buf []byte, n int) []byte {
	if cap(buf) > 4*n+4096 {
		return nil
	}
	return buf[:0]
}

// shorten bounds the memory of a line that is not complete: it cuts out what
// is behind the part that a line over the limit is shown by.
func (s *Splitter) shorten() {
	if s.dropped > 0 {
		s.dropped += int64(len(s.buf) - keepOfLong)
		s.buf = s.buf[:keepOfLong]
		s.searched = keepOfLong
		return
	}
	if len(s.buf) > 0 && s.buf[0] == 0 {
		hole := len(s.buf) - len(bytes.TrimLeft(s.buf, "\x00"))
		s.buf = append(s.buf[:0], s.buf[hole:]...)
		s.start += int64(hole)
		s.searched = len(s.buf)
	}
	if int64(len(s.buf)) > max(s.options.MaxLine, keepOfLong) {
		s.dropped = int64(len(s.buf) - keepOfLong)
		s.buf = append(make([]byte, 0, keepOfLong+chunk), s.buf[:keepOfLong]...)
		s.searched = keepOfLong
	}
}

func tooLong(length, limit int64) *event.Failure {
	return event.Failf(event.CodeLineTooLong, "the line has %d bytes, max_line_bytes allows %d; at most its first %d are kept", length, limit, keepOfLong)
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// blank says whether c is white space that may stand around a line.
func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
