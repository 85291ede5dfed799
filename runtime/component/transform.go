package component

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/event"
)

// Transform changes events one by one.
type Transform interface {
	// Worker makes what processes events on one goroutine; the runtime makes
	// one for each of its workers, so that it needs no locks.
	Worker(host *Host) (Worker, error)
}

// Repairing is a transform that replaces what its results may not hold.
type Repairing interface {
	Transform
	// Repaired is how many characters all its workers have replaced, each of which is U+FFFD
	// now. Safe for concurrent use.
	Repaired() int64
}

// Worker processes events in order. It is used by one goroutine at a time.
type Worker interface {
	// Process gives what e becomes to out: nothing (the event is dropped, and
	// counted so), e itself, or events derived from it. An error (best a
	// *event.Failure) sends e to the errors output; what was given to out before it is taken back.
	Process(e *event.Event, out func(*event.Event)) error
	Close() error
}

// Stage is a transform that sees all events on one goroutine, in order, and
// may keep them: to join, count or delay them. What it stores, it stores in Host.State
// from any of these calls. A Stage whose configuration changes is flushed before its
// successor is made, so that the successor finds what it stored.
type Stage interface {
	// Process takes e, which it emits, keeps or drops. An error (best a *event.Failure)
	// sends e to the errors output; e must not be kept then.
	Process(e *event.Event, out Emitter) error
	// Wake is called at the time the last call asked for; zero means not at all.
	Wake(now time.Time, out Emitter) (next time.Time)
	// Flush is called before a stop or replacement, and when the input has ended: everything
	// kept is emitted or released. More events may follow, since what another stage flushes
	// may come here; it is called again then.
	Flush(out Emitter)
}

// Emitter is where a Stage puts events.
type Emitter interface {
	// Emit sends e on. What stands for several is event.Merge's.
	Emit(e *event.Event)
	// Keep holds e open beyond Process, and counts it against the pipeline's memory; Release ends that,
	// after what stands for it was emitted.
	Keep(e *event.Event)
	Release(e *event.Event)
	// Drop counts an event that goes no further, for a reason that is shown to
	// the operator: "suppressed". It is acknowledged when Process returns, or
	// when it is released if it is kept.
	Drop(reason string)
	// WakeAt asks for a call of Wake.
	WakeAt(t time.Time)
}

// StageTransform is a transform that runs as a Stage.
type StageTransform interface {
	Stage(host *Host) (Stage, error)
}
