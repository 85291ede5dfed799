package expression

import (
	"maps"
	"slices"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

// code is a compiled node.
type code struct {
	eval    func(*frame) document.Value // nil only of a path that is not used yet
	test    func(*frame) bool           // of a node that is always true or false
	known   bool                        // value is known at load
	value   document.Value
	dynamic bool          // depends on the event or the clock
	deps    slots         // of enclosing loops
	result  document.Kind // what it always is, nil aside; Missing: that is open
	path    *path         // what is read of the event, until use
	bad     bool          // a problem was reported

	direct bool         // a value of the event as it stands there
	names  []string     // of members that must be there for a direct value not to be nil
	member string       // whose value a direct one is; "" where that is not known
	safe   bool         // evaluating it never is the event's error, unless the event is no JSON
	needs  []sieve.Need // of a test: each must be met
	doubt  string       // why there are none, where that can be told
}

var bad = code{bad: true}

func constant(v document.Value) code {
	yes := v.IsTrue()
	k := code{known: true, safe: true, value: v, result: v.Kind(), eval: func(*frame) document.Value { return v }}
	if v.Kind() == document.Bool {
		k.test = func(*frame) bool { return yes }
	}
	return k
}

// boolean is the code of a test.
func boolean(k code, test func(*frame) bool) code {
	k.test, k.result = test, document.Bool
	k.eval = func(f *frame) document.Value { return document.NewBool(test(f)) }
	return k
}

// condition is k where true or false is wanted: nil is false, all else the
// event's error.
func (k code) condition() func(*frame) bool {
	if k.test != nil {
		return k.test
	}
	eval := k.eval
	return func(f *frame) bool { return f.truth(eval(f)) }
}

func (f *frame) truth(v document.Value) bool {
	if v.IsNil() || v.Kind() == document.Bool {
		return v.IsTrue()
	}
	f.fail("a condition must be true, false or nil; this is %s", kindName(v.Kind()))
	return false
}

func kindName(k document.Kind) string {
	switch k {
	case document.Bool:
		return "true or false"
	case document.Number:
		return "a number"
	case document.Text:
		return "a text"
	case document.Array:
		return "a list"
	case document.Object:
		return "an object"
	case document.Time:
		return "a time"
	case document.Duration:
		return "a duration"
	}
	return "nil"
}

// from is what a node made of parts depends on.
func from(parts ...code) code {
	var k code
	for _, p := range parts {
		k.dynamic = k.dynamic || p.dynamic
		k.bad = k.bad || p.bad
		k.deps = k.deps.and(p.deps)
	}
	k.safe = !slices.ContainsFunc(parts, func(p code) bool { return !p.safe })
	return k
}

// slots is a set of places in a frame.
type slots map[int]bool

func (s slots) and(t slots) slots {
	if len(s) == 0 {
		return t
	}
	if len(t) == 0 {
		return s
	}
	u := maps.Clone(s)
	maps.Copy(u, t)
	return u
}

func (s slots) without(gone ...int) slots {
	u := maps.Clone(s)
	for _, g := range gone {
		delete(u, g)
	}
	return u
}
