package template

import (
	"bytes"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Limits of the targets, in bytes.
const (
	topicLimit   = 249  // Kafka
	subjectLimit = 4000 // NATS: with the rest of the line within a server's default of 4096
	nameLimit    = 255  // of one part of a path
	pathLimit    = 4095
)

// escape makes dst[from:], which a hole has given, safe for the place: what
// could change the structure around it becomes %XX. The template's text began
// at start.
func escape(dst []byte, start, from int, place component.Place) []byte {
	unsafe := unsafeIn[place]
	if unsafe == nil {
		return dst
	}
	leads := from == start || dst[from-1] == '/'
	for i := from; i < len(dst); i++ {
		if unsafe(dst[from:], i-from, leads) {
			return appendEscaped(dst[:from], string(dst[from:]), mark(place), unsafe, leads)
		}
	}
	return dst
}

// mark leads the two digits of an escaped byte. Kafka forbids the percent sign
// in topics.
func mark(place component.Place) byte {
	if place == component.PlaceTopic {
		return '_'
	}
	return '%'
}

func appendEscaped(dst []byte, hole string, mark byte, unsafe unsafeByte, leads bool) []byte {
	const digits = "0123456789ABCDEF"
	raw := []byte(hole)
	for i, c := range raw {
		if unsafe(raw, i, leads) {
			dst = append(dst, mark, digits[c>>4], digits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// unsafeByte says whether byte i of a hole may not stand in a place as it is.
// leads: the hole begins a part of a path. The percent sign is escaped too
// where escapes are read back by people, so that no two values look the same.
type unsafeByte func(hole []byte, i int, leads bool) bool

var unsafeIn = map[component.Place]unsafeByte{
	component.PlaceTopic: func(hole []byte, i int, _ bool) bool {
		c := hole[i]
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-')
	},
	component.PlaceSubject: func(hole []byte, i int, _ bool) bool {
		c := hole[i]
		return c <= ' ' || c == 0x7f || c == '.' || c == '*' || c == '>' || c == '%'
	},
	component.PlacePath: func(hole []byte, i int, leads bool) bool {
		c := hole[i]
		if c == '.' {
			doubled := i > 0 && hole[i-1] == '.' || i+1 < len(hole) && hole[i+1] == '.'
			return doubled || leads && i == 0
		}
		return c < ' ' || c == 0x7f || c == '/' || c == '%'
	},
	component.PlaceHeader: func(hole []byte, i int, _ bool) bool {
		c := hole[i]
		return c == '\r' || c == '\n' || c == 0
	},
}

// check is the event's error where the finished text can't stand in the place.
// rooted: the template's own text begins with a slash.
func check(place component.Place, text []byte, rooted bool) error {
	switch place {
	case component.PlaceTopic:
		return checkTopic(text)
	case component.PlaceSubject:
		return checkSubject(text)
	case component.PlacePath:
		return checkPath(text, rooted)
	}
	return nil
}

func checkTopic(text []byte) error {
	switch {
	case len(text) == 0:
		return event.Failf(event.CodeTemplate, "the topic is empty")
	case string(text) == "." || string(text) == "..":
		return event.Failf(event.CodeTemplate, "the topic can't be called %s", text)
	}
	return within("topic", text, topicLimit)
}

func checkSubject(text []byte) error {
	if len(text) == 0 || text[0] == '.' || text[len(text)-1] == '.' || bytes.Contains(text, []byte("..")) {
		return event.Failf(event.CodeTemplate, "the subject %q has an empty token", text)
	}
	return within("subject", text, subjectLimit)
}

func checkPath(text []byte, rooted bool) error {
	rest := text
	if rooted {
		rest = rest[1:]
	}
	for part := range bytes.SplitSeq(rest, []byte("/")) {
		if len(part) == 0 {
			return event.Failf(event.CodeTemplate, "the path %q has an empty part", text)
		}
		if err := within("file name", part, nameLimit); err != nil {
			return err
		}
	}
	return within("path", text, pathLimit)
}

func within(what string, text []byte, limit int) error {
	if len(text) <= limit {
		return nil
	}
	shown := strings.ToValidUTF8(string(text[:60]), "")
	return event.Failf(event.CodeTemplate, "the %s %q… has %d bytes; the limit is %d", what, shown, len(text), limit)
}
