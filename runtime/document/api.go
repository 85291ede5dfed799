package document

import (
	"iter"
	"time"
)

// Time and Duration are computed kinds: expressions make them, JSON writes
// them as text (RFC 3339 with the zone they have; Go's duration text).
const (
	Time Kind = iota + Object + 1
	Duration
)

// Value is one value: of a document, or computed. The zero Value is Missing.
// It is small and passed by value; text of a document aliases its raw bytes.
type Value struct {
	kind Kind
}

// Member is one member of an object.
type Member struct {
	Name  string
	Value Value
}

// Document is one parsed JSON document: the raw bytes and an index over them.
type Document struct{}

// SyntaxError says where and why bytes are not one JSON document.
type SyntaxError struct {
	Offset int // in bytes, from the start of the document
	Reason string
}

func (e *SyntaxError) Error() string { panic("skeleton") }

// Parse indexes raw, which must be one JSON value with optional white space
// around it. raw must not change while the document or a Value of it lives.
func Parse(raw []byte) (*Document, error) { panic("skeleton") }

// Reset makes d the document of raw, reusing d's memory: Values taken from d
// before must not be used any more. On error d is empty.
func (d *Document) Reset(raw []byte) error { panic("skeleton") }

// Root is the whole document.
func (d *Document) Root() Value { panic("skeleton") }

// Raw is the bytes d was parsed from, trimmed.
func (d *Document) Raw() []byte { panic("skeleton") }

// Repairs counts what reads as U+FFFD: invalid UTF-8 sequences and lone surrogates.
func (d *Document) Repairs() int { panic("skeleton") }

// Constructors of computed values.
func NewNull() Value                   { panic("skeleton") }
func NewBool(b bool) Value             { panic("skeleton") }
func NewInt(i int64) Value             { panic("skeleton") }
func NewFloat(f float64) Value         { panic("skeleton") } // NaN and infinities are Null
func NewText(s string) Value           { panic("skeleton") }
func NewArray(items []Value) Value     { panic("skeleton") } // takes ownership
func NewObject(members []Member) Value { panic("skeleton") } // takes ownership; of duplicates the last counts
func NewTime(t time.Time) Value        { panic("skeleton") }
func NewDuration(d time.Duration) Value {
	panic("skeleton")
}

// NewNumber is the number that text spells in JSON's grammar, kept to the letter; ok is false if it is none.
func NewNumber(text string) (v Value, ok bool) { panic("skeleton") }

// From converts nil, bool, ints, floats, string, []byte, json.Number,
// []any, map[string]any (sorted), []Value, Value, time.Time, time.Duration.
func From(x any) (Value, error) { panic("skeleton") }

// Any converts to plain Go: nil, bool, int64 or float64 or json.Number (when neither holds it exactly), string, []any, map[string]any, time.Time, time.Duration.
func (v Value) Any() any { panic("skeleton") }

func (v Value) Kind() Kind     { return v.kind }
func (v Value) IsNil() bool    { return v.kind <= Null }
func (v Value) IsTrue() bool   { panic("skeleton") } // true only for the boolean true
func (v Value) Text() string   { panic("skeleton") } // decoded; "" unless Text
func (v Value) Len() int       { panic("skeleton") } // elements, or members without hidden duplicates; else 0
func (v Value) Number() string { panic("skeleton") } // the number's text as written; "" unless Number

// Int64 and Float64: ok is false unless v is a Number that the type holds exactly (Float64: nearest; ok false only when not a number or out of range).
func (v Value) Int64() (int64, bool)     { panic("skeleton") }
func (v Value) Float64() (float64, bool) { panic("skeleton") }

func (v Value) Time() time.Time         { panic("skeleton") }
func (v Value) Duration() time.Duration { panic("skeleton") }

// Get is the member called name (the last one of that name), or Missing.
func (v Value) Get(name string) Value { panic("skeleton") }

// At follows a path of member names.
func (v Value) At(path ...string) Value { panic("skeleton") }

// Index is the element i of an array, counted from 0, or Missing.
func (v Value) Index(i int) Value { panic("skeleton") }

// Members yields the members of an object in the order written, without hidden duplicates.
func (v Value) Members() iter.Seq2[string, Value] { panic("skeleton") }

// Elements yields the elements of an array.
func (v Value) Elements() iter.Seq[Value] { panic("skeleton") }

// With is v with the member at path replaced or added (at the end); missing objects on the way are made, anything else on the way is replaced by an object.
func (v Value) With(path []string, to Value) Value { panic("skeleton") }

// Without is v without the member at path; v itself if there is none.
func (v Value) Without(path []string) Value { panic("skeleton") }

// AppendJSON appends v as JSON without blanks around or between (bytes of untouched subtrees are
// copied as they came, blanks included), repaired as the package says. Missing is written as null.
func (v Value) AppendJSON(dst []byte) []byte { panic("skeleton") }

// AppendText appends v as text: Text decoded, numbers as written, nothing for nil, everything else as JSON.
func (v Value) AppendText(dst []byte) []byte { panic("skeleton") }

// Equal is the language's ==, total: nil equals only nil (Missing equals Null); numbers by exact decimal
// value; text by code points; a number equals a text that is its text as written; arrays and objects member-wise (order of members does not count).
func Equal(a, b Value) bool { panic("skeleton") }

// Compare orders number with number, number with a text that is a JSON number, text with text (by code point), time with time, duration with duration; ok is false for all else.
func Compare(a, b Value) (order int, ok bool) { panic("skeleton") }

// Size is about what v occupies in memory, in bytes.
func (v Value) Size() int { panic("skeleton") }
