package watch

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Board is what the messages of a feed come to. Safe for concurrent use.
type Board struct {
	opener opener
	stale  time.Duration
	from   string
	news   chan struct{} // has one element when there is something new

	mu       sync.Mutex
	agents   map[key]*agent
	managers map[string]*manager
	recent   minute
	counts   counts
	trouble  error
	troubles int    // reports in a row
	limits   int    // how many of them end it; 0: none do
	note     string // about the feed
	replay   bool   // what comes has been before
	complete bool   // the picture is whole, or was once
	keep     bool
	changed  []change
}

// counts are the messages that could not be shown.
type counts struct{ malformed, encrypted, unverified, other int }

// manager is one whose agents are shown.
type manager struct {
	heard    time.Time // its agents were so then
	trouble  string    // why it can't read them, as of its last heartbeat
	beat     time.Time // of that heartbeat
	total    int       // agents, as of that heartbeat
	known    int       // agents that are shown
	snapshot snapshot  // the newest
	pictured time.Time // when that snapshot began
}

func newBoard(o *Options) *Board {
	return &Board{
		opener: newOpener(o.Keys), stale: o.Stale, from: o.From, news: make(chan struct{}, 1),
		agents: map[key]*agent{}, managers: map[string]*manager{},
	}
}

// Message takes one message: an event, or a batch of them.
func (b *Board) Message(raw []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.message(raw, unchecked, true)
	b.wake()
}

// Damaged counts a message that could not even be unpacked.
func (b *Board) Damaged() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.malformed++
	b.wake()
}

func (b *Board) message(raw []byte, outer proof, batches bool) {
	e, p, err := b.opener.open(raw, outer)
	switch {
	case errors.Is(err, errOther):
		b.counts.other++
		return
	case errors.Is(err, errEncrypted):
		b.counts.encrypted++
		return
	case err != nil, e.Type == "batch" && !batches:
		b.counts.malformed++
		return
	case e.Type == "batch":
		for _, member := range e.Events {
			b.message(member, p, false)
		}
		return
	}
	if p == unverified {
		b.counts.unverified++
	}
	b.take(e, p)
}

// Trouble says why nothing new comes; nil: it does again.
func (b *Board) Trouble(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble = err
	if b.troubles++; err == nil {
		b.troubles = 0
	}
	b.wake()
}

// Note says what one should know of the feed; "": nothing.
func (b *Board) Note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note = text
	b.wake()
}

// Replay says whether the messages from here on are old ones, which change nothing that anybody
// has seen. What has been told at its end is all there is.
func (b *Board) Replay(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replay = on
	if !on && len(b.agents) > 0 {
		b.complete = true
	}
	b.wake()
}

// Hopeless says after how many reports of trouble in a row, before anything is known, there is
// no more hope.
func (b *Board) Hopeless(reports int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits = reports
}

// wake is called with b.mu.
func (b *Board) wake() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// whole says whether all agents there are have been told.
func (b *Board) whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.complete
}

// hopeless is the trouble that will not end.
func (b *Board) hopeless() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limits > 0 && b.troubles >= b.limits && !b.complete {
		return b.trouble
	}
	return nil
}

// why is what was in the way when time was up.
func (b *Board) why(timeout time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.trouble != nil:
		return b.trouble
	case b.counts.encrypted > 0 && len(b.agents) == 0:
		return fmt.Errorf("%w after %s: messages are encrypted: write --key FILE", ErrTimeout, timeout)
	case b.note != "":
		return fmt.Errorf("%w after %s: %s", ErrTimeout, timeout, b.note)
	case len(b.agents) > 0:
		return fmt.Errorf("%w after %s, only %s; --timeout waits longer", ErrTimeout, timeout, number(len(b.agents)))
	}
	return fmt.Errorf("%w after %s: nothing has come; --timeout waits longer", ErrTimeout, timeout)
}

// keepChanges makes the board keep changes until they are taken.
func (b *Board) keepChanges() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep = true
}

func (b *Board) taken() []change {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.changed
	b.changed = nil
	return all
}
