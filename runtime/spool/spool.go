// Package spool is the queue on disk: what a source that can't be asked again
// has given is in a log before the source hears of it, and the pipeline reads
// the log, which can be read again from any position.
//
// The log is made of segment files written by the segment engine of
// hashicorp/raft-wal. Every record in them has a number and a checksum of ours,
// so that a start can tell exactly what is missing, whatever happened to the files.
package spool

import (
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Lost is the reason under which records are counted as dropped that the disk
// does not give back.
const Lost = "damaged on disk"

// Dir is where the log of a component is that keeps its files in stateDir.
func Dir(stateDir string) string { return filepath.Join(stateDir, "queue") }

// Log is the queue on disk of one source. It outlives the component: a source
// that a reload changed goes on with the log of its address. It opens itself
// when it is first used, and is safe for concurrent use.
type Log struct {
	dropped func(reason string, n int64)

	opening sync.Mutex
	ready   bool
	files   world.FS
	dir     string
	state   component.State
	log     *slog.Logger
	health  func(error)
	commits sync.WaitGroup

	mu       sync.Mutex
	limits   plan.Queue
	mark     mark
	numbers  numbers
	segments []*segment // in order; the last one may still be written
	writing  bool       // the last one is
	lastID   uint64
	buffer   []byte // the committer's
	next     int64  // number of the next record
	last     int64  // number of the last record that counts
	read     int64  // the source's own reader has everything before it
	forgot   int64  // all sinks have everything before it
	bytes    int64  // of all files
	written  int64  // of all blocks since the log was opened, those found then included
	pending  []*request
	waiting  int64         // bytes of pending
	more     chan struct{} // closed and replaced whenever there is something to read, or nothing more to come
	room     chan struct{} // closed and replaced whenever there may be room again
	kick     chan struct{} // wakes the committer
	finished bool          // the source has come to its end
	asked    bool          // the sinks' positions were held against what the files hold
	closed   chan struct{}
}

// New is the log of one source. dropped learns how many records a full log
// dropped, by policy, or were Lost; it may be called from any goroutine.
func New(limits plan.Queue, dropped func(reason string, n int64)) *Log {
	return &Log{
		dropped: dropped, limits: limits,
		more: make(chan struct{}), room: make(chan struct{}), kick: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// SetLimits changes max_bytes and when_full: a reload does it.
func (l *Log) SetLimits(limits plan.Queue) {
	l.mu.Lock()
	l.limits = limits
	broadcast(&l.room)
	l.mu.Unlock()
}

// broadcast wakes all who wait for c. The caller has the lock that guards it.
func broadcast(c *chan struct{}) {
	close(*c)
	*c = make(chan struct{})
}

// generation names the log in positions.
func (l *Log) generation() string { return "queue-" + hex.EncodeToString(l.mark.salt()) }

// segmentBytes is how large a segment gets: what is forgotten or dropped goes
// a whole segment at a time, so that a log should have some of them.
func (l *Log) segmentBytes() int64 {
	return min(max(l.limits.MaxBytes/8, 64<<10), 64<<20)
}

// Close stores that nothing is missing, and closes the files.
func (l *Log) Close() error {
	l.opening.Lock()
	defer l.opening.Unlock()
	if !l.ready {
		return nil
	}
	l.ready = false
	close(l.closed)
	l.commits.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		s.close()
	}
	beforeClose.Pass()
	return l.numbers.close(l.state, l.next, l.last)
}
