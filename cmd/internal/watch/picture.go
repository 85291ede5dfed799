package watch

import (
	"slices"
	"time"
)

// picture is the board at one moment.
type picture struct {
	from     string
	at       time.Time
	agents   []agent // all of them, in no order
	managers []node
	count    [statuses]int
	recent   int // changes in the last minute
	stale    int
	counts   counts
	trouble  error
	note     string
	complete bool
	checked  bool // whether signatures were looked at
}

// node is a manager in a picture.
type node struct {
	name    string
	heard   time.Time
	trouble string
	lacking int // agents that it has and that are not known
	stale   bool
}

func (b *Board) picture(now time.Time) *picture {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &picture{
		from: b.from, at: now, agents: make([]agent, 0, len(b.agents)), recent: b.recent.before(now),
		counts: b.counts, trouble: b.trouble, note: b.note, complete: b.complete, checked: len(b.opener.keys) > 0,
	}
	inSnapshot := map[string]int{}
	for _, a := range b.agents {
		if !a.gone && !a.at.Before(b.managers[a.manager].pictured) {
			inSnapshot[a.manager]++
		}
	}
	old := map[string]bool{}
	for name, m := range b.managers {
		old[name] = !m.heard.IsZero() && now.Sub(m.heard) > b.stale
		lacking := 0
		if m.trouble == "" && !b.replay {
			lacking = max(0, m.total-m.known)
		}
		p.managers = append(p.managers, node{name: name, heard: m.heard, trouble: m.trouble, lacking: lacking, stale: old[name]})
	}
	slices.SortFunc(p.managers, func(a, b node) int { return compareText(a.name, b.name) })
	for _, a := range b.agents {
		if a.gone {
			continue
		}
		m, shown := b.managers[a.manager], *a
		// An agent that the newest snapshot is whole without has been removed when nobody looked.
		missed := m.snapshot.Count > 0 && a.at.Before(m.pictured) && inSnapshot[a.manager] >= m.snapshot.Count
		shown.stale = old[a.manager] || a.suppressed || missed
		if shown.stale {
			p.stale++
		}
		p.count[a.status]++
		p.agents = append(p.agents, shown)
	}
	return p
}

// listed are the agents to show, in order.
func (p *picture) listed(o *Options) []*agent {
	var all []*agent
	for i := range p.agents {
		if a := &p.agents[i]; len(o.Status) == 0 || slices.Contains(o.Status, a.status) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, o.Sort.compare)
	return all
}
