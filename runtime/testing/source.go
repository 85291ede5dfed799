package testing

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// source is the double of a source: it gives what the test's inputs say, and
// then what its mock does.
type source struct {
	*recorder
	node *plan.Node
	mock *plan.Mock
}

func (r *recorder) source(n *plan.Node) component.Source {
	return &source{recorder: r, node: n, mock: r.mock(n)}
}

func (s *source) Run(ctx context.Context, host *component.Host, _ []component.Position, out component.Output) error {
	number := 0
	for i, in := range s.test.Inputs {
		if in.Address != s.node.Address {
			continue
		}
		number++
		if err := s.turns.take(ctx, i, func() error { return s.feed(ctx, host, in, number, out) }); err != nil {
			return err
		}
	}
	if s.mock == nil {
		return nil
	}
	give := s.giver(ctx, host, out, "mock")
	if s.mock.Events == nil {
		return give.broken(failure(s.mock))
	}
	return give.documents(s.mock.Events)
}

func (s *source) giver(ctx context.Context, host *component.Host, out component.Output, generation string) *giver {
	return &giver{ctx: ctx, host: host, out: out, node: s.node, stream: &event.Stream{Source: s.node.Address, Generation: generation}}
}

// feed gives one input, the source's first being number 1. Every file is a stream
// of its own, so that no two events have the same id.
func (s *source) feed(ctx context.Context, host *component.Host, in plan.Input, number int, out component.Output) error {
	if err := s.clock.pass(ctx, in.After); err != nil {
		return err
	}
	give := s.giver(ctx, host, out, fmt.Sprintf("test%d", number))
	if in.Text != "" {
		return give.text([]byte(in.Text))
	}
	if err := give.documents(in.Events); err != nil {
		return err
	}
	for k, name := range in.Files {
		raw, err := host.FS.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading input: %w", err)
		}
		give.offset = 0
		give.stream = &event.Stream{Source: s.node.Address, Generation: fmt.Sprintf("test%d.%d", number, k+1), File: name}
		if err := give.file(name, raw); err != nil {
			return err
		}
	}
	return nil
}

// giver gives events of one stream.
type giver struct {
	ctx    context.Context
	host   *component.Host
	out    component.Output
	node   *plan.Node
	stream *event.Stream
	offset int64
}

// file gives a `.json` file as the one document or the array of documents that
// it is, and everything else, a `.json` that is neither too, through the codec.
func (g *giver) file(name string, raw []byte) error {
	var compact bytes.Buffer
	if filepath.Ext(name) != ".json" || json.Compact(&compact, raw) != nil {
		return g.text(raw)
	}
	var list []json.RawMessage
	if json.Unmarshal(compact.Bytes(), &list) != nil {
		return g.document(compact.Bytes())
	}
	for _, d := range list {
		if err := g.document(d); err != nil {
			return err
		}
	}
	return nil
}

// documents gives documents as they are.
func (g *giver) documents(list []document.Value) error {
	for _, v := range list {
		if err := g.document(v.AppendJSON(nil)); err != nil {
			return err
		}
	}
	return nil
}

// broken gives what is no event: f says why.
func (g *giver) broken(f *event.Failure) error {
	lot := component.NewLot()
	lot.Lines = append(lot.Lines, component.Line{Offset: g.offset, Failure: f})
	return g.Emit(g.ctx, lot)
}

// document gives one document as it is.
func (g *giver) document(raw []byte) error {
	lot := component.NewLot()
	lot.Data = append(lot.Data, raw...)
	lot.Lines = append(lot.Lines, component.Line{End: len(raw), Offset: g.offset})
	g.offset += int64(len(raw)) + 1
	return g.Emit(g.ctx, lot)
}

// text gives text through the source's codec.
func (g *giver) text(text []byte) error {
	t, ok := g.node.Source.(component.TextSource)
	if !ok {
		return fmt.Errorf("%s takes no text: give the test's input as event = { … }", g.node.Address)
	}
	return t.Decode(text, g)
}

// Emit puts what a codec made into the stream: component.Output.
func (g *giver) Emit(_ context.Context, lot *component.Lot) error {
	lot.Stream, lot.Received = g.stream, g.host.Now()
	return g.out.Emit(g.ctx, lot)
}
