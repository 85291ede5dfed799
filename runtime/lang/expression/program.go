// Package expression is the language of conditions and template holes: the
// grammar of expr-lang/expr with semantics of our own. Missing members are nil
// at any depth, equality is total, numbers keep their exact decimal value, and
// evaluating a condition on an event allocates nothing where the expression
// makes no new text, list or object.
package expression

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Env is what is known at load time.
type Env struct {
	Vars   document.Value // object: var.NAME
	Locals document.Value // object: local.NAME
	// Unknown names what has no value here (tests, graphs, dry runs): "var.NAME"
	// or "local.NAME", and the variable that lacks a value behind it.
	Unknown map[string]string
	// Now is the clock of now(); nil is time.Now.
	Now func() time.Time
}

// Problem is one finding about an expression. Start and End are byte offsets
// in the source; End is behind the last byte.
type Problem struct {
	Start, End int
	Message    string // one sentence, lower case, no full stop
	Suggestion string // what to write instead
	Warning    bool   // the expression works all the same
	// Unknown is the variable without value that the expression reads. That is
	// an error of a condition; a template shows the variable's name instead.
	Unknown string
}

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	source string
	run    func(*frame) document.Value
	reads  Reads
}

// String is the source text.
func (p *Program) String() string { return p.source }

// Reads says which parts of events an expression looks at: paths of member
// names, none of them below another, in the order they stand in the source.
type Reads struct {
	Event  [][]string // of the event's document
	Origin [][]string // of the origin's document
	Meta   [][]string
	// WholeEvent and WholeOrigin: the document as a whole is used, or a member whose name is computed.
	WholeEvent, WholeOrigin bool
}

// Reads is what evaluation may look at.
func (p *Program) Reads() Reads { return p.reads }

type frame struct{ event *event.Event }

// Compile compiles src against env. The program is nil if a problem is an error
// other than an unknown variable.
func Compile(src string, env Env) (*Program, []Problem) {
	return nil, []Problem{{End: len(src), Message: "the expression language is on its way"}}
}

// True evaluates a condition: nil is false, anything but a boolean is the
// event's error. It implements plan.Condition.
func (p *Program) True(e *event.Event) (bool, error) {
	v, err := p.Value(e)
	return v.IsTrue(), err
}

// Value evaluates the expression. The error is the event's own.
func (p *Program) Value(e *event.Event) (document.Value, error) {
	return p.run(&frame{event: e}), nil
}
