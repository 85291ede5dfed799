package graph

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/lang/langtest"
	"github.com/wazuh-etl/etl/runtime/plan"
)

var graphsFlag = flag.Int("graphs", 200, "how many graphs TestSiftedGraphsAreAsPlainOnes makes up")

// journal is what came of a run: by sink, and whatever else can be seen of it.
type journal struct {
	mu      sync.Mutex
	entries map[string][]string
}

func (j *journal) add(address, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries[address] = append(j.entries[address], fmt.Sprintf(format, args...))
}

// journalSink writes down every event.
type journalSink struct {
	collector
	*journal
	address string
}

func (s *journalSink) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		why := ""
		if f := m.Event.Failure(); f != nil {
			why = f.Component + " " + f.Code + " " + f.Message
		}
		s.add(s.address, "%s %q %s", m.Event.ID(), m.Event.AppendJSON(nil), why)
		m.Done()
	}
	return nil
}

// lotsSource gives made-up lots.
type lotsSource struct {
	lots []*madeLot
	*journal
}

type madeLot struct {
	data    []byte
	lines   []component.Line
	settled bool
}

func (s *lotsSource) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	stream := &event.Stream{Source: "source.test.lines", Generation: "g"}
	offset := int64(0)
	for i, made := range s.lots {
		lot := component.NewLot()
		lot.Stream, lot.Data, lot.Lines = stream, slices.Clone(made.data), slices.Clone(made.lines)
		for l := range lot.Lines {
			lot.Lines[l].Offset = offset
			offset++
		}
		lot.Position = component.Position{Generation: "g", Offset: offset}
		if made.settled {
			lot.Settled = func(outcomes []ack.Outcome) { s.add(fmt.Sprint("lot ", i), "%v", outcomes) }
		}
		if err := out.Emit(ctx, lot); err != nil {
			return nil
		}
	}
	return nil
}

// makeLots makes up lots of documents that may fit the conditions.
func makeLots(m *langtest.Maker, conditions []langtest.Condition) (lots []*madeLot) {
	for range 1 + m.IntN(4) {
		lot := &madeLot{settled: m.IntN(2) == 0}
		gap := m.IntN(2) == 0
		for range m.IntN(40) {
			var wishes []langtest.Wish
			if len(conditions) > 0 && m.IntN(3) > 0 {
				wishes = conditions[m.IntN(len(conditions))].Wishes
			}
			if gap {
				lot.data = append(lot.data, m.Document(wishes...)[m.IntN(2):]...)
			}
			start := len(lot.data)
			lot.data = append(lot.data, m.Document(wishes...)...)
			line := component.Line{Start: start, End: len(lot.data)}
			if m.IntN(20) == 0 {
				line.Failure = event.Failf(event.CodeLineTooLong, "made up")
			}
			lot.lines = append(lot.lines, line)
			if m.IntN(3) > 0 {
				lot.data = append(lot.data, '\n')
			}
		}
		if m.IntN(12) == 0 { // not in the order of their bytes
			slices.Reverse(lot.lines)
		}
		lots = append(lots, lot)
	}
	return lots
}

// madeGraph is a made-up pipeline; build gives the same one each time.
type madeGraph struct {
	nodes []madeNode
	lots  []*madeLot
	id    bool
}

type madeNode struct {
	address   string
	condition string
	disabled  bool
	inputs    []string
}

func makeGraph(m *langtest.Maker) *madeGraph {
	g := &madeGraph{id: m.IntN(10) == 0}
	outputs := []string{"source.test.lines"}
	var conditions []langtest.Condition
	inputs := func() (list []string) {
		for range 1 + m.IntN(3)/2 {
			in := outputs[m.IntN(len(outputs))]
			if m.IntN(3) == 0 {
				in = outputs[0]
			}
			if !slices.Contains(list, in) {
				list = append(list, in)
			}
		}
		return list
	}
	many := 1 + m.IntN(5)
	if m.IntN(10) == 0 {
		many = 70 // more than fit into a word
	}
	for i := range many {
		if m.IntN(12) == 0 {
			address := fmt.Sprint("transform.test.same", i)
			g.nodes = append(g.nodes, madeNode{address: address, disabled: m.IntN(4) == 0, inputs: inputs()})
			outputs = append(outputs, address)
			continue
		}
		c := m.Condition(m.IntN(3))
		if p, _ := expression.Condition(c.Text, expression.Env{}); p == nil {
			continue
		}
		address := fmt.Sprint("filter.f", i)
		g.nodes = append(g.nodes, madeNode{address: address, condition: c.Text, disabled: m.IntN(10) == 0, inputs: inputs()})
		conditions = append(conditions, c)
		outputs = append(outputs, address)
		if m.IntN(4) == 0 {
			outputs = append(outputs, address+".rejected")
		}
	}
	for i := range 1 + m.IntN(3) {
		in := inputs()
		if m.IntN(5) > 0 { // few graphs have a sink that takes everything
			in = slices.DeleteFunc(in, func(s string) bool { return s == outputs[0] })
		}
		if m.IntN(3) == 0 {
			in = append(in, strings.TrimSuffix(outputs[m.IntN(len(outputs))], ".rejected")+".errors")
		}
		if len(in) > 0 {
			g.nodes = append(g.nodes, madeNode{address: fmt.Sprint("sink.test.s", i), inputs: in})
		}
	}
	g.lots = makeLots(m, conditions)
	return g
}

