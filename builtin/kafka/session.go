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
// (The gate sees to that; and the first record to a topic goes alone, since the
// client lets records that waited for a topic's partitions trickle in.)
// This is what keeps the order when a broker refuses a batch: the client then
// fails all of the partition that it has buffered, and nothing else can slip
// in between before these are sent again.
type session struct {
	backlog
	gate   gate
	sink   *sink
	parent context.Context // of Deliver
	ctx    context.Context
	cancel context.CancelFunc
	client *kgo.Client     // run's; nil while there is none
	known  map[string]bool // topics that the client has sent to
	moved  atomic.Int64    // when the lot on its way made its last step, Unix nanoseconds; 0: there is none
}

func newSession(ctx context.Context, s *sink) *session {
	n := &session{backlog: newBacklog(), sink: s, parent: ctx, known: make(map[string]bool)}
	n.ctx, n.cancel = context.WithCancel(ctx)
	go n.run()
	return n
}

// end stops sending and returns when everything has its answer.
func (n *session) end() {
	n.cancel()
	<-n.ended
}

func (n *session) run() {
	var watch sync.WaitGroup
	watch.Go(n.watch)
	defer n.giveBack()
	defer watch.Wait()
	defer n.hangUp()
	defer n.cancel()

	var pause pauses
	most := lotRecords
	for n.ctx.Err() == nil {
		lot := n.next(n.ctx, most, n.known)
		if lot == nil {
			continue
		}
		again, trouble := n.try(lot)
		n.putBack(again)
		switch {
		case n.ctx.Err() != nil:
		case trouble != nil:
			// A new client knows nothing of a lost login, a dead producer id or a topic that was made anew.
			n.hangUp()
			most = 1
			n.sink.health.set(trouble)
			pause.wait(n.ctx)
		case len(again) > 0:
			most = 1
		default:
			pause = 0
			most = min(2*most, lotRecords)
			n.sink.health.set(nil)
		}
	}
}

// hangUp cuts the connections. Then nothing more can be stored but what a
// broker has already.
func (n *session) hangUp() {
	if n.client != nil {
		n.client.Close()
		n.client = nil
		clear(n.known)
	}
}

// try sends a lot, waits for all its answers and passes them on. What has to
// be sent again comes back in order, with the target's trouble if there was any.
func (n *session) try(lot []*component.Message) (again []*component.Message, trouble error) {
	if n.client == nil {
		if n.client, trouble = n.connect(); trouble != nil {
			return lot, trouble
		}
	}
	_, constant := n.sink.constantTopic()
	for _, f := range n.send(lot) {
		if f.err == nil {
			n.known[f.record.Topic] = true
			continue
		}
		v := judge(f.err, constant)
		switch {
		case v.owner == target:
			trouble = &refusal{topic: f.record.Topic, words: v.words, err: f.err}
		case len(lot) == 1:
			// A client fails many records for one: an error of a lot of one is surely its own.
			n.sink.health.set(nil) // the broker is well
			n.forget(f.message)
			f.message.Fail(event.Failf(v.code, "%s: %v", v.words, f.err))
			continue
		}
		again = append(again, f.message)
	}
	return again, trouble
}

// flight is a message in the client's hands.
type flight struct {
	record  kgo.Record
	message *component.Message
	err     error
}

// send sends a lot and returns when the client knows what became of each
// message. What was taken is done by then.
func (n *session) send(lot []*component.Message) []flight {
	beforeProduce.Pass()
	n.step()
	defer n.moved.Store(0)
	flights := make([]flight, len(lot))
	var answers sync.WaitGroup
	answers.Add(len(flights))
	n.gate.Lock()
	for i, m := range lot {
		f := &flights[i]
		f.message, f.record = m, recordOf(m)
		n.client.TryProduce(context.Background(), &f.record, func(_ *kgo.Record, err error) {
			if f.err = err; err == nil {
				n.done(f)
			}
			answers.Done()
		})
	}
	n.gate.Unlock()
	n.flush()
	answers.Wait()
	return flights
}

// flush has the client send what it has, and waits for the answers; when the
// session ends it hangs up instead. It reminds the client every second: one that was
// refused as a producer may forget a record it has just taken until then.
func (n *session) flush() {
	for {
		ctx, cancel := context.WithTimeout(n.ctx, time.Second)
		err := n.client.Flush(ctx)
		cancel()
		if err == nil {
			return
		}
		if n.ctx.Err() != nil {
			n.hangUp()
			return
		}
	}
}

func (n *session) done(f *flight) {
	behindProduce.Pass()
	n.step()
	n.sink.health.set(nil)
	n.forget(f.message)
	f.message.Done(receipt(&f.record)...)
}

// recordOf is what is sent for m.
func recordOf(m *component.Message) kgo.Record {
	env := m.Native.(*envelope)
	r := kgo.Record{Topic: env.topic, Key: env.key, Headers: env.headers, Value: m.Payload}
	if r.Value == nil {
		r.Value = []byte{} // empty: nil would be a tombstone
	}
	return r
}

// receipt is what a stored record tells.
func receipt(r *kgo.Record) []document.Member {
	return []document.Member{
		{Name: "partition", Value: document.NewInt(int64(r.Partition))},
		{Name: "offset", Value: document.NewInt(r.Offset)},
	}
}

// step notes that the lot on its way has moved.
func (n *session) step() { n.moved.Store(time.Now().UnixNano()) }

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
