package file

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// counter is what stands behind a source in a benchmark.
type counter struct{ lines, bytes int }

func (c *counter) Emit(_ context.Context, lot *component.Lot) error {
	c.lines += len(lot.Lines)
	c.bytes += len(lot.Data)
	lot.Free()
	return nil
}

// BenchmarkRead reads and splits a file of 64 MB that is in the page cache.
func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "alerts.json")
	alert := append(append([]byte(`{"timestamp":"2025-06-02T21:47:23.199+0800","full_log":"`), bytes.Repeat([]byte("x"), 1200)...), "\"}\n"...)
	content := bytes.Repeat(alert, 64_000_000/len(alert))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		b.Fatal(err)
	}
	host := &component.Host{World: world.OS(), Log: slog.New(slog.DiscardHandler), Health: func(error) {}, State: &memory{}}
	s := sourceAt(path)
	s.Finite()
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	var total counter
	for b.Loop() {
		if err := s.Run(b.Context(), host, nil, &total); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(total.lines)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkTail writes a line and waits for it to arrive: the latency of one line.
func BenchmarkTail(b *testing.B) {
	path := filepath.Join(b.TempDir(), "alerts.json")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	arrived := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	host := &component.Host{World: world.OS(), Log: slog.New(slog.DiscardHandler), Health: func(error) {}, State: &memory{}}
	go func() { ended <- sourceAt(path).Run(ctx, host, nil, signal(arrived)) }()
	line := []byte(lines(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		select {
		case <-arrived:
		case <-time.After(10 * time.Second):
			b.Fatal("the line did not arrive")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

type signal chan struct{}

func (s signal) Emit(_ context.Context, lot *component.Lot) error {
	lot.Free()
	s <- struct{}{}
	return nil
}
