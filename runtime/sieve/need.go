// Package sieve tells, of many documents in one buffer, which ones a condition
// can be true for, by looking for a few bytes and nothing else: most lines of an
// alerts file are dropped before anything is parsed.
package sieve

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Need is what the bytes of a document must hold for a condition to be true:
// one of its clues. Where none is there the condition is false, and evaluating it
// would raise no error. A nil Need says nothing.
type Need []Clue

// Clue is a piece of a document's bytes.
type Clue struct {
	// Text must occur: it has at least Shortest bytes, all printable ASCII.
	Text string
	// Values, if there are any, say that Text is a member's name in its quotes, and
	// that the member must be one of these: a text of plain letters, or a number written so.
	Values []string
	// Range, if it is there, says the same, and that the member must be a number in it.
	// There may be Values or a Range, not both.
	Range *Range
}

// Shortest is the least length of a clue's Text, in bytes.
const Shortest = 3

// Plain says whether a document that holds s, in a text or a name, holds these
// very bytes, unless it holds \u. What has other spellings (quotes, slashes,
// backslashes, everything outside ASCII) is not plain.
func Plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '/' {
			return false
		}
	}
	return s != ""
}

// Member is the clue that a member called name is there, and is one of values if
// there are any. The name must be Plain.
func Member(name string, values ...string) Clue { return Clue{Text: `"` + name + `"`, Values: values} }

// Met says that a condition with this need can be true for the document doc. It
// is what Sieve does for many of them at once.
func (n Need) Met(doc []byte) bool {
	return n == nil || escapes(doc) || slices.ContainsFunc(n, func(c Clue) bool { return c.in(doc) })
}

// String is n for people.
func (n Need) String() string {
	clues := make([]string, len(n))
	for i, c := range n {
		clues[i] = c.String()
	}
	return strings.Join(clues, " or ")
}

// String is c for people.
func (c Clue) String() string {
	switch {
	case c.Range != nil:
		return fmt.Sprintf("`%s` being %s", c.Text, c.Range)
	case len(c.Values) == 0:
		return "`" + c.Text + "`"
	case len(c.Values) == 1:
		return fmt.Sprintf("`%s` being `%s`", c.Text, c.Values[0])
	}
	return fmt.Sprintf("`%s` being one of `%s`", c.Text, strings.Join(c.Values, "`, `"))
}

func (c Clue) in(doc []byte) bool {
	for {
		at := bytes.Index(doc, []byte(c.Text))
		if at < 0 {
			return false
		}
		rest := doc[at+len(c.Text):]
		switch {
		case c.Range != nil:
			if n, ok := number(value(rest, longestNumber)); ok && c.Range.Has(n) {
				return true
			}
		case len(c.Values) == 0 || slices.Contains(c.Values, string(value(rest, longest(c.Values)))):
			return true
		}
		doc = doc[at+1:]
	}
}

func longest(values []string) (n int) {
	for _, v := range values {
		n = max(n, len(v))
	}
	return n
}

// value is the text or number of a member whose name stands in front of rest;
// nothing where there is neither. Of one with more than most bytes it is one more than
// that. What has escapes in it is never Plain: it may be cut anywhere.
func value(rest []byte, most int) []byte {
	rest = skipBlanks(rest)
	if len(rest) == 0 || rest[0] != ':' {
		return nil
	}
	rest = skipBlanks(rest[1:])
	if len(rest) > 0 && rest[0] == '"' {
		rest = rest[1:min(len(rest), most+2)]
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			return rest[:end]
		}
		if len(rest) <= most {
			return nil
		}
		return rest
	}
	end := 0
	for end < len(rest) && end <= most && inNumber(rest[end]) {
		end++
	}
	return rest[:end]
}

func skipBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\n' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

func inNumber(c byte) bool {
	return c-'0' <= 9 || c == '-' || c == '+' || c == '.' || c|0x20 == 'e'
}

// escapes says whether doc has a \u, by which any letter can be written: then
// nothing follows from what it lacks.
func escapes(doc []byte) bool {
	for {
		at := bytes.IndexByte(doc, '\\')
		if at < 0 || at+1 == len(doc) {
			return false
		}
		if doc[at+1] == 'u' {
			return true
		}
		doc = doc[at+2:] // \\ is a backslash: a u behind it is a u
	}
}
