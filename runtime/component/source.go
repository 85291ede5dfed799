package component

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Position is where a source stands: enough to go on from there, after any
// number of restarts. Members are the source's own beside Generation and
// Offset; the runtime stores them as they are.
type Position struct {
	Generation string `json:"generation"`
	Offset     int64  `json:"offset"` // everything before it is done
	Path       string `json:"path,omitempty"`
	Device     uint64 `json:"dev,omitempty"`
	Inode      uint64 `json:"ino,omitempty"`
}

// Source brings events into the pipeline.
type Source interface {
	// Run reads until ctx ends or the input does, and gives everything to out
	// in order. from is where the sinks behind the source stand: none at a first start.
	// It returns nil when the input has ended for good or ctx was done; an error stops the
	// pipeline. What can come back (a file that is missing, a broken
	// connection) is waited for inside.
	Run(ctx context.Context, host *Host, from []Position, out Output) error
}

// Resumable is a source whose positions mean something after a restart.
type Resumable interface {
	Source
	// Resume says for each of from, before Run, whether it can be reached in
	// reading order from the earliest of them: events up to a reachable position are not
	// given again to the sink that has it. Run starts at the earliest, with a lot of that one's
	// generation, even if there are no lines in it. An error ends the pipeline, but for
	// one of NotYet: then Resume is asked again, every second, before Run.
	Resume(host *Host, from []Position) (reachable []bool, err error)
}

// NotYet is an error of Resume that may pass: what the positions are in can't be read now.
func NotYet(err error) error { return &notYet{err} }

// IsNotYet says whether err is, or wraps, one of NotYet.
func IsNotYet(err error) bool {
	_, ok := errors.AsType[*notYet](err)
	return ok
}

type notYet struct{ error }

func (n *notYet) Unwrap() error { return n.error }

// Claimant is a source that knows the positions of its own input, whatever it
// was called when they were stored: a source that was renamed goes on where it stood.
type Claimant interface {
	Resumable
	// Claims says whether p is a position in what the source reads.
	Claims(p Position) bool
}

// Forgetter is a source that keeps what it gives until it is told that nobody
// will ask for it any more.
type Forgetter interface {
	Resumable
	// Forget says that all sinks have everything before p, and that this is stored.
	Forget(p Position)
}

// Rereader is a source whose input can be read a second time while it runs.
type Rereader interface {
	Resumable
	// Again is a source that reads the same from any position.
	Again() Source
}

// TextSource is a source with a codec: it can make events of text without its
// input, which is how a test feeds it.
type TextSource interface {
	Source
	Decode(text []byte, out Output) error
}

// Finite is a source that can be told, before Run, to end where its input ends
// now instead of waiting for more: `--once`.
type Finite interface {
	Source
	Finite()
}

// Progress is a source that knows how much there is to read.
type Progress interface {
	// Progress is how many bytes this run has read, and how many it will have
	// read when it has caught up: the difference is what it is behind. Safe for
	// concurrent use, before Run too.
	Progress() (read, total int64)
}

// Gaps is a source that knows what it could not read, and for ever.
type Gaps interface {
	Source
	// Missed is how many gaps there were since the source was made, each of which it has
	// logged, and how many bytes they had, as far as their ends are known. Safe for concurrent use.
	Missed() (gaps, bytes int64)
}

// Output takes the lots of a source.
type Output interface {
	// Emit hands over a lot and waits while the queue behind the source is
	// full. The lot belongs to the runtime then. The error is ctx's.
	Emit(ctx context.Context, lot *Lot) error
}

// Lot is what a source hands over together: lines in one buffer. Take one
// with NewLot, which reuses the memory of lots that are through.
type Lot struct {
	Stream   *event.Stream
	Data     []byte // owned by the lot
	Lines    []Line
	Received time.Time
	Position Position // where the source stands behind this lot
	// Log, if set, says that positions are not the lines' offsets in the stream
	// but numbers in a log that the stream went through: Log is their
	// generation, the first line has number First, and each line one more.
	Log   string
	First int64
	// Settled, if set, learns what became of each line, once.
	Settled func([]ack.Outcome)
}

// Generation is that of the lot's positions.
func (l *Lot) Generation() string {
	if l.Log != "" {
		return l.Log
	}
	return l.Stream.Generation
}

// Offset is where line i stands among the lot's positions.
func (l *Lot) Offset(i int) int64 {
	if l.Log != "" {
		return l.First + int64(i)
	}
	return l.Lines[i].Offset
}

var lots = sync.Pool{New: func() any { return new(Lot) }}

// NewLot is an empty lot, with the memory of one that is through.
func NewLot() *Lot { return lots.Get().(*Lot) }

// Free gives the lot's memory back; the runtime does it. A buffer that one
// huge line has blown up is not kept.
func (l *Lot) Free() {
	const keep = 4 << 20
	*l = Lot{Data: l.Data[:0], Lines: l.Lines[:0]}
	if cap(l.Data) > keep {
		l.Data = nil
	}
	lots.Put(l)
}

// Line is one event of a lot: its bytes in Data without line break and blanks
// around, and its offset in the stream. Failure is set for what is no event.
type Line struct {
	Start, End int
	Offset     int64
	Failure    *event.Failure
}
