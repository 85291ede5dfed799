package document

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// scanString finds the closing quote of the string whose content starts at pos.
func scanString(raw []byte, pos int) (end int, f flags, err error) {
	for pos < len(raw) {
		// Eight bytes at a time to the first one that is a quote, a backslash, a
		// control character or not ASCII. (A borrow can only mark bytes above
		// the first true mark.) With one bit turned the quote is just above the control characters.
		if pos+8 <= len(raw) {
			x := word(raw, pos)
			low, slash := x^(('"'^' ')*ones), x^('\\'*ones)
			marks := ((low-(' '+1)*ones)&^low | (slash-ones)&^slash | x) & highs
			if marks == 0 {
				pos += 8
				continue
			}
			pos += bits.TrailingZeros64(marks) / 8
		}
		c := raw[pos]
		switch {
		case c == '"':
			return pos, f, nil
		case c == '\\' && pos+1 < len(raw) && short[raw[pos+1]]:
			f |= escaped
			for pos += 2; pos+1 < len(raw) && raw[pos] == '\\' && short[raw[pos+1]]; {
				pos += 2
			}
		case c == '\\':
			size, broken := scanEscape(raw[pos:])
			if size == 0 {
				return 0, f, &SyntaxError{Offset: pos, Reason: "invalid escape in a text"}
			}
			f |= escaped
			if broken {
				f |= repair
			}
			pos += size
		case c < ' ':
			return 0, f, &SyntaxError{Offset: pos, Reason: "unescaped control character in a text"}
		case c < utf8.RuneSelf: // among the last seven bytes of the document
			pos++
		default:
			for pos < len(raw) && raw[pos] >= utf8.RuneSelf {
				r, size := utf8.DecodeRune(raw[pos:])
				if r == utf8.RuneError && size == 1 {
					f |= repair
				}
				pos += size
			}
		}
	}
	return 0, f, unexpected(raw, pos, "the end of a text")
}

// word is the eight bytes of b from at on, which must be there, the first one lowest.
func word(b []byte, at int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at))[:])
}

// short are the bytes that make an escape of two with a backslash before them.
var short = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// scanEscape measures the escape \uXXXX, or two of them, that s starts with: 0 if it
// is none. broken is true for a surrogate that no other one completes.
func scanEscape(s []byte) (size int, broken bool) {
	if len(s) < 2 || s[1] != 'u' {
		return 0, false
	}
	r, size := decodeUnicode(s)
	return size, isBroken(r, s)
}

// scanNumber finds the end of the number that starts at pos.
func scanNumber(raw []byte, pos int) (int, error) {
	if raw[pos] == '-' {
		pos++
	}
	switch {
	case pos < len(raw) && raw[pos] == '0':
		pos++
	default:
		digits := skipDigits(raw, pos)
		if digits == pos {
			return 0, unexpected(raw, pos, "a digit")
		}
		pos = digits
	}
	if pos < len(raw) && raw[pos] == '.' {
		digits := skipDigits(raw, pos+1)
		if digits == pos+1 {
			return 0, unexpected(raw, digits, "a digit")
		}
		pos = digits
	}
	if pos < len(raw) && raw[pos]|0x20 == 'e' {
		pos++
		if pos < len(raw) && (raw[pos] == '+' || raw[pos] == '-') {
			pos++
		}
		digits := skipDigits(raw, pos)
		if digits == pos {
			return 0, unexpected(raw, pos, "a digit")
		}
		pos = digits
	}
	return pos, nil
}

func skipDigits(raw []byte, pos int) int {
	for pos < len(raw) && raw[pos]-'0' <= 9 {
		pos++
	}
	return pos
}

// scanWord reads true, false or null.
func scanWord(raw []byte, pos int) (Kind, int, error) {
	rest := raw[pos:]
	switch {
	case len(rest) >= 4 && string(rest[:4]) == "true":
		return Bool, pos + 4, nil
	case len(rest) >= 5 && string(rest[:5]) == "false":
		return Bool, pos + 5, nil
	case len(rest) >= 4 && string(rest[:4]) == "null":
		return Null, pos + 4, nil
	}
	return 0, 0, unexpected(raw, pos, "a value")
}
