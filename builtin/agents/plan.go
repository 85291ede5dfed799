package agents

import "time"

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

// next is when there is something to do; reading is done already, and a snapshot may have to wait for sinks.
func (p *plan) next(reading, picturing bool) time.Time {
	first := time.Now().Add(time.Hour)
	if !reading {
		first = p.read()
	}
	if !p.picture.IsZero() && !picturing && p.picture.Before(first) {
		first = p.picture
	}
	if !p.beat.IsZero() && p.beat.Before(first) {
		first = p.beat
	}
	return first
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
