package letters

import (
	"context"
	"errors"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/deadletter"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// origin names the event that a source gave.
type origin struct {
	source, generation string
	offset             int64
}

func originOf(e *event.Event) origin {
	return origin{e.Stream().Source, e.Stream().Generation, e.Offset()}
}

func originIn(r *deadletter.Record) origin { return origin{r.Source, r.Generation, r.Offset} }

// source is the double of a source: it gives the events again whose records
// were chosen, as they came.
type source struct {
	replay *Replay
	node   *plan.Node
}

var errEnough = errors.New("nobody reads on")

func (s *source) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	given := map[origin]bool{}
	for _, a := range s.replay.Archives {
		_, err := a.Each(func(r *deadletter.Record) error {
			o := originIn(r)
			if r.Source != s.node.Address || given[o] || !s.replay.chosen(o) || r.Bytes() == nil {
				return nil
			}
			given[o] = true
			return s.give(ctx, r, o, out)
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// give gives the event of r once there are not too many on their way.
func (s *source) give(ctx context.Context, r *deadletter.Record, o origin, out component.Output) error {
	select {
	case s.replay.flying <- struct{}{}:
	case <-ctx.Done():
		return errEnough
	}
	lot := component.NewLot()
	lot.Lines, lot.Data = s.line(r, lot)
	lot.Stream, lot.Received = r.Stream(), r.Received
	lot.Stream.Replayed = true
	lot.Lines[0].Offset = r.Offset
	lot.Position = component.Position{Generation: r.Generation, Offset: r.Offset + 1}
	lot.Settled = func(outcomes []ack.Outcome) { s.replay.settled(o, outcomes[0]) }
	if out.Emit(ctx, lot) != nil {
		return errEnough
	}
	return nil
}

// line is the event of r as the source would give it. Text that was no object
// goes through the source's codec once more: that may be another one now.
func (s *source) line(r *deadletter.Record, lot *component.Lot) ([]component.Line, []byte) {
	raw := r.Bytes()
	if t, ok := s.node.Source.(component.TextSource); ok && r.Component == r.Source {
		c := &collected{}
		if t.Decode(raw, c) == nil && len(c.lines) == 1 {
			return append(lot.Lines, c.lines...), append(lot.Data, c.data...)
		}
	}
	return append(lot.Lines, component.Line{End: len(raw)}), append(lot.Data, raw...)
}

// collected takes what a codec makes: component.Output.
type collected struct {
	lines []component.Line
	data  []byte
}

func (c *collected) Emit(_ context.Context, lot *component.Lot) error {
	c.lines = append(c.lines, lot.Lines...)
	c.data = append(c.data, lot.Data...)
	return nil
}
