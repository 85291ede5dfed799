package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/runtime/component"
)

// transaction is what is in the client's hands.
type transaction struct {
	flights []flight
	notes   []flight // checkpoints
	answers sync.WaitGroup
}

func (o *once) produce(lot []*component.Message, notes []*kgo.Record) *transaction {
	t := &transaction{flights: make([]flight, len(lot)), notes: make([]flight, len(notes))}
	t.answers.Add(len(lot) + len(notes))
	send := func(f *flight) {
		o.client.TryProduce(context.Background(), &f.record, func(_ *kgo.Record, err error) {
			f.err = err
			t.answers.Done()
		})
	}
	for i, m := range lot {
		f := &t.flights[i]
		f.message, f.record = m, recordOf(m)
		send(f)
	}
	for i, r := range notes {
		t.notes[i].record = *r
		send(&t.notes[i])
	}
	return t
}

// flush waits until the brokers have it all, or have refused it. It says why it takes long.
func (o *once) flush(ctx context.Context, t *transaction) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, transactionLimit)
	defer cancel()
	for {
		part, done := context.WithTimeout(ctx, patience)
		err := o.client.Flush(part)
		done()
		if err == nil {
			t.answers.Wait()
			return nil
		}
		why := o.sink.health.connection(began)
		if why == nil {
			topic, _ := o.sink.constantTopic()
			why = o.sink.greet(ctx, topic)
		}
		if ctx.Err() != nil {
			o.hangUp()
			t.answers.Wait()
			o.most = max(1, o.most/2)
			if why == nil {
				why = fmt.Errorf("a transaction takes longer than %s", transactionLimit)
			}
			return why
		}
		if why != nil {
			o.sink.health.set(why)
		}
	}
}

// judge says whether records were refused for the sake of one of them, or else
// what trouble the target has.
func (o *once) judge(t *transaction) (own *flight, trouble error) {
	_, constant := o.sink.constantTopic()
	for i := range t.flights {
		f := &t.flights[i]
		if f.err == nil {
			continue
		}
		if judge(f.err, constant).owner == record {
			return f, nil
		}
		if trouble == nil {
			trouble = o.refused(f.record.Topic, f.err)
		}
	}
	for i := range t.notes {
		if f := &t.notes[i]; f.err != nil && trouble == nil {
			trouble = o.refused(f.record.Topic, f.err)
		}
	}
	return nil, trouble
}
