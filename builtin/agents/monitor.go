package agents

import (
	"context"
	"time"
)

// passGap is the least time from the beginning of a read to that of the next.
const passGap = 50 * time.Millisecond

// monitor is one run of the source. All of it belongs to the goroutine of run, but for
// observe, which has one of its own so that heartbeats do not wait for it.
type monitor struct {
	*source
	lots
	ledger  *ledger
	reader  reader
	author  author
	picture picture

	rest                 time.Duration // reads one behind the other begin so many times what they take apart
	ended                time.Time     // the last read
	buffer               []reading
	replaced             bool // a read of another file is not yet taken over
	lastRead, lastChange time.Time
	changes              int       // since the last heartbeat
	trouble              error     // of the last read
	since                time.Time // of the trouble
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
		timer := time.NewTimer(time.Until(p.next(reading, m.picture.waiting)))
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
		case <-m.picture.through:
			m.picture.waiting = false
		case <-timer.C:
		}
		timer.Stop()
		now := time.Now()
		if !reading && !now.Before(p.read()) {
			reading, p.woken = true, false
			go func(full bool) { reads <- m.observe(ctx, full) }(p.full)
		}
		if due(p.picture, now) && !m.picture.waiting {
			if whole, err := m.giveSnapshot(ctx); err == nil && whole {
				p.picture, p.pictured = following(p.picture, m.pictures, now), true
			}
		}
		if due(p.beat, now) && m.giveHeartbeat(ctx) == nil {
			p.beat = following(p.beat, m.beat, now)
		}
		if ctx.Err() != nil || m.once && !reading && p.pictured && !p.full {
			return
		}
	}
}

// settle takes what a read has brought, and plans the next one. The error is ctx's.
func (m *monitor) settle(ctx context.Context, p *plan, o outcome) error {
	p.look, p.full = m.next(o), o.err != nil
	pause := m.rest * o.took
	if o.began.Sub(m.ended) > pause { // the writer had its time before: a commit that came meanwhile need not wait
		pause = o.took
	}
	m.ended = o.began.Add(o.took)
	p.notBefore = o.began.Add(max(passGap, pause))
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
