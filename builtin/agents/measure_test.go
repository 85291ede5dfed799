package agents

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata/manager"
)

var measure = flag.Int("agents.seconds", 0, "TestLatency: how many seconds to write for")

// How long it takes from a commit of 100 changes among 10,000 agents, one each second, to
// the pipeline. At length: go test ./builtin/agents -run TestLatency -v -agents.seconds 60
func TestLatency(t *testing.T) {
	if *measure == 0 {
		t.Skip("-agents.seconds is not given")
	}
	name := filepath.Join(t.TempDir(), "global.db")
	w := manager.New(t, name, "4.14", 10_000)
	g := onDisk(t, name)
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	var took []time.Duration
	for i := range *measure {
		w.Exec("BEGIN IMMEDIATE")
		w.Exec("UPDATE agent SET connection_status = 'disconnected', disconnection_time = %d, status_code = 4 WHERE id %% 100 = %d", 1_750_000_000+i, i%100)
		w.Commit()
		committed := time.Now()
		g.wait("100 changes", atLeastEvents(g, 100*(i+1)))
		for _, e := range g.have()[100*i:] {
			took = append(took, e.at.Sub(committed))
		}
		time.Sleep(time.Until(committed.Add(time.Second)))
	}
	slices.Sort(took)
	t.Logf("%d changes: p50 %v, p99 %v, longest %v", len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}

// A read of 10,000 agents of which none has changed, pauses and all.
func BenchmarkQuietRead(b *testing.B) {
	name := filepath.Join(b.TempDir(), "global.db")
	manager.New(b, name, "4.14", 10_000).Kill()
	d := newDatabase(&component.Host{World: world.OS()}, name)
	defer d.Close()
	all, _, err := d.Readings(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	var known []*agent
	for _, r := range all {
		known = append(known, &agent{reading: r})
	}
	var found []difference
	b.ReportAllocs()
	for b.Loop() {
		if all, _, err = d.Readings(b.Context(), all[:0]); err != nil {
			b.Fatal(err)
		}
		if found = differences(found[:0], known, all); len(found) > 0 {
			b.Fatal(found)
		}
	}
}

// A page: how long a commit of wazuh-db may have to wait for us.
func BenchmarkPage(b *testing.B) {
	name := filepath.Join(b.TempDir(), "global.db")
	manager.New(b, name, "4.14", 10_000).Kill()
	d := newDatabase(&component.Host{World: world.OS()}, name)
	defer d.Close()
	all, _, err := d.Readings(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		if all, err = d.page(all[:0], i%20*pageRows); err != nil || len(all) != pageRows {
			b.Fatal(len(all), err)
		}
	}
}

// The comparison alone.
func BenchmarkDifferences(b *testing.B) {
	var known []*agent
	var now []reading
	for id := int64(1); id <= 10_000; id++ {
		a := one(id, active)
		known, now = append(known, &a), append(now, a.reading)
	}
	var found []difference
	b.ReportAllocs()
	for b.Loop() {
		found = differences(found[:0], known, now)
	}
}
