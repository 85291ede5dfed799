// Package document holds JSON documents the way the engine wants them: the raw
// bytes as they came, an index over them, and written out again from those
// bytes wherever nothing was changed.
//
// Rules that hold everywhere:
//   - of duplicate members only the last counts, for reading and for writing,
//     and it keeps its own place: the earlier ones vanish;
//   - member order and number text are kept;
//   - each byte that is not UTF-8, and each lone surrogate, reads and writes as
//     U+FFFD (the rule of Go's range over a string).
//
// Values are immutable. Changing one makes a new one that shares what did not
// change (Value.With, Value.Without). Documents and Values may be read by many
// goroutines at once; only Document.Reset may not run beside anything.
package document

import (
	"strings"
	"time"
	"unsafe"
)

// Kind says what a Value is.
type Kind uint8

// The kinds. Missing is what a path finds that is not there; Null is JSON's
// null. Expressions treat the two alike, has() and Lua tell them apart. Time
// and Duration are computed only: expressions make them, JSON writes them as
// text (RFC 3339 with the zone they have; Go's duration text).
const (
	Missing Kind = iota
	Null
	Bool
	Number
	Text
	Array
	Object
	Time
	Duration
)

var kindNames = [...]string{"missing", "null", "boolean", "number", "text", "array", "object", "time", "duration"}

// String is the kind's name in messages: "text", "boolean", …
func (k Kind) String() string { return kindNames[k] }

// form says where a value's content is, as far as its kind leaves that open.
type form uint8

const (
	computed form = iota // text, items, members, time behind at; bool, duration in bits
	indexed              // at is a *Document, bits the node's index
	integer              // a Number: bits is an int64
	floating             // a Number: bits is a finite float64
	quoted               // a Text: at and bits are what AppendJSON writes of it between the quotes
)

// Value is one value: of a document, or computed. The zero Value is Missing.
// It is small and passed by value; text of a document aliases its raw bytes.
// Values can't be compared with ==: use Equal.
type Value struct {
	_    [0]func() // forbids ==
	at   unsafe.Pointer
	bits uint64
	kind Kind
	form form
}

// Member is one member of an object.
type Member struct {
	Name  string
	Value Value
}

// Kind says what v is.
func (v Value) Kind() Kind { return v.kind }

// IsNil reports whether v is Missing or Null.
func (v Value) IsNil() bool { return v.kind <= Null }

// IsTrue reports whether v is the boolean true, and nothing else.
func (v Value) IsTrue() bool { return v.kind == Bool && v.bits != 0 }

// Text is a Text's content, decoded; "" for every other kind. It aliases the
// document's raw bytes unless it holds escapes or invalid UTF-8.
func (v Value) Text() string {
	switch {
	case v.kind != Text:
		return ""
	case v.form == indexed:
		d, n := v.node()
		if n.flags&(escaped|repair) != 0 {
			return decoded(d.inside(n))
		}
		return alias(d.inside(n))
	case v.form == quoted:
		if s := v.string(); strings.IndexByte(s, '\\') >= 0 {
			return decoded(bytesOf(s))
		}
		return v.string()
	default:
		return v.string()
	}
}

// Quoted is a Text as JSON has it between the quotes, escapes and all; ok is
// false for every other kind, and for a Text that has to be decoded to know. It
// aliases the document's raw bytes.
func (v Value) Quoted() (s string, ok bool) {
	switch {
	case v.kind != Text:
		return "", false
	case v.form == indexed:
		d, n := v.node()
		return alias(d.inside(n)), n.flags&repair == 0
	default:
		return v.string(), v.form == quoted
	}
}

// Len counts the elements of an array, or the members of an object without
// hidden duplicates; it is 0 for every other kind.
func (v Value) Len() int {
	switch {
	case v.kind != Array && v.kind != Object:
		return 0
	case v.form == indexed:
		_, n := v.node()
		return int(n.count)
	default:
		return int(v.bits)
	}
}

// Time is the instant of a Time; zero for every other kind.
func (v Value) Time() time.Time {
	if v.kind != Time {
		return time.Time{}
	}
	return *(*time.Time)(v.at)
}

// Duration is the length of a Duration; 0 for every other kind.
func (v Value) Duration() time.Duration {
	if v.kind != Duration {
		return 0
	}
	return time.Duration(v.bits)
}

// Size is about what v occupies in memory, in bytes: its share of the raw
// bytes and of the index over them, or what was computed.
func (v Value) Size() int {
	const self = int(unsafe.Sizeof(Value{}))
	if v.form == indexed {
		_, n := v.node()
		return self + int(n.end-n.start) + int(n.next-uint32(v.bits))*int(unsafe.Sizeof(node{}))
	}
	size := self
	switch v.kind {
	case Text:
		size += int(v.bits)
	case Number:
		if v.form == computed {
			size += int(v.bits)
		}
	case Time:
		size += int(unsafe.Sizeof(time.Time{}))
	case Array:
		for _, item := range v.items() {
			size += item.Size()
		}
	case Object:
		for _, m := range v.members() {
			size += len(m.Name) + int(unsafe.Sizeof(m.Name)) + m.Value.Size()
		}
	}
	return size
}

// String is v as JSON, for people and tests.
func (v Value) String() string { return string(v.AppendJSON(nil)) }

// MarshalJSON lets encoding/json (and so slog) write v.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// node is the index entry behind an indexed value, and its document.
func (v Value) node() (*Document, *node) {
	d := (*Document)(v.at)
	return d, &d.nodes[v.bits]
}

// string is the computed text, quoted if that is its form, or the text of a computed number.
func (v Value) string() string { return unsafe.String((*byte)(v.at), int(v.bits)) }

// items are the elements of a computed array.
func (v Value) items() []Value { return unsafe.Slice((*Value)(v.at), int(v.bits)) }

// members are the members of a computed object.
func (v Value) members() []Member { return unsafe.Slice((*Member)(v.at), int(v.bits)) }

// alias is b as a string that shares its bytes.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
