package file

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// paced hands lots over in pieces, no more than rate lines a second, so that
// a person sees them move or a target is spared.
type paced struct {
	component.Output
	rate float64
	next time.Time     // when the next piece may go
	held *atomic.Int64 // bytes of the lot that have not gone yet
}

// tick is how long a piece lasts, at least.
const tick = 50 * time.Millisecond

// Emit cuts the lot into pieces that each stand for its own part of the positions.
func (p *paced) Emit(ctx context.Context, lot *component.Lot) error {
	if len(lot.Lines) == 0 {
		return p.Output.Emit(ctx, lot)
	}
	each := max(1, int(p.rate*tick.Seconds()))
	defer p.held.Store(0)
	for from := 0; from < len(lot.Lines); from += each {
		p.held.Store(lot.Position.Offset - lot.Lines[from].Offset)
		to := min(from+each, len(lot.Lines))
		if now := time.Now(); p.next.Before(now) {
			p.next = now
		} else if !pause(ctx, p.next.Sub(now)) {
			return ctx.Err()
		}
		p.next = p.next.Add(time.Duration(float64(to-from) / p.rate * float64(time.Second)))
		if err := p.Output.Emit(ctx, piece(lot, from, to)); err != nil {
			return err
		}
	}
	lot.Free()
	return nil
}

// piece is a lot of its own with the lines from up to to.
func piece(lot *component.Lot, from, to int) *component.Lot {
	k := component.NewLot()
	k.Stream, k.Received, k.Position = lot.Stream, lot.Received, lot.Position
	if to < len(lot.Lines) {
		k.Position.Offset = lot.Lines[to].Offset
	}
	for _, line := range lot.Lines[from:to] {
		start := len(k.Data)
		k.Data = append(k.Data, lot.Data[line.Start:line.End]...)
		line.Start, line.End = start, len(k.Data)
		k.Lines = append(k.Lines, line)
	}
	return k
}
