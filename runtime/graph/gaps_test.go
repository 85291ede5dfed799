package graph

import (
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// holed is a source that knows of two pieces that it could not read.
type holed struct{ counter }

func (*holed) Missed() (gaps, bytes int64) { return 2, 4096 }

var _ component.Gaps = (*holed)(nil)

func TestGapsAreInTheStatistics(t *testing.T) {
	p := newPipeline()
	p.add(plan.Node{Address: "source.test.numbers", Source: &holed{counter{until: 10, perLot: 3}}})
	p.add(plan.Node{Address: "sink.test.all", Sink: &collector{}, Required: true}, "source.test.numbers")
	g, err := run(t, p, Options{DeadLetters: &collector{}})
	if err != nil {
		t.Fatal(err)
	}
	if n := g.Snapshot().Nodes[0]; n.Gaps != 2 || n.MissedBytes != 4096 {
		t.Errorf("the source has %d gaps of %d bytes", n.Gaps, n.MissedBytes)
	}
}
