package view

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/graph"
)

// window is over which rates are taken: long enough to be steady to the eye,
// short enough to show that something stands still.
const window = 5 * time.Second

// meter makes rates of snapshots.
type meter struct{ past []graph.Snapshot }

// add takes the newest snapshot and forgets those older than the window.
func (m *meter) add(s graph.Snapshot) {
	m.past = append(m.past, s)
	for len(m.past) > 2 && s.Time.Sub(m.past[1].Time) >= window {
		m.past = m.past[1:]
	}
}

// rate is how much of reads the node at address has gained per second.
func (m *meter) rate(address string, of func(graph.NodeSnapshot) int64) float64 {
	if len(m.past) < 2 {
		return 0
	}
	return Rate(m.past[0], m.past[len(m.past)-1], address, of)
}

// Rate is what the node at address has gained per second between two snapshots.
func Rate(from, to graph.Snapshot, address string, of func(graph.NodeSnapshot) int64) float64 {
	seconds := to.Time.Sub(from.Time).Seconds()
	now, ok := node(to, address)
	if !ok || seconds <= 0 {
		return 0
	}
	before, _ := node(from, address) // one that came by reload had nothing
	return max(float64(of(now)-of(before))/seconds, 0)
}

func node(s graph.Snapshot, address string) (graph.NodeSnapshot, bool) {
	for _, n := range s.Nodes {
		if n.Address == address {
			return n, true
		}
	}
	return graph.NodeSnapshot{}, false
}

func in(n graph.NodeSnapshot) int64   { return n.In }
func read(n graph.NodeSnapshot) int64 { return n.Read }
