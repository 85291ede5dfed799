package kafka

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// session is what is on its way under one context of Deliver. One goroutine
// sends it, lot by lot: a lot goes into the client's buffers whole before the
// first of it is sent, and the next one follows when the last answer is there.
// This is what keeps the order when a broker refuses a batch: the client then
// fails all of the partition that it has buffered, and nothing else can slip
// in between before these are sent again.
type session struct {
	sink   *sink
	parent context.Context // of Deliver
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{} // closed when everything has its answer

	mu      sync.Mutex
	waiting []*component.Message
	bytes   int           // payloads without an answer
	over    bool          // nothing is taken any more
	more    chan struct{} // has a token when something waits
	room    chan struct{} // has a token when bytes became less

	since atomic.Int64 // when the lot on its way made its last step, Unix nanoseconds; 0: there is none
}

func newSession(ctx context.Context, s *sink) *session {
	n := &session{sink: s, parent: ctx, ended: make(chan struct{}), more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	n.ctx, n.cancel = context.WithCancel(ctx)
	go n.run()
	return n
}

// take gives the session messages, and waits while it has too many.
func (n *session) take(messages []*component.Message) {
	for len(messages) > 0 && n.accept(&messages) {
		wake(n.more)
		if len(messages) > 0 {
			select {
			case <-n.room:
			case <-n.ended:
			}
		}
	}
	if len(messages) > 0 {
		<-n.ended // what was taken before comes back before
		for _, m := range messages {
			m.Return()
		}
	}
}

// accept takes what there is room for; it is false when the session is over.
func (n *session) accept(messages *[]*component.Message) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return false
	}
	for len(*messages) > 0 {
		m := (*messages)[0]
		if n.bytes > 0 && n.bytes+len(m.Payload) > mostBytes {
			break
		}
		n.bytes += len(m.Payload)
		n.waiting = append(n.waiting, m)
		*messages = (*messages)[1:]
	}
	return true
}

// end stops sending and returns when everything has its answer.
func (n *session) end() {
	n.cancel()
	<-n.ended
}

func (n *session) run() {
	defer close(n.ended)
	defer n.giveBack()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		n.watch()
	}()
	defer func() { <-watched }()
	defer n.cancel()

	var client *kgo.Client
	hangUp := func() {
		if client != nil {
			client.Close()
			client = nil
		}
	}
	defer hangUp()

	var pause pauses
	most := lotRecords
	for n.ctx.Err() == nil {
		lot := n.next(most)
		if lot == nil {
			continue
		}
		var trouble error
		if client == nil {
			client, trouble = n.connect()
		}
		var failed []refused
		if trouble == nil {
			failed = n.send(client, lot, hangUp)
		} else {
			failed = refuseAll(lot, trouble)
		}
		failed, trouble = n.sort(failed, len(lot))
		n.putBack(failed)
		switch {
		case n.ctx.Err() != nil:
		case trouble != nil:
			// A new client knows nothing of a lost login, a dead producer id or a topic that was made anew.
			hangUp()
			most = 1
			n.sink.health.set(trouble)
			pause.wait(n.ctx)
		case len(failed) > 0:
			most = 1
		default:
			pause = 0
			most = min(2*most, lotRecords)
			n.sink.health.set(nil)
		}
	}
}

// refused is a message that has no answer but an error.
type refused struct {
	message *component.Message
	err     error
}

func refuseAll(lot []*component.Message, err error) []refused {
	all := make([]refused, len(lot))
	for i, m := range lot {
		all[i] = refused{m, err}
	}
	return all
}

// next waits for messages and takes at most so many of them; nil means to look
// again, or to stop.
func (n *session) next(most int) []*component.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) == 0 {
		n.mu.Unlock()
		select {
		case <-n.more:
		case <-n.ctx.Done():
		}
		n.mu.Lock()
		return nil
	}
	count, bytes := 0, 0
	for count < len(n.waiting) && count < most {
		bytes += len(n.waiting[count].Payload)
		if count > 0 && bytes > lotBytes {
			break
		}
		count++
	}
	lot := n.waiting[:count:count]
	n.waiting = n.waiting[count:]
	return lot
}

