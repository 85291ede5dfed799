package graph

import (
	"context"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// repeated gives n lines that are all the same.
type repeated struct{ n int }

func (s repeated) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	line := []byte(`{"rule":{"level":3,"id":"5402"},"full_log":"` + strings.Repeat("sshd ", 60) + `"}`)
	stream := &event.Stream{Source: "source.test.lines", Generation: "g"}
	for at := 0; at < s.n; {
		lot := component.NewLot()
		lot.Stream = stream
		for end := min(at+500, s.n); at < end; at++ {
			from := len(lot.Data)
			lot.Data = append(lot.Data, line...)
			lot.Lines = append(lot.Lines, component.Line{Start: from, End: len(lot.Data), Offset: int64(at)})
		}
		lot.Position = component.Position{Generation: "g", Offset: int64(at)}
		if err := out.Emit(ctx, lot); err != nil {
			return nil
		}
	}
	return nil
}

// taker is a sink that is done with everything at once.
type taker struct{}

func (taker) Encode(*component.Message) error             { return nil }
func (taker) Open(context.Context, *component.Host) error { return nil }
func (taker) Close() error                                { return nil }
func (taker) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		m.Done()
	}
	return nil
}

// BenchmarkSink is what an event costs from a source to the answer of a sink.
func BenchmarkSink(b *testing.B) {
	p := newPipeline()
	p.add(plan.Node{Address: "source.test.lines", Source: repeated{b.N}})
	p.add(plan.Node{Address: "sink.test.taker", Sink: taker{}, Required: true,
		Queue: plan.Queue{MaxEvents: 10_000, MaxBytes: 16 << 20, WhenFull: plan.Block}}, "source.test.lines")
	g, err := New(p.plan, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := g.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
}
