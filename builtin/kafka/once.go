package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// once delivers exactly once. What Deliver brings goes into one transaction,
// together with a checkpoint for each source: how far its events are committed.
// What is brought again is looked up there, and only answered if it is committed, so that
// all that hangs on the answer (`.delivered`, the position in the source) comes to its end too.
//
// There is one cure for whatever goes wrong with the target, an unknown outcome of a
// commit included: hang up, begin anew under the same transactional id, which ends
// for good what was open, and read the checkpoints again.
type once struct {
	sink     *sink
	ledger   ledger
	instance string
	most     int // messages in a transaction; fewer while they take too long

	client   *kgo.Client // nil while there is none
	claimed  bool        // the ledger has said that this instance runs the sink
	progress map[string]*progress
	known    []string                           // sources with a checkpoint at the start
	receipts map[*event.Event][]document.Member // of what a commit without answer would have committed
	refusals map[string][]refused               // by source; not in the ledger yet

	pending []*component.Message // of a Deliver: not answered yet
	owed    []*event.Event       // of earlier ones, in order: given and not answered
}

// Times of a transaction. The broker ends one that is open for longer than the
// timeout, and readers wait for it that long when this process is killed and not started again.
const (
	transactionTimeout = time.Minute
	transactionLimit   = 30 * time.Second // then it is given up
	openLimit          = 5 * time.Second
)

func newOnce(s *sink) *once {
	return &once{
		sink: s, instance: rand.Text(), most: transactionRecords, refusals: map[string][]refused{},
		ledger: ledger{topic: s.config.String("checkpoint_topic"), pipeline: s.config.Pipeline, sink: s.config.Address},
	}
}

// transactionalID is the same for every instance of the sink, so that a new
// one fences the one before.
func (o *once) transactionalID() string { return "etl/" + o.ledger.pipeline + "/" + o.ledger.sink }

// open begins if the brokers are there; deliver tries again if they are not.
func (o *once) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	return o.begin(ctx)
}

// deliver is Deliver.
func (o *once) deliver(ctx context.Context, messages []*component.Message) error {
	err := o.passed(messages)
	if err == nil {
		o.pending = messages
		err = o.try(ctx, messages)
		o.owe(messages)
	}
	o.sink.health.set(err)
	if err != nil {
		o.hangUp()
	}
	return err
}

func (o *once) try(ctx context.Context, messages []*component.Message) error {
	if err := o.begin(ctx); err != nil {
		return err
	}
	for len(messages) > 0 {
		n := o.together(messages)
		var fresh []*component.Message
		for _, m := range messages[:n] {
			if !m.Event.Stream().Replayed && o.progressOf(m.Event.Stream().Source).has(m.Event) {
				m.Done(o.receipts[m.Event]...)
			} else {
				fresh = append(fresh, m)
			}
			delete(o.receipts, m.Event) // of others it is still asked: after trouble they come a few at a time
		}
		messages = messages[n:]
		o.pending = append(fresh, messages...)
		for len(fresh) > 0 {
			n := min(o.most, len(fresh))
			if err := o.commit(ctx, fresh[:n]); err != nil {
				return err
			}
			fresh = fresh[n:]
			o.most = min(2*o.most, transactionRecords)
		}
	}
	return nil
}

func (o *once) hangUp() {
	if o.client != nil {
		o.client.Close()
		o.client = nil
	}
}

// begin takes over the transactional id and finds out what is committed. It is
// component.Fatal if another instance has taken over from this one.
func (o *once) begin(ctx context.Context) (err error) {
	if o.client != nil {
		return nil
	}
	s, began := o.sink, time.Now()
	ctx, cancel := context.WithTimeout(ctx, transactionLimit+transactionTimeout) // others' open transactions are waited for
	defer cancel()
	defer func() {
		if err != nil {
			o.hangUp()
			if why := s.health.connection(began); why != nil && !component.IsFatal(err) {
				err = why
			}
		}
	}()
	if o.client, err = kgo.NewClient(append(s.options(), append(s.producing(),
		kgo.TransactionalID(o.transactionalID()),
		kgo.TransactionTimeout(transactionTimeout),
		kgo.RecordPartitioner(place{kgo.UniformBytesPartitioner(64<<10, true, true, nil), o.ledger.topic}),
		kgo.MaxBufferedRecords(2*transactionRecords),
	)...)...); err != nil {
		return err
	}
	if err := o.ledger.create(ctx, s, o.client); err != nil {
		return err
	}
	if _, _, err := o.client.ProducerID(ctx); err != nil {
		return o.refused("", err)
	}
	session := rand.Text()
	if err := o.write(ctx, o.ledger.record("", "reader", session)); err != nil {
		return err
	}
	f, err := o.ledger.read(ctx, s.options(), session)
	if err != nil {
		return err
	}
	if f.holder.Instance != o.instance {
		beforeClaim.Pass()
		if o.claimed {
			return component.Fatal(fmt.Errorf("another instance of pipeline %s has taken over: process %d on %s, since %s; "+
				"two pipelines that shall both run need names of their own (runtime { name })",
				o.ledger.pipeline, f.holder.Process, f.holder.Host, f.holder.Since.Format(time.RFC3339)))
		}
		if err := o.write(ctx, o.ledger.record("", "", newHolder(o.instance, s.host.Now()))); err != nil {
			return err
		}
	}
	if !o.claimed {
		o.known = slices.Sorted(maps.Keys(f.progress))
	}
	o.claimed, o.progress = true, f.progress
	behindBegin.Pass()
	return nil
}

