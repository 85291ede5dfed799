package spool

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// sinkhole is an output that takes everything.
type sinkhole struct{ bytes int64 }

func (s *sinkhole) Emit(_ context.Context, lot *component.Lot) error {
	for _, l := range lot.Lines {
		s.bytes += int64(l.End - l.Start)
	}
	lot.Free()
	return nil
}

// lots of 128 alerts of 1.5 KB, as a busy source gives them.
func benchmarkLot() *component.Lot {
	l := component.NewLot()
	l.Stream, l.Received = &event.Stream{Source: "source.test.in", Generation: "run", Position: place}, time.Unix(0, 0)
	alert := bytes.Repeat([]byte("0123456789abcde"), 100)
	for range 128 {
		at := len(l.Data)
		l.Data = append(l.Data, alert...)
		l.Lines = append(l.Lines, component.Line{Start: at, End: len(l.Data), Offset: int64(at)})
	}
	return l
}

func benchmarkLog(b *testing.B) (*machine, *Log) {
	m := &machine{files: world.OS().FS, root: b.TempDir()}
	l, _ := m.start(b, plan.Queue{MaxBytes: 8 << 30, WhenFull: plan.Block})
	b.SetBytes(128 * 1500)
	b.ReportAllocs()
	return m, l
}

// Each lot is on disk before the next one is given.
func BenchmarkAppend(b *testing.B) {
	_, l := benchmarkLog(b)
	defer l.Close()
	for b.Loop() {
		if err := l.Emit(b.Context(), benchmarkLot()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	m, l := benchmarkLog(b)
	for range b.N {
		if err := l.Emit(b.Context(), benchmarkLot()); err != nil {
			b.Fatal(err)
		}
	}
	l.Close()
	l, _ = m.start(b, plan.Queue{MaxBytes: 8 << 30})
	defer l.Close()
	l.end(true)
	b.ResetTimer()
	r := &reader{log: l}
	r.begin(nil)
	if err := r.run(b.Context(), "source.test.in", new(sinkhole)); err != nil {
		b.Fatal(err)
	}
}

// What a start reads: all that the log holds.
func BenchmarkOpen(b *testing.B) {
	m, l := benchmarkLog(b)
	for range b.N {
		if err := l.Emit(b.Context(), benchmarkLot()); err != nil {
			b.Fatal(err)
		}
	}
	l.Close()
	b.ResetTimer()
	l, _ = m.start(b, plan.Queue{MaxBytes: 8 << 30})
	b.StopTimer()
	l.Close()
}
