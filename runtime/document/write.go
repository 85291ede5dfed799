package document

import (
	"encoding/binary"
	"math/bits"
	"time"
	"unsafe"
)

// AppendJSON appends v as JSON. What was computed has no blanks around or
// between; a subtree of a document is copied as it came, blanks included, but
// repaired as the package says. Missing is written as null.
func (v Value) AppendJSON(dst []byte) []byte { return v.appendJSON(dst, false) }

// AppendCompact is AppendJSON without blanks between tokens anywhere: for
// formats in which a line break ends a record. It costs the same unless the
// document came with blanks.
func (v Value) AppendCompact(dst []byte) []byte { return v.appendJSON(dst, true) }

func (v Value) appendJSON(dst []byte, compact bool) []byte {
	if v.form == indexed {
		d := (*Document)(v.at)
		return d.appendNode(dst, uint32(v.bits), compact && d.blanks)
	}
	switch v.kind {
	case Bool:
		if v.bits != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case Number:
		return v.appendNumber(dst)
	case Text:
		if v.form == quoted {
			return append(append(append(dst, '"'), v.string()...), '"')
		}
		return appendQuoted(dst, v.string())
	case Array:
		dst = append(dst, '[')
		for i, item := range v.items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.appendJSON(dst, compact)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v.members() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, m.Name), ':')
			dst = m.Value.appendJSON(dst, compact)
		}
		return append(dst, '}')
	case Time, Duration:
		return append(v.AppendText(append(dst, '"')), '"')
	default:
		return append(dst, "null"...)
	}
}

// AppendText appends v as text: a Text decoded, a Time or Duration without
// quotes, numbers as written, nothing for nil, everything else as JSON.
func (v Value) AppendText(dst []byte) []byte {
	switch v.kind {
	case Missing, Null:
		return dst
	case Text:
		return v.appendDecoded(dst)
	case Time:
		return v.Time().AppendFormat(dst, time.RFC3339Nano)
	case Duration:
		return append(dst, v.Duration().String()...)
	default:
		return v.AppendJSON(dst)
	}
}

// appendDecoded appends a Text's content.
func (v Value) appendDecoded(dst []byte) []byte {
	switch v.form {
	case indexed:
		d, n := v.node()
		if n.flags&(escaped|repair) != 0 {
			return appendDecoded(dst, d.inside(n))
		}
		return append(dst, d.inside(n)...)
	case quoted:
		return appendDecoded(dst, bytesOf(v.string()))
	default:
		return append(dst, v.string()...)
	}
}

// appendNode appends node i: its bytes as they came, except along the way to
// what needs repair or holds blanks to squeeze out.
func (d *Document) appendNode(dst []byte, i uint32, squeeze bool) []byte {
	n := &d.nodes[i]
	switch {
	case n.flags&repair == 0 && (!squeeze || n.kind != Array && n.kind != Object):
		return append(dst, d.bytes(n)...)
	case n.kind == Text:
		return append(appendRepaired(append(dst, '"'), d.inside(n)), '"')
	}
	dst = append(dst, d.raw[n.start])
	first := true
	for i++; i < n.next; i = d.nodes[i].next {
		m := &d.nodes[i]
		if m.flags&hidden != 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if n.kind == Object {
			dst = append(d.appendName(dst, m), ':')
		}
		dst = d.appendNode(dst, i, squeeze)
	}
	return append(dst, d.raw[n.end-1])
}

// appendName appends a member's name, quoted.
func (d *Document) appendName(dst []byte, m *node) []byte {
	if m.flags&nameRepair != 0 {
		return append(appendRepaired(append(dst, '"'), d.rawName(m)), '"')
	}
	return append(dst, d.raw[m.name-1:m.name+m.nameLen+1]...)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s, which is UTF-8, as a JSON string: as encoding/json
// does, but <, >, & and the line separators stay as they are.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); i++ {
		if i += clean(s[i:]); i == len(s) {
			break
		}
		c := s[i]
		dst = append(dst, s[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, s[done:]...), '"')
}

// clean is how many bytes of s stand before the first that a JSON string must
// escape. Eight at a time: see scanString.
func clean(s string) int {
	b, n := bytesOf(s), 0
	for ; n+8 <= len(b); n += 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		quote, slash := x^('"'*ones), x^('\\'*ones)
		if marks := ((quote-ones)&^quote | (slash-ones)&^slash | (x-' '*ones)&^x) & highs; marks != 0 {
			return n + bits.TrailingZeros64(marks)/8
		}
	}
	for n < len(b) && b[n] >= ' ' && b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

// bytesOf is s as bytes that nobody may write to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
