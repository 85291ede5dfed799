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
	settled  chan struct{} // has a token when the front may be settled
	changed  chan struct{} // has a token when the window may have become smaller or all answered
}

// flight is one message on its way, and its answer.
type flight struct {
	message  *component.Message // a new one for each component that tries
	size     int64
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

func (w *window) add(flights []*flight) {
	w.mu.Lock()
	w.messages = append(w.messages, flights...)
	for _, f := range flights {
		f.inside = true
		switch {
		case !f.answered:
			w.open++
		case f.err == component.ErrReturned:
			w.back++
		}
	}
	w.mu.Unlock()
}

// answer notes the answer to one message; a second one, and one to a message
// of a component before, is ignored.
func (w *window) answer(f *flight, m *component.Message, receipt []document.Member, err error) {
	w.mu.Lock()
	if !f.answered && f.message == m {
		f.answered, f.receipt, f.err = true, receipt, err
		if f.inside {
			w.open--
			if err == component.ErrReturned {
				w.back++
			}
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

// encoded makes m the message of f.
func (w *window) encoded(f *flight, m *component.Message) {
	w.mu.Lock()
	f.message = m
	w.mu.Unlock()
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

// retry is the messages that came back, in order, as unanswered again. They
// keep their places: what was answered behind them waits for them.
func (w *window) retry() (again []*flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.messages {
		if f.answered && f.err == component.ErrReturned {
			f.answered, f.err = false, nil
			w.open++
			w.back--
			again = append(again, f)
		}
	}
	return again
}

// recallEvents takes the events without an answer out of the window, in order.
func (w *window) recallEvents() (back []*event.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var stay []*flight
	for _, f := range w.messages {
		if f.answered && f.err != component.ErrReturned {
			stay = append(stay, f)
		} else {
			f.inside = false
			back = append(back, f.message.Event)
		}
	}
	w.messages, w.open, w.back = stay, 0, 0
	return back
}

// giveBack answers for the messages that a component has left unanswered.
func (w *window) giveBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.messages {
		if !f.answered {
			f.answered, f.err = true, component.ErrReturned
			w.open--
			w.back++
		}
	}
}
