package generate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taken is an Output that keeps what it is given, until it has had enough.
type taken struct {
	ids, lines []string
	times      []time.Duration
	start      time.Time
	enough     int
}

func (o *taken) Emit(_ context.Context, lot *component.Lot) error {
	for _, line := range lot.Lines {
		o.ids = append(o.ids, fmt.Sprintf("%s@%d", lot.Stream.Generation, line.Offset))
		o.lines = append(o.lines, string(lot.Data[line.Start:line.End]))
		o.times = append(o.times, time.Since(o.start))
	}
	if last := lot.Lines[len(lot.Lines)-1].Offset + 1; lot.Position.Offset != last || lot.Position.Generation != lot.Stream.Generation {
		return fmt.Errorf("position %+v behind line %d", lot.Position, last)
	}
	lot.Free()
	if o.enough > 0 && len(o.lines) >= o.enough {
		return errors.New("enough")
	}
	return nil
}

func run(t *testing.T, ctx context.Context, values map[string]any, out *taken) {
	t.Helper()
	s, err := newSource(&component.Config{Address: "source.generate.alerts", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	out.start = time.Now()
	if err := s.Run(ctx, &component.Host{World: world.OS()}, nil, out); err != nil {
		t.Fatal(err)
	}
}

func TestTwoRunsGiveTheSameAlertsUnderOtherIDs(t *testing.T) {
	var first, second, other taken
	run(t, t.Context(), map[string]any{"count": 1000, "seed": 7}, &first)
	run(t, t.Context(), map[string]any{"count": 1000, "seed": 7}, &second)
	run(t, t.Context(), map[string]any{"count": 10, "seed": 8}, &other)
	if len(first.lines) != 1000 || len(second.lines) != 1000 || len(other.lines) != 10 {
		t.Fatalf("%d, %d and %d alerts", len(first.lines), len(second.lines), len(other.lines))
	}
	seen, maker := map[string]bool{}, corpus.New(7)
	for i, line := range first.lines {
		if line != second.lines[i] || line != string(maker.Next().Line) {
			t.Fatalf("alert %d differs: %s", i, line)
		}
		for _, id := range []string{first.ids[i], second.ids[i]} {
			if seen[id] {
				t.Fatalf("id %s is there twice", id)
			}
			seen[id] = true
		}
	}
	if other.lines[0] == first.lines[0] {
		t.Error("another seed gives the same alert")
	}
}

func TestRateIsKept(t *testing.T) {
	for _, test := range []struct {
		rate  float64
		count int
		want  time.Duration
	}{
		{rate: 1000, count: 3000, want: 3 * time.Second},
		{rate: 0.5, count: 5, want: 8 * time.Second}, // the first one comes at once
		{rate: 100_000, count: 20_000, want: 200 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out taken
			run(t, t.Context(), map[string]any{"rate": test.rate, "count": test.count, "seed": 1}, &out)
			if took := out.times[len(out.times)-1]; len(out.lines) != test.count || took > test.want || took < test.want*9/10 {
				t.Errorf("%d alerts at %v/s took %v", len(out.lines), test.rate, took)
			}
		})
	}
}

func TestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var out taken
		run(t, ctx, map[string]any{"rate": 1.0, "seed": 1}, &out)
		if n := len(out.lines); n < 10 || n > 11 {
			t.Errorf("%d alerts in 10 s", n)
		}
	})
	out := taken{enough: 5000}
	run(t, t.Context(), map[string]any{"seed": 1}, &out)
	if n := len(out.lines); n < out.enough || n >= out.enough+lotLines {
		t.Errorf("%d alerts though the output had enough", n)
	}
}

func TestATestsTextComesInPlaceOfMadeUpAlerts(t *testing.T) {
	s, err := newSource(&component.Config{Address: "source.generate.alerts"})
	if err != nil {
		t.Fatal(err)
	}
	var out decoded
	if err := s.(component.TextSource).Decode([]byte("{\"a\":1}\nno\n{\"b\":2}"), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != `{"a":1} failure {"b":2} ` {
		t.Errorf("decoded %s", got)
	}
}

type decoded struct{ bytes.Buffer }

func (d *decoded) Emit(_ context.Context, lot *component.Lot) error {
	for _, line := range lot.Lines {
		if line.Failure != nil {
			d.WriteString("failure ")
			continue
		}
		fmt.Fprintf(d, "%s ", lot.Data[line.Start:line.End])
	}
	return nil
}

type discard struct{}

func (discard) Emit(_ context.Context, lot *component.Lot) error {
	lot.Free()
	return nil
}

func BenchmarkSource(b *testing.B) {
	s := &source{count: 1000, seed: 1}
	host := &component.Host{World: world.OS()}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Run(b.Context(), host, nil, discard{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "alerts/s")
}
