package document

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// decoded is the content of a scanned string, decoded.
func decoded(s []byte) string { return alias(appendDecoded(make([]byte, 0, len(s)), s)) }

// appendDecoded appends the content of a scanned string, decoded.
func appendDecoded(dst, s []byte) []byte {
	return walkText(dst, s, func(dst, escape []byte, r rune) []byte { return utf8.AppendRune(dst, r) })
}

// appendRepaired appends the content of a scanned string, its escapes as
// written, but with U+FFFD for what is broken.
func appendRepaired(dst, s []byte) []byte {
	return walkText(dst, s, func(dst, escape []byte, r rune) []byte {
		if r == utf8.RuneError && !isReplacement(escape) {
			return utf8.AppendRune(dst, r)
		}
		return append(dst, escape...)
	})
}

// countRepairs counts what appendRepaired replaces.
func countRepairs(s []byte) int {
	count := 0
	walkText(nil, s, func(dst, escape []byte, r rune) []byte {
		if r == utf8.RuneError && !isReplacement(escape) {
			count++
		}
		return dst
	})
	return count
}

// walkText copies the plain parts of a scanned string and lets special append
// what else is in it: one escape (with what it means), or one broken byte
// (which means U+FFFD).
func walkText(dst, s []byte, special func(dst, source []byte, r rune) []byte) []byte {
	for len(s) > 0 {
		plain := 0
		for plain < len(s) && s[plain] != '\\' && s[plain] < utf8.RuneSelf {
			plain++
		}
		dst, s = append(dst, s[:plain]...), s[plain:]
		if len(s) == 0 {
			break
		}
		size, r := 0, rune(0)
		if s[0] == '\\' {
			r, size = decodeEscape(s)
		} else {
			r, size = utf8.DecodeRune(s)
			if r != utf8.RuneError || size > 1 {
				dst, s = append(dst, s[:size]...), s[size:]
				continue
			}
		}
		dst, s = special(dst, s[:size], r), s[size:]
	}
	return dst
}

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
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
