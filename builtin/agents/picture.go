package agents

import (
	"context"
	"strconv"
)

// picture is a snapshot that is being given: a lot at a time, the next one when all sinks have the
// last. So a big fleet takes no more memory than a small one, and changes go between.
type picture struct {
	under   bool // it is not yet whole
	id      string
	given   int
	last    int64         // id of the agent that was given last
	through chan struct{} // a lot is
	waiting bool          // for that
}

// giveSnapshot begins to tell how each agent is, or goes on with it. whole says that all agents are told.
func (m *monitor) giveSnapshot(ctx context.Context) (whole bool, err error) {
	p := &m.picture
	if !p.under {
		*p = picture{under: true, through: make(chan struct{}, 1)}
	}
	i, found := m.ledger.find(p.last)
	if found {
		i++
	}
	rest := m.ledger.agents[i:]
	page := rest[:min(len(rest), lotEvents)]
	if len(page) == 0 {
		p.under = false
		return true, nil
	}
	number, err := m.numbers(ctx, len(page))
	if err != nil {
		return false, err
	}
	if p.id == "" {
		p.id = m.ledger.generation + "-" + strconv.FormatInt(number, 10)
	}
	now := m.host.Now()
	part := snapshotMember{ID: p.id, Count: p.given + len(rest)}
	events := make([]kept, len(page))
	for i, a := range page {
		part.Index = p.given + i + 1
		if events[i].Event, err = m.author.picture(a, part, now); err != nil {
			return false, err
		}
		events[i].Number = number + int64(i)
	}
	p.given, p.last, p.waiting = p.given+len(page), page[len(page)-1].ID, true
	through := p.through
	return false, m.one(ctx, events, func() { through <- struct{}{} })
}
