package expression

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// What one evaluation may cost, so that no event can make it take the process
// down: bytes of text made, elementCost for each element made, or what it takes
// when it is written, stepCost for each turn of a loop.
const (
	budget      = 64 << 20
	elementCost = 64 // 1,048,576 elements
	stepCost    = 4
	textLimit   = 16 << 20 // of any one text
)

// frame is one evaluation.
type frame struct {
	event  *event.Event
	clock  func() time.Time
	slots  []document.Value // let names, loop items, arguments of calls
	err    error            // the first one; evaluation goes on with nil until somebody looks
	left   int
	unlike int64
	buffer []byte
}

func (f *frame) begin(e *event.Event) {
	f.event, f.left, f.unlike = e, budget, 0
}

func (f *frame) fail(format string, args ...any) {
	if f.err == nil {
		f.err = event.Failf(event.CodeExpression, format, args...)
	}
}

// spend takes cost from what the evaluation may cost; false says that it is over.
func (f *frame) spend(cost int) bool {
	if cost < 0 || cost > f.left {
		f.left = 0
		f.fail("the expression makes more than %d MiB, or takes too long", budget>>20)
		return false
	}
	f.left -= cost
	return f.err == nil
}

// room says whether a text of size bytes may be made.
func (f *frame) room(size int) bool {
	if size > textLimit {
		f.fail("the expression makes a text of more than %d MiB", textLimit>>20)
		return false
	}
	return f.spend(size)
}

// nothing is the value of an operation on values that it can't take.
func (f *frame) nothing() document.Value {
	f.unlike++
	return document.Value{}
}

// root is the event's document.
func (f *frame) root() document.Value {
	root, err := f.event.Root()
	if err != nil && f.err == nil {
		f.err = err
	}
	return root
}

// origin is the document as the source gave it.
func (f *frame) origin() document.Value {
	root, err := f.event.Origin().Root()
	if err != nil && f.err == nil {
		f.err = err
	}
	return root
}

// text is v where a text is wanted: a number counts as it is written.
func text(v document.Value) (string, bool) {
	switch v.Kind() {
	case document.Text:
		return v.Text(), true
	case document.Number:
		return v.Number(), true
	}
	return "", false
}

// hold pays for v as a part of something new, as much as it takes when it is
// written: a list that holds another one ten thousand times is small in memory only.
func (f *frame) hold(v document.Value) bool {
	return f.spend(max(elementCost, v.Written(f.left)))
}

// makeList is items as a value, paid for.
func (f *frame) makeList(items []document.Value) document.Value {
	for _, v := range items {
		if !f.hold(v) {
			return document.Value{}
		}
	}
	return document.NewArray(items)
}
