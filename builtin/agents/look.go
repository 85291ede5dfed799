package agents

import (
	"context"
	"errors"
	"time"
)

const (
	lockedRetry = 250 * time.Millisecond // after a read that found the database locked
	lockedQuiet = 5 * time.Second        // a lock that lasts less is nobody's business
)

// outcome is what a read has come to. Without error and observed nothing has changed.
type outcome struct {
	*observed
	err   error
	began time.Time
	took  time.Duration
}

// observe reads the fleet and compares it. Of the monitor's state it changes only what nobody else
// looks at, buffer and replaced.
func (m *monitor) observe(ctx context.Context, full bool) (o outcome) {
	o.began = time.Now()
	defer func() { o.took = time.Since(o.began) }()
	if !full {
		changed, err := m.reader.Changed(ctx)
		if err != nil || !changed {
			o.err = err
			return o
		}
	}
	all := &observed{}
	for range 3 {
		var replaced bool
		if m.buffer, replaced, o.err = m.reader.Readings(ctx, m.buffer[:0]); o.err != nil {
			return o
		}
		all.readings, m.replaced = m.buffer, m.replaced || replaced
		all.found = differences(all.found[:0], m.ledger.agents, all.readings)
		if !m.torn(ctx, all.found) {
			break
		}
	}
	var ids []int64
	for _, d := range all.found {
		if d.after != nil {
			ids = append(ids, d.after.ID)
		}
	}
	if len(ids) > 0 {
		if all.details, o.err = m.reader.Details(ctx, ids); o.err != nil {
			return o
		}
	}
	all.replaced, m.replaced = m.replaced, false
	o.observed = all
	return o
}

// torn says whether a read may have seen the first half of a restart of the
// manager, whose count would be wrong then.
func (m *monitor) torn(ctx context.Context, found []difference) bool {
	if n, _ := resets(found); n == 0 {
		return false
	}
	if _, ok := m.reader.(watcher); !ok {
		return false // it can't be told
	}
	changed, err := m.reader.Changed(ctx)
	return err == nil && changed
}

// next says what a read was worth, and when to look again.
func (m *monitor) next(o outcome) time.Time {
	now := time.Now()
	if o.err == nil {
		if m.trouble != nil {
			m.trouble = nil
			m.host.Health(nil)
		}
		return now.Add(m.poll)
	}
	if m.trouble == nil {
		m.since = o.began
	}
	m.trouble = o.err
	locked := errors.Is(o.err, errLocked)
	if !locked || now.Sub(m.since) >= lockedQuiet {
		m.host.Health(o.err)
	}
	var patient patience
	switch {
	case errors.As(o.err, &patient):
		return now.Add(patient.wait)
	case locked:
		return now.Add(lockedRetry)
	default:
		return now.Add(m.poll)
	}
}
