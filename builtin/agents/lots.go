package agents

import (
	"context"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// lotEvents is how many events go into a lot at most.
const lotEvents = 256

// lots hands events over.
type lots struct {
	host   *component.Host
	out    component.Output
	stream *event.Stream
}

// lot is an empty one that stands at a number.
func (l lots) lot(number int64) *component.Lot {
	lot := component.NewLot()
	lot.Stream, lot.Received = l.stream, l.host.Now()
	lot.Position = component.Position{Generation: l.stream.Generation, Offset: number}
	return lot
}

// stand says that there is nothing to give before number.
func (l lots) stand(ctx context.Context, number int64) error { return l.out.Emit(ctx, l.lot(number)) }

// give gives events.
func (l lots) give(ctx context.Context, events []kept) error {
	for len(events) > 0 {
		n := min(len(events), lotEvents)
		if err := l.one(ctx, events[:n], nil); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// one gives events in one lot; through, unless it is nil, is called when all sinks have them.
func (l lots) one(ctx context.Context, events []kept, through func()) error {
	lot := l.lot(events[len(events)-1].Number + 1)
	for _, e := range events {
		start := len(lot.Data)
		lot.Data = append(lot.Data, e.Event...)
		lot.Lines = append(lot.Lines, component.Line{Start: start, End: len(lot.Data), Offset: e.Number})
	}
	if through != nil {
		lot.Settled = func([]ack.Outcome) { through() }
	}
	return l.out.Emit(ctx, lot)
}

// resume gives the events that a ledger keeps from the earliest position of a sink on, and
// says behind which number that ends.
func (l lots) resume(ctx context.Context, kept *ledger, from []component.Position) (int64, error) {
	earliest, known := int64(0), false
	for _, p := range from {
		if p.Generation == l.stream.Generation && (!known || p.Offset < earliest) {
			earliest, known = p.Offset, true
		}
	}
	if known {
		if err := l.stand(ctx, earliest); err != nil {
			return 0, err
		}
	}
	events, end := kept.since(earliest)
	return end, l.give(ctx, events)
}
