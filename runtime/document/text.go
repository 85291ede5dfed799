package document

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// decoded is the content of a scanned string, decoded.
func decoded(s []byte) string { return alias(appendDecoded(make([]byte, 0, len(s)), s)) }

// appendDecoded appends the content of a scanned string, decoded.
func appendDecoded(dst, s []byte) []byte {
	for len(s) > 0 {
		plain := plainPrefix(s)
		dst, s = append(dst, s[:plain]...), s[plain:]
		if len(s) > 0 {
			r, size := decodeSpecial(s)
			dst, s = utf8.AppendRune(dst, r), s[size:]
		}
	}
	return dst
}

// appendRepaired appends the content of a scanned string, its escapes as
// written, but with U+FFFD for what is broken.
func appendRepaired(dst, s []byte) []byte {
	for len(s) > 0 {
		plain := plainPrefix(s)
		dst, s = append(dst, s[:plain]...), s[plain:]
		if len(s) > 0 {
			r, size := decodeSpecial(s)
			if isBroken(r, s[:size]) {
				dst = utf8.AppendRune(dst, r)
			} else {
				dst = append(dst, s[:size]...)
			}
			s = s[size:]
		}
	}
	return dst
}

// countRepairs counts what appendRepaired replaces.
func countRepairs(s []byte) (count int) {
	for {
		if s = s[plainPrefix(s):]; len(s) == 0 {
			return count
		}
		r, size := decodeSpecial(s)
		if isBroken(r, s[:size]) {
			count++
		}
		s = s[size:]
	}
}

// plainPrefix is how much of s is ASCII without escapes.
func plainPrefix(s []byte) int {
	i := 0
	for i+8 <= len(s) && isPlain(binary.LittleEndian.Uint64(s[i:])) {
		i += 8
	}
	for i < len(s) && s[i] != '\\' && s[i] < utf8.RuneSelf {
		i++
	}
	return i
}

func isPlain(x uint64) bool {
	slash := x ^ ('\\' * ones)
	return ((slash-ones)&^slash|x)&highs == 0
}

// decodeSpecial is the rune that s, which doesn't start with a plain byte,
// starts with, and its size there.
func decodeSpecial(s []byte) (r rune, size int) {
	if s[0] == '\\' {
		return decodeEscape(s)
	}
	return utf8.DecodeRune(s)
}

// isBroken reports whether r, read from source, is U+FFFD without being written there.
func isBroken(r rune, source []byte) bool {
	return r == utf8.RuneError && (len(source) == 1 || source[0] == '\\' && !isReplacement(source))
}

// Unescape is the rune that the valid escape at the start of s means, and its
// length there: s is what Quoted gave.
func Unescape(s string) (r rune, size int) { return decodeEscape(bytesOf(s)) }

// decodeEscape is the rune that the valid escape at the start of s means.
func decodeEscape(s []byte) (r rune, size int) {
	switch c := s[1]; c {
	case 'u':
		return decodeUnicode(s)
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	default:
		return rune(c), 2
	}
}

// decodeUnicode is the rune of the \uXXXX, or of the surrogate pair of two, at
// the start of s: size is 0 if it is malformed, r U+FFFD for a lone surrogate.
func decodeUnicode(s []byte) (r rune, size int) {
	r = hexRune(s)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if pair := utf16.DecodeRune(r, hexRune(s[6:])); pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}

// hexRune reads \uXXXX; -1 if s doesn't start with one.
func hexRune(s []byte) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// isReplacement reports whether s starts with \ufffd, which is U+FFFD by right.
func isReplacement(s []byte) bool {
	return len(s) >= 6 && bytes.EqualFold(s[:6], []byte(`\ufffd`))
}

// valid is s with U+FFFD for each byte that is not UTF-8.
func valid(s string) string {
	if isASCII(s) || utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

func isASCII(s string) bool {
	b, i := bytesOf(s), 0
	for ; i+8 <= len(b); i += 8 {
		if word(b, i)&highs != 0 {
			return false
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i == len(b)
}
