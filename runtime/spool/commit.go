package spool

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// commit is the committer: it writes what waits, as much as there is with one
// sync, until the log is closed. What can't be written is written again in a
// new segment, after a pause.
func (l *Log) commit() {
	pause, failing := pauseMin, false
	for {
		batch := l.take()
		if len(batch) == 0 {
			select {
			case <-l.kick:
				continue
			case <-l.closed:
				return
			}
		}
		err := l.write(batch)
		if err == nil {
			behindSync.Pass()
			for _, r := range batch {
				close(r.done)
			}
			if failing {
				pause, failing = pauseMin, false
				l.log.Info("the queue is written again")
				l.health(nil)
			}
			continue
		}
		l.giveBack(batch)
		if !failing {
			failing = true
			l.log.Error("the queue can't be written: the source waits", "error", err)
		}
		l.health(err)
		select {
		case <-time.After(pause):
			pause = min(2*pause, pauseMax)
		case <-l.closed:
			return
		}
	}
}

// take takes what is written next.
func (l *Log) take() (batch []*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bytes := int64(0)
	for len(l.pending) > 0 && (bytes == 0 || bytes+l.pending[0].bytes <= batchBytes) {
		bytes += l.pending[0].bytes
		batch = append(batch, l.pending[0])
		l.pending = l.pending[1:]
	}
	l.writing = len(batch) > 0
	return batch
}

// giveBack puts what could not be written back to the front.
func (l *Log) giveBack(batch []*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch = slices.DeleteFunc(batch, func(r *request) bool {
		if r.left {
			r.given = true
			l.waiting -= r.bytes
			close(r.done)
		}
		return r.left
	})
	l.pending = append(batch, l.pending...)
	l.writing = false
	broadcast(&l.room)
}

// reason says of a full disk that it is full.
func reason(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("the disk is full: %w", err)
	}
	return fmt.Errorf("appending: %w", err)
}
