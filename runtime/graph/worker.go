package graph

import (
	"sync"
	"sync/atomic"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// job is one lot on its way through the workers.
type job struct {
	feed    *feed
	address string // of the source, in program
	program *program
	lot     *component.Lot
	account *ack.Lot
	skip    skips
	state   atomic.Int32
	bytes   int64
	events  int
	done    chan struct{} // closed when a worker is through with it
	aborted bool          // the graph was killed before a worker had it
	out     outbox
}

// What a job may be: who changes it from waiting has it.
const (
	jobWaiting int32 = iota
	jobRunning
	jobDropped // by a full queue
)

// worker processes jobs until the work queue closes.
func (g *Graph) worker(i int) {
	name := workerName(i)
	w := &walk{now: g.options.World.Now}
	var scratch event.Event
	for {
		j := g.work.take()
		if j == nil {
			return
		}
		if !j.state.CompareAndSwap(jobWaiting, jobRunning) {
			continue // its feed has dropped it
		}
		if j.aborted = g.hard.Err() != nil; !j.aborted {
			w.begin(j.program, j.program.crews[name], j.skip, j.feed.only)
			j.run(w, &scratch)
			j.out = w.end()
		}
		close(j.done)
		wake(j.feed.filled)
	}
}

// run walks every line of the lot. A component that panics costs its event.
func (j *job) run(w *walk, scratch *event.Event) {
	source := j.program.byName[j.address]
	w.sift(source.sifter, j.lot)
	for i := 0; i < len(j.lot.Lines); {
		i = j.lines(w, scratch, source, i)
	}
}

// lines walks from line i on, and returns the line to go on with.
func (j *job) lines(w *walk, scratch *event.Event, source *step, i int) (next int) {
	defer func() {
		if r := recover(); r != nil {
			next = i + 1
			w.next(scratch)
			w.fail(source, scratch, crashed(r))
		}
	}()
	lot, c := j.lot, &w.counts[source.index]
	for ; i < len(lot.Lines); i++ {
		if w.unwanted(lot, i) {
			continue
		}
		l := &lot.Lines[i]
		raw := lot.Data[l.Start:l.End:l.End]
		c.in++
		scratch.Recycle(lot.Stream, l.Offset, raw, lot.Received, ack.Token{Lot: j.account, Event: int32(i)}, l.Failure)
		w.next(scratch)
		w.at = lot.Offset(i)
		if id := source.node.ID; id != nil && l.Failure == nil {
			text, err := id.AppendText(nil, scratch)
			if err != nil {
				w.fail(source, scratch, err)
				continue
			}
			scratch.SetID(string(text))
		}
		if l.Failure != nil {
			w.fail(source, scratch, l.Failure)
			continue
		}
		c.out++
		w.send(source, plan.Events, source.events, scratch, 0)
	}
	return i
}

// workQueue is the jobs that wait for a worker, of all sources, in order. Its
// length is bounded by the sources' queues.
type workQueue struct {
	mu     sync.Mutex
	some   *sync.Cond
	jobs   []*job
	busy   int // takers that are not waiting
	closed bool
}

func newWorkQueue(workers int) *workQueue {
	q := &workQueue{busy: workers}
	q.some = sync.NewCond(&q.mu)
	return q
}

func (q *workQueue) put(j *job) {
	q.mu.Lock()
	q.jobs = append(q.jobs, j)
	q.mu.Unlock()
	q.some.Signal()
}

// take waits for a job; nil means the queue is closed and empty.
func (q *workQueue) take() *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 {
		if q.closed {
			return nil
		}
		q.busy--
		q.some.Wait()
		q.busy++
	}
	j := q.jobs[0]
	q.jobs[0] = nil
	q.jobs = q.jobs[1:]
	return j
}

func (q *workQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.some.Broadcast()
}

// load is how many workers are at work, and how many jobs wait for one.
func (q *workQueue) load() (busy, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.busy, len(q.jobs)
}