// write commits one record.
func (o *once) write(ctx context.Context, r *kgo.Record) error {
	if err := o.client.BeginTransaction(); err != nil {
		return o.refused("", err)
	}
	t := o.produce(nil, []*kgo.Record{r})
	if err := o.flush(ctx, t); err != nil {
		return err
	}
	if err := t.notes[0].err; err != nil {
		return o.refused(r.Topic, err)
	}
	return o.refused("", o.client.EndTransaction(ctx, kgo.TryCommit))
}

// commit commits a lot, with what its sources have come to. A record that the
// brokers refuse for its own sake is found by halving the lot.
func (o *once) commit(ctx context.Context, lot []*component.Message) error {
	next := o.advanced(lot)
	var notes []*kgo.Record
	var moved []string
	for source, p := range next {
		notes = append(notes, o.ledger.record(source, "", p))
		moved = append(moved, o.former(source)...)
	}
	for _, name := range moved {
		notes = append(notes, o.ledger.gone(name))
	}
	beforeBegin.Pass()
	if err := o.client.BeginTransaction(); err != nil {
		return o.refused("", err)
	}
	beforeRecords.Pass()
	t := o.produce(lot, notes)
	if err := o.flush(ctx, t); err != nil {
		return err
	}
	own, trouble := o.judge(t)
	switch {
	case own != nil:
		return o.isolate(ctx, lot, *own)
	case trouble != nil:
		return trouble
	}
	receipts := make([][]document.Member, len(lot))
	for i := range t.flights {
		receipts[i] = receipt(&t.flights[i].record)
	}
	ending, cancel := context.WithTimeout(ctx, transactionLimit)
	defer cancel()
	beforeCommit.Pass()
	if err := o.client.EndTransaction(ending, kgo.TryCommit); err != nil {
		o.receipts = make(map[*event.Event][]document.Member, len(lot))
		for i, m := range lot {
			o.receipts[m.Event] = receipts[i]
		}
		return o.refused("", err)
	}
	behindCommit.Pass()
	for source, p := range next {
		o.progress[source] = p
		delete(o.refusals, source)
	}
	for _, name := range moved {
		delete(o.progress, name)
	}
	for i, m := range lot {
		m.Done(receipts[i]...)
	}
	o.pending = o.pending[len(lot):]
	behindAnswers.Pass()
	return nil
}

// advanced is what the sources of a lot have come to when it is committed.
func (o *once) advanced(lot []*component.Message) map[string]*progress {
	next := map[string]*progress{}
	for _, m := range lot {
		if m.Event.Stream().Replayed {
			continue
		}
		source := o.source(m.Event)
		p := next[source]
		if p == nil {
			o.warn(source)
			p = o.progressOf(source).clone()
			next[source] = p
		}
		p.advance(m.Event)
	}
	for source, p := range next {
		p.seal()
		p.refuse(o.refusals[source]...)
	}
	return next
}

// warn tells of a source that had no checkpoint at the start, while others
// had: it may have been renamed. Nobody but the operator can know.
func (o *once) warn(source string) {
	if o.progressOf(source) == nil && len(o.known) > 0 {
		o.sink.host.Log.Warn("the checkpoint topic does not know the source: if it was renamed, what was on its way then may be there twice",
			"source", source, "known", o.known, "topic", o.ledger.topic)
	}
}

// isolate aborts the transaction of a lot with a refused record.
func (o *once) isolate(ctx context.Context, lot []*component.Message, f flight) error {
	ending, cancel := context.WithTimeout(ctx, transactionLimit)
	defer cancel()
	beforeAbort.Pass()
	if err := errors.Join(o.client.AbortBufferedRecords(ending), o.client.EndTransaction(ending, kgo.TryAbort)); err != nil {
		o.hangUp() // beginning anew aborts it as well
		if err := o.begin(ctx); err != nil {
			return err
		}
	}
	behindAbort.Pass()
	if half := len(lot) / 2; half > 0 {
		if err := o.commit(ctx, lot[:half]); err != nil {
			return err
		}
		return o.commit(ctx, lot[half:])
	}
	m := lot[0]
	if source := o.source(m.Event); !m.Event.Stream().Replayed {
		o.refusals[source] = append(o.refusals[source], refusedOf(m.Event)) // no position is beyond it before the next commit
	}
	_, constant := o.sink.constantTopic()
	v := judge(f.err, constant)
	m.Fail(event.Failf(v.code, "%s: %v", v.words, f.err))
	o.pending = o.pending[1:]
	return nil
}

// refused is err in words.
func (o *once) refused(topic string, err error) error {
	if err == nil {
		return nil
	}
	v := judge(err, true)
	if topic == "" {
		if v.words == "" {
			return fmt.Errorf("transaction %s: %w", o.transactionalID(), err)
		}
		return fmt.Errorf("transaction %s: %s (%s): %w", o.transactionalID(), v.words, name(err), err)
	}
	return &refusal{topic: topic, words: v.words, err: err}
}