// idTemplate is an id that reads the document.
type idTemplate struct{ component.Template }

func (idTemplate) AppendText(dst []byte, e *event.Event) ([]byte, error) {
	root, err := e.Root()
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(dst, "%d-%d", e.Offset(), root.Len()), nil
}

// run runs the graph and writes down everything that can be seen of it.
func (g *madeGraph) run(t *testing.T, plainly bool) (map[string][]string, *Graph) {
	t.Helper()
	j := &journal{entries: map[string][]string{}}
	p := newPipeline()
	source := p.add(plan.Node{Address: "source.test.lines", Source: &lotsSource{lots: g.lots, journal: j}})
	if g.id {
		source.ID = idTemplate{}
	}
	for _, n := range g.nodes {
		node := plan.Node{Address: n.address, Disabled: n.disabled}
		switch {
		case n.condition != "":
			node.Where, _ = expression.Condition(n.condition, expression.Env{})
		case strings.HasPrefix(n.address, "sink"):
			node.Sink, node.Required = &journalSink{journal: j, address: n.address}, true
		default:
			node.Transform = worker(func(e *event.Event, out func(*event.Event)) error { out(e); return nil })
		}
		p.add(node, n.inputs...)
	}
	o := Options{DeadLetters: &journalSink{journal: j, address: DeadLetters}}
	if plainly {
		o.Tap = func(*plan.Node, string, *event.Event) {}
	}
	done, err := run(t, p, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range done.Snapshot().Nodes {
		j.add("counts", "%s: in %d out %d rejected %d errors %d unlike %d", n.Address, n.In, n.Out, n.Rejected, n.Errors, n.Unlike)
	}
	return j.entries, done
}

func (g *madeGraph) String() string {
	var b strings.Builder
	for _, n := range g.nodes {
		fmt.Fprintf(&b, "%s %s from %v", n.address, n.condition, n.inputs)
		if n.disabled {
			b.WriteString(" disabled")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// A graph that sifts whole lots does what one does that looks at every line: the
// same events come to the same sinks in the same order, with the same errors, and every
// counter is the same. To run it for long: go test ./runtime/graph -run Sifted -graphs 1000000
func TestSiftedGraphsAreAsPlainOnes(t *testing.T) {
	lines, sifted, passing := 0, 0, 0
	for seed := range *graphsFlag {
		g := makeGraph(langtest.New(uint64(seed)))
		want, _ := g.run(t, true)
		got, done := g.run(t, false)
		for _, address := range slices.Sorted(maps.Keys(want)) {
			if !slices.Equal(got[address], want[address]) {
				t.Fatalf("seed %d: %s\n got %s\nwant %s\nin\n%s", seed, address,
					strings.Join(got[address], "\n     "), strings.Join(want[address], "\n     "), g)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d: %v, want %v", seed, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		for _, lot := range g.lots {
			lines += len(lot.lines)
			if s := done.program.byName["source.test.lines"].sifter; s != nil {
				sifted += len(lot.lines)
				if s.unwanted != nil {
					passing += len(lot.lines)
				}
			}
		}
	}
	t.Logf("%d graphs, %d lines, %d of them sifted, %d of these in graphs that pass over what nobody wants", *graphsFlag, lines, sifted, passing)
	if sifted*2 < lines || passing*10 < lines {
		t.Errorf("too little is sifted: %d and %d of %d lines", sifted, passing, lines)
	}
}