// send sends a lot and waits for all its answers. What is taken is done; what
// is not comes back in order. When the session ends, hangUp cuts the
// connections: then nothing of the lot can be stored behind what a successor
// sends, but for what the broker already has.
func (n *session) send(client *kgo.Client, lot []*component.Message, hangUp func()) []refused {
	n.step()
	defer n.since.Store(0)
	flights := make([]flight, len(lot))
	for i, m := range lot {
		f := &flights[i]
		env := m.Native.(*envelope)
		f.record = kgo.Record{Topic: env.topic, Key: env.key, Headers: env.headers, Value: m.Payload}
		if f.record.Value == nil {
			f.record.Value = []byte{} // empty: nil would be a tombstone
		}
		f.message = m
	}
	var answers sync.WaitGroup
	answers.Add(len(flights))
	for i := range flights {
		f := &flights[i]
		client.TryProduce(context.Background(), &f.record, func(r *kgo.Record, err error) {
			if f.err = err; err == nil {
				n.done(f.message, r)
			}
			answers.Done()
		})
	}
	if client.Flush(n.ctx) != nil {
		hangUp()
	}
	answers.Wait()
	var failed []refused
	for i := range flights {
		if flights[i].err != nil {
			failed = append(failed, refused{flights[i].message, flights[i].err})
		}
	}
	return failed
}

// flight is a message in the client's hands.
type flight struct {
	record  kgo.Record
	message *component.Message
	err     error
}

func (n *session) done(m *component.Message, r *kgo.Record) {
	n.step()
	n.sink.health.set(nil)
	n.forget(len(m.Payload))
	m.Done(
		document.Member{Name: "partition", Value: document.NewInt(int64(r.Partition))},
		document.Member{Name: "offset", Value: document.NewInt(r.Offset)},
	)
}

// sort fails what is a message's own error and is left with what is to be
// sent again, and the target's trouble if there was any. A client fails many
// records for one, so only an error of a lot of one is surely its own.
func (n *session) sort(failed []refused, lot int) (again []refused, trouble error) {
	_, constant := n.sink.constantTopic()
	for _, f := range failed {
		v := judge(f.err, constant)
		switch {
		case v.owner == record && lot == 1:
			n.forget(len(f.message.Payload))
			n.sink.health.set(nil) // the broker is well
			f.message.Fail(event.Failf(v.code, "%s: %v", v.words, f.err))
			continue
		case v.owner == target:
			trouble = &refusal{topic: f.message.Native.(*envelope).topic, words: v.words, err: f.err}
		}
		again = append(again, f)
	}
	return again, trouble
}

// putBack puts messages before all that wait.
func (n *session) putBack(failed []refused) {
	if len(failed) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]*component.Message, 0, len(failed)+len(n.waiting))
	for _, f := range failed {
		all = append(all, f.message)
	}
	n.waiting = append(all, n.waiting...)
}

// forget makes room.
func (n *session) forget(bytes int) {
	n.mu.Lock()
	n.bytes -= bytes
	n.mu.Unlock()
	wake(n.room)
}

// giveBack returns all that has no answer, in order.
func (n *session) giveBack() {
	n.mu.Lock()
	n.over = true
	rest := n.waiting
	n.waiting = nil
	n.mu.Unlock()
	for _, m := range rest {
		m.Return()
	}
}

// step notes that the lot on its way has moved.
func (n *session) step() { n.since.Store(time.Now().UnixNano()) }

// pauses grow from a quarter of a second to five.
type pauses int

func (p *pauses) wait(ctx context.Context) {
	d := min(250*time.Millisecond<<*p, 5*time.Second)
	*p = min(*p+1, 5)
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
