package agents

import (
	"context"
	"time"
)

// take makes events of what was read. again is when to read in any case. The error is ctx's.
func (m *monitor) take(ctx context.Context, o outcome) (again time.Time, err error) {
	first := m.lastRead.IsZero()
	m.lastRead = m.host.Now()
	if o.observed == nil {
		return again, nil
	}
	m.lastChange = m.lastRead
	if o.replaced {
		m.host.Log.Info("the manager's database is another file than before: what is missing in it is believed at the second look")
	}
	m.author.first = !m.ledger.read
	found, again := believed(o.found, len(m.ledger.agents), o.replaced, time.Now(), m.poll)
	refresh(m.ledger.agents, o.readings)
	if doubted := len(o.found) - len(found); doubted > 0 {
		m.host.Log.Warn("many agents are gone at once: they are looked for again before that is told", "agents", doubted, "again", m.poll)
	}
	if !m.author.first && len(found) == 0 {
		return again, nil
	}
	r, err := m.author.changes(m.ledger, found, o.details, m.lastRead)
	if err != nil {
		return again, err
	}
	if err := m.commit(ctx, r); err != nil {
		return again, err
	}
	switch {
	case m.author.first:
		m.host.Log.Info("the agents of the manager are known from now on", "agents", len(m.ledger.agents))
	case first:
		m.host.Log.Info("agents have changed since the last run", "changes", len(found))
	}
	if n := handedOn(found); n > 0 {
		m.host.Log.Info("ids belong to other agents than before", "agents", n)
	}
	if r.Restart != nil {
		m.host.Log.Info("the manager has started anew and reset its agents", "events", len(r.Events)-1)
	}
	m.changes += len(r.Events)
	return again, m.give(ctx, r.Events)
}

// commit writes a record into the ledger, however long that takes. The error is ctx's.
func (m *monitor) commit(ctx context.Context, r *record) error {
	return m.lasting(ctx, func() error { return m.ledger.commit(r) })
}

// lasting does what has to last, again and again until it does.
func (m *monitor) lasting(ctx context.Context, do func() error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := do()
		if err == nil {
			if pause > 100*time.Millisecond {
				m.host.Health(nil)
			}
			return nil
		}
		m.host.Health(err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// numbers is the first of n numbers for events that are not kept.
func (m *monitor) numbers(ctx context.Context, n int) (first int64, err error) {
	err = m.lasting(ctx, func() (err error) { first, err = m.ledger.take(n); return err })
	return first, err
}
