package agents

import "context"

// giveHeartbeat tells how the manager is.
func (m *monitor) giveHeartbeat(ctx context.Context) error {
	now := m.host.Now()
	health := managerHealth{Status: "ok", LastRead: moment(m.lastRead), LastChange: moment(m.lastChange)}
	if m.trouble != nil || m.lastRead.IsZero() {
		health.Status = "unreadable"
	}
	if m.trouble != nil {
		health.Error = text(m.trouble.Error())
	}
	census := takeCensus(m.ledger.agents)
	counts := census.summary(m.changes)
	m.changes = 0
	number, err := m.numbers(ctx, 1)
	if err != nil {
		return err
	}
	raw, err := m.author.beat(number, m.ledger.generation, health, counts, now)
	if err != nil {
		return err
	}
	return m.give(ctx, []kept{{Number: number, Event: raw}})
}
