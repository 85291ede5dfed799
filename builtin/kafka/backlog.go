package kafka

import (
	"context"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
)

// backlog is the messages of a session without an answer, but for those in the
// client's hands: what Deliver brings at the end, what is to be sent again at
// the front.
type backlog struct {
	mu      sync.Mutex
	waiting []*component.Message
	bytes   int           // payloads without an answer, those in the client's hands included
	over    bool          // nothing is taken any more
	more    chan struct{} // has a token when something waits
	room    chan struct{} // has a token when bytes became less
	ended   chan struct{} // closed when everything has its answer
}

func newBacklog() backlog {
	return backlog{more: make(chan struct{}, 1), room: make(chan struct{}, 1), ended: make(chan struct{})}
}

// take adds messages, and waits while there are too many.
func (b *backlog) take(messages []*component.Message) {
	for len(messages) > 0 && b.accept(&messages) {
		wake(b.more)
		if len(messages) > 0 {
			select {
			case <-b.room:
			case <-b.ended:
			}
		}
	}
	if len(messages) > 0 {
		<-b.ended // what was taken before comes back before
		for _, m := range messages {
			m.Return()
		}
	}
}

// accept takes what there is room for; it is false when the session is over.
func (b *backlog) accept(messages *[]*component.Message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return false
	}
	for len(*messages) > 0 {
		m := (*messages)[0]
		if b.bytes > 0 && b.bytes+len(m.Payload) > mostBytes {
			break
		}
		b.bytes += len(m.Payload)
		b.waiting = append(b.waiting, m)
		*messages = (*messages)[1:]
	}
	return true
}

// next takes a lot from the front, at most so many messages, and waits for one;
// nil means to ask again, or that ctx is done. A message whose topic is not
// known is a lot of its own.
func (b *backlog) next(ctx context.Context, most int, known map[string]bool) []*component.Message {
	if lot := b.front(most, known); lot != nil {
		return lot
	}
	select {
	case <-b.more:
	case <-ctx.Done():
	}
	return nil
}

func (b *backlog) front(most int, known map[string]bool) []*component.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return nil
	}
	count, bytes := 0, 0
	for count < len(b.waiting) && count < most {
		m := b.waiting[count]
		bytes += len(m.Payload)
		fresh := !known[m.Native.(*envelope).topic]
		if count > 0 && (fresh || bytes > lotBytes) {
			break
		}
		count++
		if fresh {
			break
		}
	}
	lot := b.waiting[:count:count]
	b.waiting = b.waiting[count:]
	return lot
}

// putBack puts messages before all that wait.
func (b *backlog) putBack(messages []*component.Message) {
	if len(messages) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(messages, b.waiting...)
}

// forget makes room for a message that has its answer.
func (b *backlog) forget(m *component.Message) {
	b.mu.Lock()
	b.bytes -= len(m.Payload)
	b.mu.Unlock()
	wake(b.room)
}

// giveBack returns all that has no answer, in order, and takes nothing more.
func (b *backlog) giveBack() {
	b.mu.Lock()
	b.over = true
	rest := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	for _, m := range rest {
		m.Return()
	}
	close(b.ended)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
