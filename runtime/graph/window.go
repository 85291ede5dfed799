package graph

import (
	"context"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// window is the messages a sink's target has, in order. Answers come in any
// order and from any goroutine; they are settled in order, from the front.
type window struct {
	mu       sync.Mutex
	messages []*flight
	open     int           // of messages: without an answer
	back     int           // of messages: came back
	waited   bool          // somebody waits for changed
	returns  func()        // is called when a message comes back; nil: nobody waits for it
	pieces   int           // of refused batches, so far
	settled  chan struct{} // has a token when the front may be settled
	changed  chan struct{} // has a token when the window may have become smaller or all answered
}

// flight is one message on its way, and its answer.
type flight struct {
	message  *component.Message // a new one for each component that tries
	by       *delivery          // that component's; nil: not encoded yet
	size     int64
	payload  int64 // bytes of the message's, on the books beside the event's
	piece    int   // of a batch that was refused: goes out with others of the same piece only; 0: with any
	answered bool
	inside   bool // the window counts it
	receipt  []document.Member
	err      error
}

func newWindow() *window {
	return &window{settled: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
}

func (w *window) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.messages)
}

// add appends flights. ok is false if something came back that goes first:
// then the flights came back as well.
func (w *window) add(flights []*flight) (ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ok = w.back == 0
	w.messages = append(w.messages, flights...)
	for _, f := range flights {
		f.inside = true
		switch {
		case f.err == component.ErrReturned:
			w.back++
		case !f.answered:
			w.open++
			if !ok {
				w.toReturned(f)
			}
		}
	}
	return ok
}

// toReturned makes f, which is inside and unanswered, one that came back. The caller has w.mu.
func (w *window) toReturned(f *flight) {
	f.answered, f.err = true, component.ErrReturned
	w.open--
	w.back++
	if w.returns != nil {
		w.returns()
	}
}

// answer notes the answer to one message; a second one, and one to a message
// of a component before, is ignored.
func (w *window) answer(f *flight, m *component.Message, receipt []document.Member, err error) {
	w.mu.Lock()
	switch {
	case f.answered || f.message != m:
	case f.inside && err == component.ErrReturned:
		w.toReturned(f)
	default:
		f.answered, f.receipt, f.err = true, receipt, err
		if f.inside {
			w.open--
		}
	}
	front := len(w.messages) > 0 && w.messages[0] == f
	waited := w.waited
	w.mu.Unlock()
	if front {
		wake(w.settled)
	}
	if waited {
		wake(w.changed)
	}
}

// encoded makes m the message of f, for the component of d, and says how many bytes more its payload has than the one
// before.
func (w *window) encoded(f *flight, m *component.Message, d *delivery) (more int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.message, f.by = m, d
	if !f.answered { // else a predecessor's answer has come, and may be settled already
		more = int64(len(m.Payload)) - f.payload
		f.payload += more
	}
	return more
}

// front takes what is answered for good from the front; it stops at a message
// without an answer, or one that came back.
func (w *window) front() []*flight {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.messages) && w.messages[n].answered && w.messages[n].err != component.ErrReturned {
		n++
	}
	out := w.messages[:n:n]
	w.messages = w.messages[n:]
	if len(w.messages) == 0 {
		w.messages = nil
	}
	return out
}

// waitFor waits until ok, looking again whenever a message is answered or settled.
func (w *window) waitFor(ctx context.Context, ok func() bool) {
	w.setWaited(true)
	defer w.setWaited(false)
	for !ok() {
		select {
		case <-w.changed:
		case <-ctx.Done():
			return
		}
	}
}

func (w *window) setWaited(is bool) {
	w.mu.Lock()
	w.waited = is
	w.mu.Unlock()
}

// unanswered counts the messages the target has.
func (w *window) unanswered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}

// returned says whether a message came back.
func (w *window) returned() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.back > 0
}

// interrupt calls stop when a message comes back. It is too late if one has.
func (w *window) interrupt(stop func()) (ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.returns = stop
	return w.back == 0
}

// comeBack gives back what of batch has no answer.
func (w *window) comeBack(batch []*flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range batch {
		if !f.answered {
			w.toReturned(f)
		}
	}
}

// refuse halves what of batch has no answer, for somebody in it is to blame
// for f; one that is left alone is.
func (w *window) refuse(batch []*flight, f *event.Failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []*flight
	for _, f := range batch {
		if !f.answered {
			left = append(left, f)
		}
	}
	if len(left) == 1 {
		left[0].answered, left[0].err = true, f
		w.open--
		wake(w.settled)
		return
	}
	for i, f := range left {
		f.piece = w.pieces + 1 + 2*i/len(left)
		w.toReturned(f)
	}
	w.pieces += 2
}

// retry is the first of the messages that came back, in order, at most most
// and, but for one larger, size bytes, as unanswered again; none while the target has any.
// They keep their places: what was answered behind them waits for them.
func (w *window) retry(most int, size int64) (again []*flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open > 0 || w.back == 0 {
		return nil
	}
	for _, f := range w.messages {
		if !f.answered || f.err != component.ErrReturned {
			continue
		}
		if n := len(again); n > 0 && (n == most || f.size > size || f.piece != again[0].piece) {
			break
		}
		size -= f.size
		f.answered, f.err = false, nil
		w.open++
		w.back--
		again = append(again, f)
	}
	return again
}

// recallEvents takes the events without an answer out of the window, in order, with so many bytes of payloads.
func (w *window) recallEvents() (back []*event.Event, payloads int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var stay []*flight
	for _, f := range w.messages {
		if f.answered && f.err != component.ErrReturned {
			stay = append(stay, f)
		} else {
			f.inside = false
			back = append(back, f.message.Event)
			payloads += f.payload
		}
	}
	w.messages, w.open, w.back = stay, 0, 0
	return back, payloads
}

// giveBack answers for the messages that a component has left unanswered.
func (w *window) giveBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.returns = nil
	for _, f := range w.messages {
		if !f.answered {
			w.toReturned(f)
		}
	}
}
