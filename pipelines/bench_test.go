package pipelines_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/builtin/blackhole"
	"github.com/wazuh-etl/etl/builtin/generate/corpus"
	"github.com/wazuh-etl/etl/lua"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Whole graphs, from a file in the page cache to their sinks. Each operation is
// one run over the file, and sets the graph up.

const corpusBytes = 20 << 20

// alertsFile is a file of alerts.
type alertsFile struct {
	name   string
	bytes  int64
	alerts int
}

func writeAlerts(b *testing.B, mix corpus.Mix) alertsFile {
	b.Helper()
	var out bytes.Buffer
	counts, err := corpus.Write(&out, nil, mix, corpusBytes, 1)
	if err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(b.TempDir(), "alerts.json")
	if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	return alertsFile{name: name, bytes: counts.Bytes, alerts: counts.Lines}
}

// benchmarkGraph runs what load loads; sinks that keep says no to only count.
func benchmarkGraph(b *testing.B, file alertsFile, load func() *plan.Plan, keep func(*plan.Node) bool) {
	b.Helper()
	b.SetBytes(file.bytes)
	b.ReportAllocs()
	for b.Loop() {
		nowhere, err := blackhole.Specs()[0].NewSink(nil)
		if err != nil {
			b.Fatal(err)
		}
		g, err := graph.New(load(), graph.Options{
			World: world.OS(), Once: true, DeadLetters: nowhere,
			Sink: func(n *plan.Node) component.Sink {
				if keep(n) {
					return nil
				}
				return nowhere
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.alerts), "alerts/op")
}

// dfn loads wazuh-dfn.hcl for a file.
func dfn(b *testing.B, file alertsFile, workers int, more map[string]string) *plan.Plan {
	b.Helper()
	vars := map[string]string{"alerts_file": file.name, "own_network": "192.0.2.0/24"}
	maps.Copy(vars, more)
	p := load(b, "wazuh-dfn.hcl", lang.DryRun, "", vars)
	p.Runtime.Workers = workers
	return p
}

func benchmarkDFN(b *testing.B, mix corpus.Mix, workers int) {
	file := writeAlerts(b, mix)
	benchmarkGraph(b, file, func() *plan.Plan { return dfn(b, file, workers, nil) }, func(*plan.Node) bool { return false })
}

// The whole DFN graph into a blackhole, on alerts as a busy manager has them.
func BenchmarkDFN(b *testing.B) {
	b.Run("workers=1", func(b *testing.B) { benchmarkDFN(b, corpus.MixBusy, 1) })
	b.Run("workers=2", func(b *testing.B) { benchmarkDFN(b, corpus.MixBusy, 2) })
}

// Alerts that both filters drop: allocations per operation are those of
// setting up the graph, whatever the number of alerts.
func BenchmarkIrrelevant(b *testing.B) { benchmarkDFN(b, corpus.MixIrrelevant, 1) }

// The same of those that have nothing a filter looks at.
func BenchmarkLinux(b *testing.B) { benchmarkDFN(b, corpus.MixLinux, 1) }

// Every alert is a Windows event that becomes a message.
func BenchmarkWindows(b *testing.B) { benchmarkDFN(b, corpus.MixWindows, 1) }

// The whole DFN graph into a broker in this process that forgets the records.
func BenchmarkDFNKafka(b *testing.B) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "dfn"), kfake.BlackholeProduce())
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close()
	benchmarkDFNKafka(b, broker.ListenAddrs()[0])
}

func benchmarkDFNKafka(b *testing.B, broker string) {
	file := writeAlerts(b, corpus.MixBusy)
	benchmarkGraph(b, file,
		func() *plan.Plan { return dfn(b, file, 2, map[string]string{"brokers": broker, "topic": "dfn"}) },
		func(n *plan.Node) bool { return n.Kind == "kafka" })
}

// Alerts that all filters of one source drop, each for a literal of its own:
// the cost should grow with what is kept, not with what is declared.
func BenchmarkFilters(b *testing.B) {
	for _, n := range []int{1, 2, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := writeAlerts(b, corpus.MixIrrelevant)
			name := filepath.Join(b.TempDir(), "filters.hcl")
			if err := os.WriteFile(name, filters(file.name, n), 0o644); err != nil {
				b.Fatal(err)
			}
			benchmarkGraph(b, file, func() *plan.Plan {
				p, list := lang.Load(name, lang.Options{Mode: lang.Run, Specs: builtin.Specs(), Embedded: map[string]fs.FS{"lua": lua.FS}, StateDir: b.TempDir()})
				if len(list) > 0 {
					b.Fatal(list)
				}
				p.Runtime.Workers = 1
				return p
			}, func(*plan.Node) bool { return false })
		})
	}
}

// filters is a pipeline of n of them, on the Windows event, the program's name
// and the rule's groups in turn.
func filters(file string, n int) []byte {
	var pipeline bytes.Buffer
	fmt.Fprintf(&pipeline, "source \"file\" \"alerts\" { path = %q }\n", file)
	var all []string
	for i := range n {
		where := [...]string{
			"data.win.system.eventID == '9%03d'",
			"data.program_name == 'daemon-%d'",
			"'group-%d' in rule.groups",
		}[i%3]
		fmt.Fprintf(&pipeline, "filter \"f%d\" {\n  from  = source.file.alerts\n  where = %q\n}\n", i, fmt.Sprintf(where, i))
		all = append(all, fmt.Sprintf("filter.f%d", i))
	}
	fmt.Fprintf(&pipeline, "sink \"blackhole\" \"all\" { from = [%s] }\n", strings.Join(all, ", "))
	return pipeline.Bytes()
}
