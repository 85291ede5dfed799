package watch

import "time"

// take makes an event part of the picture. The caller has b.mu.
func (b *Board) take(e *event, p proof) {
	m := b.managers[e.Manager]
	if m == nil {
		m = &manager{}
		b.managers[e.Manager] = m
	}
	switch e.Type {
	case "heartbeat":
		m.take(e)
		b.forget(e.Timestamp)
	case "manager_restart":
		m.hear(e.Timestamp)
		b.tell(change{event: e, agent: agent{key: key{manager: e.Manager}, at: e.Timestamp, proof: p}})
	case "suppressed": // the last of the changes it stands for is as old as it is
		if a := b.agents[key{e.Manager, e.Agent}]; a != nil && !a.at.After(e.Timestamp) {
			a.suppressed = true
		}
	default:
		m.hear(e.Timestamp)
		m.part(e)
		b.agent(m, e, p)
	}
	if !b.replay && !m.beat.IsZero() && m.trouble == "" && m.known == m.total {
		b.complete = true
	}
}

// part takes note of the snapshot that an event is a part of. Its parts come one after the other.
func (m *manager) part(e *event) {
	switch {
	case e.Snapshot.ID == "":
	case e.Snapshot.ID == m.snapshot.ID:
		m.snapshot.Count = e.Snapshot.Count
	case e.Timestamp.After(m.pictured):
		m.snapshot, m.pictured = e.Snapshot, e.Timestamp
	}
}

func (m *manager) hear(at time.Time) {
	if at.After(m.heard) {
		m.heard = at
	}
}

// take reads a heartbeat. What a manager that can't be read knows of its agents is from before.
func (m *manager) take(e *event) {
	if e.Timestamp.Before(m.beat) {
		return
	}
	m.beat, m.total, m.trouble = e.Timestamp, e.Summary.Total, ""
	if e.Health.Status != "ok" {
		m.trouble = "its agents can't be read"
		if e.Health.Error != "" {
			m.trouble = e.Health.Error
		}
		m.hear(e.Health.LastRead)
		return
	}
	m.hear(e.Timestamp)
}

// agent takes an event about one agent. The same event may come by several subjects, and an older one after a
// newer one.
func (b *Board) agent(m *manager, e *event, p proof) {
	k := key{e.Manager, e.Agent}
	a := b.agents[k]
	before := agent{status: Unknown, gone: true}
	switch {
	case a == nil:
		a = &agent{}
		b.agents[k] = a
	case e.Timestamp.Before(a.at):
		return
	case e.ID != "" && e.ID == a.event:
		a.proof = max(a.proof, p)
		return
	default:
		before = *a
	}
	a.update(e, p)
	switch {
	case before.gone && !a.gone:
		m.known++
	case !before.gone && a.gone:
		m.known--
	}
	switch {
	case e.Type != "snapshot": // a change by itself, whatever was known before
		b.tell(change{event: e, agent: *a, previous: e.Previous})
	case !before.gone && before.status != a.status: // its event was missed
		b.tell(change{event: e, agent: *a, previous: before.status})
	}
}

// tell counts a change and keeps it for who wants to know.
func (b *Board) tell(c change) {
	if c.event.Type != "manager_restart" {
		at, now := c.at, time.Now()
		if at.After(now) { // another machine's clock
			at = now
		}
		b.recent.add(at)
	}
	if b.keep && !b.replay {
		b.changed = append(b.changed, c)
	}
}

// remembered is how long it is known that an agent was removed: until no older
// event of it can come any more.
const remembered = time.Hour

// forget lets go of agents that were removed long before now.
func (b *Board) forget(now time.Time) {
	for k, a := range b.agents {
		if a.gone && now.Sub(a.at) > remembered {
			delete(b.agents, k)
		}
	}
}

// minute counts changes by the second they were seen in.
type minute struct {
	second [60]int64 // since 1970
	n      [60]int
}

func (m *minute) add(at time.Time) {
	s := at.Unix()
	if s < 0 {
		return
	}
	i := s % 60
	if m.second[i] > s {
		return
	}
	if m.second[i] < s {
		m.second[i], m.n[i] = s, 0
	}
	m.n[i]++
}

// before is how many there were in the minute that ends now.
func (m *minute) before(now time.Time) int {
	n := 0
	for i, s := range m.second {
		if now.Unix()-s < 60 {
			n += m.n[i]
		}
	}
	return n
}
