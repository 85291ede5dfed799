// Package document holds JSON documents the way the engine wants them: the raw
// bytes as they came, indexed only when something looks inside, and written
// out again from those bytes wherever nothing was changed.
//
// Rules that hold everywhere:
//   - of duplicate members only the last counts, for reading and for writing;
//   - member order and number text are kept;
//   - a byte that is not UTF-8, and a lone surrogate, reads and writes as U+FFFD.
//
// Values are immutable. Changing one makes a new one that shares what did not
// change (Value.With, Value.Without).
package document

// Kind says what a Value is.
type Kind uint8

// The kinds. Missing is what a path finds that is not there; Null is JSON's
// null. Expressions treat the two alike, has() and Lua tell them apart.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	Text
	Array
	Object
)
