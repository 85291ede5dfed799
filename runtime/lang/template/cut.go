package template

import (
	"strings"

	"github.com/wazuh-etl/etl/runtime/lang/expression"
)

// piece is text, or what stands in a hole.
type piece struct {
	hole  bool
	text  string
	start int // in the source, in bytes
}

// cut cuts a template into text and holes. A hole ends at the first }} outside
// the strings and brackets of its expression, so that {{ {'a': {'b': 1}} }} is
// one.
func cut(src string) (pieces []piece, problems []expression.Problem) {
	at := 0
	for {
		open := strings.Index(src[at:], "{{")
		if open < 0 {
			break
		}
		open += at
		if open > at {
			pieces = append(pieces, piece{text: src[at:open], start: at})
		}
		inside := open + len("{{")
		end, ok := holeEnd(src, inside)
		if !ok {
			suggestion := "end it with }}; the text {{ itself is written {{ '{{' }}"
			if strings.Contains(src[inside:], "}}") {
				suggestion = "a quote or bracket before the }} is not closed"
			}
			return pieces, append(problems, expression.Problem{
				Start: open, End: len(src), Cause: expression.Form,
				Message: "the hole that begins here is never closed", Suggestion: suggestion,
			})
		}
		pieces = append(pieces, piece{hole: true, text: src[inside:end], start: inside})
		at = end + len("}}")
	}
	if at < len(src) {
		pieces = append(pieces, piece{text: src[at:], start: at})
	}
	return pieces, problems
}

// holeEnd is where the }} of a hole stands whose expression begins at i.
func holeEnd(src string, i int) (end int, ok bool) {
	var open []byte // closing brackets that are awaited
	for i < len(src) {
		switch c := src[i]; c {
		case '\'', '"', '`':
			if i = stringEnd(src, i); i < 0 {
				return 0, false
			}
			continue
		case '/':
			i += commentLength(src[i:])
			continue
		case '(':
			open = append(open, ')')
		case '[':
			open = append(open, ']')
		case '{':
			open = append(open, '}')
		case ')', ']', '}':
			if len(open) > 0 && open[len(open)-1] == c {
				open = open[:len(open)-1]
			} else if strings.HasPrefix(src[i:], "}}") {
				return i, true // also with a bracket open: the parser says which
			}
		}
		i++
	}
	return 0, false
}

// stringEnd is behind the string that begins at i; -1 if it does not end.
func stringEnd(src string, i int) int {
	quote := src[i]
	for i++; i < len(src); i++ {
		switch {
		case src[i] == '\\' && quote != '`':
			i++
		case src[i] == quote && quote == '`' && strings.HasPrefix(src[i+1:], "`"):
			i++
		case src[i] == quote:
			return i + 1
		}
	}
	return -1
}

// commentLength is how long the comment is that s begins with; 1 if it begins
// with none. A line's comment ends at the hole's end, too.
func commentLength(s string) int {
	end, skip := -1, 0
	switch {
	case strings.HasPrefix(s, "/*"):
		end, skip = strings.Index(s[2:], "*/"), 4
	case strings.HasPrefix(s, "//"):
		end, skip = strings.IndexByte(s[2:], '\n'), 2
		if hole := strings.Index(s[2:], "}}"); hole >= 0 && (end < 0 || hole < end) {
			end = hole
		}
	default:
		return 1
	}
	if end < 0 {
		return len(s)
	}
	return end + skip
}
