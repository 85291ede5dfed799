// Package expression is the language of conditions and template holes: the
// grammar of expr-lang/expr with semantics of our own. Missing members are nil
// at any depth, equality is total, numbers keep their exact decimal value, and
// evaluating a condition on an event allocates nothing where the expression
// makes no new text, list or object.
package expression

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

// Env is what is known at load time.
type Env struct {
	Vars   document.Value // object: var.NAME; a variable that is null is a member that is null
	Locals document.Value // object: local.NAME
	// Unknown names what has no value here (tests, graphs, dry runs): "var.NAME"
	// or "local.NAME", and the variable that lacks a value behind it.
	Unknown map[string]string
	// Now is the clock of now(); nil is time.Now.
	Now func() time.Time
}

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	source string
	env    Env
	code   code
	test   func(*frame) bool
	need   sieve.Need
	reads  []Path
	unlike atomic.Int64
	frames sync.Pool
}

// String is the source text.
func (p *Program) String() string { return p.source }

// Reads is every place of the source that looks at events: an evaluation
// depends on an event by the values at these paths only.
func (p *Program) Reads() []Path { return p.reads }

// Constant is the value of an expression that looks at no event and no clock.
func (p *Program) Constant() (v document.Value, ok bool) { return p.code.value, p.code.known }

// Unlike counts how often an operator or function met values that it can't
// take (a text where a list is wanted) and counted them as nil.
func (p *Program) Unlike() int64 { return p.unlike.Load() }

// Need is what the bytes of an event's document must hold for the condition to
// be true; nil where nothing is known. It implements plan.Sieved.
func (p *Program) Need() sieve.Need { return p.need }

// Doubt is why nothing is known of what the bytes must hold, for who reads a
// plan; "" where something is.
func (p *Program) Doubt() string {
	switch {
	case p.need != nil:
		return ""
	case p.code.doubt != "":
		return p.code.doubt
	}
	return "it names no text and no member that has to be there"
}

// True evaluates a condition: nil is false, anything but a boolean is the
// event's error. For an event whose bytes do not meet the condition's need it is
// false; that they are no JSON remains unknown then. It implements
// plan.Condition.
func (p *Program) True(e *event.Event) (bool, error) {
	if raw := e.Raw(); raw != nil && !p.need.Met(raw) {
		return false, nil
	}
	return p.Evaluate(e)
}

// Evaluate is True for an event that meets the need. It implements plan.Sieved.
func (p *Program) Evaluate(e *event.Event) (bool, error) {
	f := p.frames.Get().(*frame)
	f.begin(e)
	ok := p.test(f)
	err := p.end(f)
	return ok && err == nil, err
}

// Value evaluates the expression. The error is the event's own.
func (p *Program) Value(e *event.Event) (document.Value, error) {
	f := p.frames.Get().(*frame)
	f.begin(e)
	v := p.code.eval(f)
	if err := p.end(f); err != nil {
		return document.Value{}, err
	}
	return v, nil
}

// end gives the frame back. The error says of which expression it is: a
// component may have several.
func (p *Program) end(f *frame) error {
	err := f.err
	if failure, ok := errors.AsType[*event.Failure](err); ok && failure.Code == event.CodeExpression {
		failure.Message += ": " + p.excerpt()
	}
	if f.unlike > 0 {
		p.unlike.Add(f.unlike)
	}
	f.event, f.err = nil, nil
	clear(f.slots) // values alias the event's bytes: don't keep them
	p.frames.Put(f)
	return err
}

// excerpt is the beginning of the source, on one line.
func (p *Program) excerpt() string {
	const most = 60
	source := []rune(strings.Join(strings.Fields(p.source), " "))
	if len(source) > most {
		return string(source[:most]) + "…"
	}
	return string(source)
}
