package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// source is source "stdin".
type source struct {
	address string
	options codec.Options
	input   *input
}

// stream is where the events of one run come from.
func (s *source) stream(run string) *event.Stream {
	return &event.Stream{Source: s.address, Generation: "stdin-" + run, Position: func(offset int64) document.Value {
		return document.NewObject([]document.Member{{Name: "offset", Value: document.NewInt(offset)}})
	}}
}

// Decode gives the lines of text to out.
func (s *source) Decode(text []byte, out component.Output) error {
	stream := s.stream("test")
	return s.options.Decode(stream, text, func(lot *component.Lot) error {
		lot.Received = time.Now()
		lot.Position.Generation = stream.Generation
		return out.Emit(context.Background(), lot)
	})
}

// Run reads until the input ends.
func (s *source) Run(ctx context.Context, host *component.Host, _ []component.Position, out component.Output) error {
	in := s.input
	in.start()
	stream := s.stream(in.run)
	split := codec.NewSplitter(s.options, in.offset)
	split.Advance(copy(split.RoomFor(len(in.rest)), in.rest))
	defer func() { in.rest, in.offset = append([]byte(nil), split.Rest()...), split.Offset() }()
	if err := s.emitHeld(ctx, out); err != nil {
		return nil
	}
	lot := component.NewLot()
	defer func() { lot.Free() }()
	for {
		n, err := in.into(ctx, split.RoomFor)
		split.Advance(n)
		have := split.Fill(lot)
		if !have && err == io.EOF {
			have = split.Finish(lot)
		}
		if have {
			lot.Stream, lot.Received = stream, host.Now()
			lot.Position = component.Position{Generation: stream.Generation, Offset: split.Offset()}
			in.held, lot = lot, component.NewLot()
			if s.emitHeld(ctx, out) != nil {
				return nil
			}
		}
		switch {
		case err == nil || err == io.EOF && have:
		case errors.Is(err, io.EOF), ctx.Err() != nil:
			return nil
		default:
			return fmt.Errorf("reading standard input: %w", err)
		}
	}
}

// emitHeld hands over the lot that is held, if there is one. It stays for the next source if nobody
// takes it before ctx ends.
func (s *source) emitHeld(ctx context.Context, out component.Output) error {
	if s.input.held == nil {
		return nil
	}
	if err := out.Emit(ctx, s.input.held); err != nil {
		return err
	}
	s.input.held = nil
	return nil
}
