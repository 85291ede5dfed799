package agents

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

const (
	passGap     = 50 * time.Millisecond  // from the beginning of a read to that of the next
	lockedRetry = 250 * time.Millisecond // after a read that found the database locked
	lockedQuiet = 5 * time.Second        // a lock that lasts less is nobody's business
	lotEvents   = 256
)

// monitor is one run of the source. All of it belongs to the goroutine of run, but for
// observe, which has one of its own so that heartbeats do not wait for it.
type monitor struct {
	*source
	host   *component.Host
	ledger *ledger
	reader reader
	out    component.Output
	author author
	stream *event.Stream

	buffer               []reading
	replaced             bool // a read of another file is not yet taken over
	lastRead, lastChange time.Time
	changes              int       // since the last heartbeat
	trouble              error     // of the last read
	since                time.Time // of the trouble
}

// resume gives the kept events from the earliest position of a sink on.
func (m *monitor) resume(ctx context.Context, from []component.Position) error {
	earliest, known := int64(0), false
	for _, p := range from {
		if p.Generation == m.ledger.generation && (!known || p.Offset < earliest) {
			earliest, known = p.Offset, true
		}
	}
	if known {
		lot := component.NewLot()
		lot.Stream, lot.Received = m.stream, m.host.Now()
		lot.Position = component.Position{Generation: m.stream.Generation, Offset: earliest}
		if err := m.out.Emit(ctx, lot); err != nil {
			return err
		}
	}
	return m.emit(ctx, m.ledger.since(earliest))
}

// emit hands events over, in lots.
func (m *monitor) emit(ctx context.Context, events []kept) error {
	for len(events) > 0 {
		lot := component.NewLot()
		lot.Stream, lot.Received = m.stream, m.host.Now()
		n := min(len(events), lotEvents)
		for _, e := range events[:n] {
			start := len(lot.Data)
			lot.Data = append(lot.Data, e.Event...)
			lot.Lines = append(lot.Lines, component.Line{Start: start, End: len(lot.Data), Offset: e.Number})
		}
		lot.Position = component.Position{Generation: m.stream.Generation, Offset: events[n-1].Number + 1}
		if err := m.out.Emit(ctx, lot); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// outcome is what a read has come to. Without error and observed nothing has changed.
type outcome struct {
	*observed
	err   error
	began time.Time
	took  time.Duration
}

// run reads, when it is woken and now and then, until ctx ends.
func (m *monitor) run(ctx context.Context) {
	wake, stop := m.watch()
	defer func() { stop() }()
	reads := make(chan outcome, 1)
	reading := false
	defer func() {
		if reading {
			<-reads // ctx has ended: it returns soon
		}
	}()
	p := plan{look: time.Now(), full: true}
	if m.beat > 0 {
		p.beat = time.Now().Add(m.beat)
	}
	for {
		timer := time.NewTimer(time.Until(p.next(reading)))
		select {
		case <-ctx.Done():
		case _, ok := <-wake:
			if !ok {
				wake = nil
			}
			p.woken = true
		case o := <-reads:
			reading = false
			if m.settle(ctx, &p, o) == nil && wake == nil {
				stop()
				wake, stop = m.watch()
			}
		case <-timer.C:
		}
		timer.Stop()
		if m.once && !reading && p.pictured && !p.full {
			return
		}
		now := time.Now()
		if !reading && !now.Before(p.read()) {
			reading, p.woken = true, false
			go func(full bool) { reads <- m.observe(ctx, full) }(p.full)
		}
		if due(p.picture, now) && m.giveSnapshot(ctx) == nil {
			p.picture, p.pictured = following(p.picture, m.picture, now), true
		}
		if due(p.beat, now) && m.giveHeartbeat(ctx) == nil {
			p.beat = following(p.beat, m.beat, now)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// plan is what run does when. What is zero is not planned.
type plan struct {
	look      time.Time // when to read in any case
	notBefore time.Time // when to read at the earliest
	woken     bool      // read as soon as that
	full      bool      // read even if nothing seems to have changed
	picture   time.Time // snapshot
	pictured  bool      // the first one is given
	beat      time.Time // heartbeat
}

// read is when to read.
func (p *plan) read() time.Time {
	if p.woken || p.look.Before(p.notBefore) {
		return p.notBefore
	}
	return p.look
}

// next is when there is something to do; reading is done already.
func (p *plan) next(reading bool) time.Time {
	first := time.Now().Add(time.Hour)
	if !reading {
		first = p.read()
	}
	for _, t := range []time.Time{p.picture, p.beat} {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// settle takes what a read has brought, and plans the next one. The error is ctx's.
func (m *monitor) settle(ctx context.Context, p *plan, o outcome) error {
	p.look, p.full = m.next(o), o.err != nil
	p.notBefore = o.began.Add(max(passGap, 2*o.took)) // the writer gets at least half of the time
	if o.err != nil {
		return nil
	}
	again, err := m.take(ctx, o)
	if err != nil {
		return err
	}
	if !again.IsZero() {
		p.look, p.full = again, true
	}
	if !p.pictured && p.picture.IsZero() {
		p.picture = time.Now()
		if m.beat > 0 {
			p.beat = p.picture
		}
	}
	return nil
}

// watch wakes run, where the reader can be woken; nil where it can't, or not now.
func (m *monitor) watch() (<-chan struct{}, func()) {
	if w, ok := m.reader.(watcher); ok {
		if wake, stop, err := w.Watch(m.host); err == nil {
			return wake, stop
		}
	}
	return nil, func() {}
}

func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// following is when something that was due at last comes next; zero if never.
func following(last time.Time, interval time.Duration, now time.Time) time.Time {
	if interval <= 0 {
		return time.Time{}
	}
	if next := last.Add(interval); next.After(now) {
		return next
	}
	return now.Add(interval)
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
	if r.Restart != nil {
		m.host.Log.Info("the manager has started anew and reset its agents", "events", len(r.Events)-1)
	}
	m.changes += len(r.Events)
	return again, m.emit(ctx, r.Events)
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

// passing gives events that are not kept.
func (m *monitor) passing(ctx context.Context, count int, event func(i int, number int64) (json.RawMessage, error)) error {
	var number int64
	if err := m.lasting(ctx, func() (err error) { number, err = m.ledger.take(count); return err }); err != nil {
		return err
	}
	for i := 0; i < count; {
		n := min(lotEvents, count-i)
		events := make([]kept, n)
		for j := range events {
			raw, err := event(i+j, number+int64(i+j))
			if err != nil {
				return err
			}
			events[j] = kept{Number: number + int64(i+j), Event: raw}
		}
		if err := m.emit(ctx, events); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// giveSnapshot tells how each agent is.
func (m *monitor) giveSnapshot(ctx context.Context) error {
	now, agents := m.host.Now(), m.ledger.agents
	part := snapshotMember{Count: len(agents)}
	return m.passing(ctx, len(agents), func(i int, number int64) (json.RawMessage, error) {
		if part.Index = i + 1; i == 0 {
			part.ID = m.stream.Generation + "-" + strconv.FormatInt(number, 10)
		}
		return m.author.picture(agents[i], part, now)
	})
}

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
	return m.passing(ctx, 1, func(_ int, number int64) (json.RawMessage, error) {
		return m.author.beat(number, m.stream.Generation, health, counts, now)
	})
}
