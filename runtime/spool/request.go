package spool

import (
	"context"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// request is a lot on its way to the disk.
type request struct {
	lot   *component.Lot
	bytes int64 // about what it needs
	done  chan struct{}
	left  bool // nobody waits for it any more: it is not tried again
	given bool // it was given up, and is not written
}

// Emit appends the lines of lot, and returns when they are on disk, or a full
// log has dropped them: component.Output. The error is ctx's; the log has taken nothing then.
func (l *Log) Emit(ctx context.Context, lot *component.Lot) error {
	if len(lot.Lines) == 0 {
		settle(lot)
		return nil
	}
	r := &request{lot: lot, bytes: stored(lot), done: make(chan struct{})}
	admitted, err := l.admit(ctx, r)
	if err != nil {
		return err
	}
	if admitted {
		select {
		case <-r.done:
		case <-ctx.Done():
			if l.withdraw(r) {
				return ctx.Err()
			}
			if <-r.done; r.given {
				return ctx.Err()
			}
		}
	}
	settle(lot)
	return nil
}

// settle tells the source that its lot is taken, and frees it.
func settle(lot *component.Lot) {
	if lot.Settled != nil {
		lot.Settled(make([]ack.Outcome, len(lot.Lines)))
	}
	lot.Free()
}

// stored is about what lot needs on disk.
func stored(lot *component.Lot) int64 {
	return int64(len(lot.Data) + len(lot.Lines)*(recordFixed+16) + 2*(headerFixed+100))
}

// admit waits for room in the log, or makes some, and queues r. It is false if
// the log is full and drops the newest.
func (l *Log) admit(ctx context.Context, r *request) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.bytes+l.waiting+r.bytes > l.limits.MaxBytes && l.bytes+l.waiting > 0 {
		if l.forgot >= l.next && l.waiting == 0 && !l.writing {
			l.trim(len(l.segments)) // nothing in it is needed any more
			continue
		}
		switch l.limits.WhenFull {
		case plan.DropNewest:
			l.dropped(string(plan.DropNewest), int64(len(r.lot.Lines)))
			return false, nil
		case plan.DropOldest:
			if len(l.segments) > 1 || len(l.segments) == 1 && !l.writing {
				l.dropOldest()
				continue
			}
		}
		room := l.room
		l.mu.Unlock()
		var err error
		select {
		case <-room:
		case <-ctx.Done():
			err = ctx.Err()
		}
		l.mu.Lock()
		if err != nil {
			return false, err
		}
	}
	l.pending = append(l.pending, r)
	l.waiting += r.bytes
	select {
	case l.kick <- struct{}{}:
	default:
	}
	return true, nil
}

// withdraw takes r out of the queue, if nobody has begun to write it. If
// somebody has, and fails, it is given up.
func (l *Log) withdraw(r *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.left = true
	for i, p := range l.pending {
		if p == r {
			l.pending = append(l.pending[:i:i], l.pending[i+1:]...)
			l.waiting -= r.bytes
			broadcast(&l.room)
			return true
		}
	}
	return false
}
