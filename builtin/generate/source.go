package generate

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/hex"

	"golang.org/x/time/rate"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// A lot ends with the line that reaches one of these.
const (
	lotLines = 256
	lotBytes = 256 << 10
)

// lotsPerSecond is how often a paced source hands over at most: seldom enough
// to cost nothing, often enough to look steady.
const lotsPerSecond = 20

type source struct {
	address string
	rate    float64 // alerts per second; 0: unlimited
	count   int     // 0: without end
	seed    uint64
}

func newSource(c *component.Config) (component.Source, error) {
	return &source{address: c.Address, rate: c.Rate("rate"), count: c.Count("count"), seed: uint64(c.Count("seed"))}, nil //nolint:gosec // a count is not negative
}

// Run makes alerts until there are as many as wanted.
func (s *source) Run(ctx context.Context, host *component.Host, _ []component.Position, out component.Output) error {
	stream := &event.Stream{Source: s.address, Generation: "generate-" + runID(), Position: position}
	most, pace := lotLines, rate.NewLimiter(rate.Inf, lotLines)
	if s.rate > 0 {
		most = min(most, max(1, int(s.rate/lotsPerSecond)))
		pace = rate.NewLimiter(rate.Limit(s.rate), most)
	}
	maker := corpus.New(s.seed)
	for made := 0; s.count == 0 || made < s.count; {
		lot := component.NewLot()
		size := most
		if s.count > 0 {
			size = min(size, s.count-made)
		}
		for len(lot.Lines) < size && len(lot.Data) < lotBytes {
			start := len(lot.Data)
			lot.Data = append(lot.Data, maker.Next().Line...)
			lot.Lines = append(lot.Lines, component.Line{Start: start, End: len(lot.Data), Offset: int64(made)})
			made++
		}
		if pace.WaitN(ctx, len(lot.Lines)) != nil {
			return nil // ctx is done: the only error of a wait within the burst
		}
		lot.Stream, lot.Received = stream, host.Now()
		lot.Position = component.Position{Generation: stream.Generation, Offset: int64(made)}
		if out.Emit(ctx, lot) != nil {
			return nil
		}
	}
	return nil
}

// Decode gives the lines of a test's text in place of made-up ones.
func (s *source) Decode(text []byte, out component.Output) error {
	options := codec.Options{Format: codec.JSON, MaxLine: codec.DefaultMaxLine}
	stream := &event.Stream{Source: s.address, Generation: "generate-test", Position: position}
	return options.Decode(stream, text, func(lot *component.Lot) error { return out.Emit(context.Background(), lot) })
}

// position is meta.position: which alert of the run it is, counted from 0.
func position(offset int64) document.Value {
	return document.NewObject([]document.Member{{Name: "offset", Value: document.NewInt(offset)}})
}

// runID is unlike every other run's.
func runID() string {
	var id [8]byte
	_, _ = cryptorand.Read(id[:]) // never fails: it would end the program
	return hex.EncodeToString(id[:])
}
