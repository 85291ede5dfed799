package pipelines_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/wazuh-etl/etl/builtin/blackhole"
	"github.com/wazuh-etl/etl/builtin/generate/corpus"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

const corpusBytes = 20 << 20

// alertsFile writes the corpus's alerts that want likes.
func alertsFile(b *testing.B, want func(corpus.Alert) bool) (name string, size int64, lines int) {
	b.Helper()
	var out bytes.Buffer
	maker := corpus.New(1)
	for out.Len() < corpusBytes {
		if a := maker.Next(); want(a) {
			out.Write(a.Line)
			out.WriteByte('\n')
			lines++
		}
	}
	name = filepath.Join(b.TempDir(), "alerts.json")
	if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	return name, int64(out.Len()), lines
}

// benchmarkDFN runs wazuh-dfn.hcl from the file to sinks that only count.
func benchmarkDFN(b *testing.B, want func(corpus.Alert) bool, workers int) {
	name, size, lines := alertsFile(b, want)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		p := load(b, "wazuh-dfn.hcl", lang.DryRun, "", map[string]string{"alerts_file": name, "own_network": "9.9.9.0/24"})
		p.Runtime.Workers = workers
		nowhere, err := blackhole.Specs()[0].NewSink(nil)
		if err != nil {
			b.Fatal(err)
		}
		g, err := graph.New(p, graph.Options{
			World: world.OS(), Once: true, DeadLetters: nowhere,
			Sink: func(*plan.Node) component.Sink { return nowhere },
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(lines), "alerts/op")
}

// The whole DFN graph into a blackhole, on alerts as a busy manager has them.
func BenchmarkDFN(b *testing.B) {
	all := func(corpus.Alert) bool { return true }
	b.Run("workers=1", func(b *testing.B) { benchmarkDFN(b, all, 1) })
	b.Run("workers=2", func(b *testing.B) { benchmarkDFN(b, all, 2) })
}

// Alerts that both filters drop: allocations per operation are those of
// setting up the graph, whatever the number of alerts.
func BenchmarkIrrelevant(b *testing.B) {
	benchmarkDFN(b, func(a corpus.Alert) bool { return !a.Relevant() }, 1)
}
