//go:build integration

package chaos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/spool"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata/tally"
)

// stretch is a range of alerts, [from, to), each of which a sink may get once more: a
// process ended, and what the sink got since its checkpoint comes again.
type stretch struct{ from, to int }

// oracle knows from outside what every sink must have, and what it may have twice.
type oracle struct {
	shape   shape
	ledger  *ledger
	daemon  *daemon
	targets map[sinkKind]target

	mu         sync.Mutex
	may        map[sinkKind][]stretch
	stands     map[sinkKind]int // where the checkpoint was seen last: everything before is done
	violations []string
	count      tally.Verdict
}

func newOracle(s shape, l *ledger, d *daemon) *oracle {
	return &oracle{shape: s, ledger: l, daemon: d, may: map[sinkKind][]stretch{}, stands: map[sinkKind]int{}}
}

func (o *oracle) violate(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.violations = append(o.violations, fmt.Sprintf(format, args...))
}

// inFlight says whether something was written that a reader of a sink has not got yet.
func (o *oracle) inFlight() bool {
	last := o.ledger.last()
	for _, t := range o.targets {
		if t.latest() < last {
			return true
		}
	}
	return false
}

// missing says what is not there yet; empty if nothing is.
func (o *oracle) missing() string {
	var b strings.Builder
	owed := o.ledger.owed()
	for _, k := range o.shape.sinks {
		if n := o.behind(k, owed); n > 0 {
			fmt.Fprintf(&b, "%s has not got %d of %d alerts; ", k.address(), n, owed)
		}
	}
	return b.String()
}

// behind is how many of the alerts that are owed a sink has not got.
func (o *oracle) behind(k sinkKind, owed int) int {
	if o.shape.style != byTruncate {
		return owed - o.targets[k].seen()
	}
	lines, seen := o.ledger.snapshot(), map[int]bool{}
	for _, d := range o.targets[k].now() {
		if d.n >= 0 && d.n < len(lines) && !lines[d.n].doomed {
			seen[d.n] = true
		}
	}
	return owed - len(seen)
}

// stretches are those that the end of a process would open now, for the sinks
// that make no promise of their own.
func (o *oracle) stretches() map[sinkKind]stretch {
	all := map[sinkKind]stretch{}
	stands := o.checkpoints()
	for _, k := range o.shape.sinks {
		if k == once || k == natsJ {
			continue // a reader never gets anything twice
		}
		all[k] = stretch{stands[k], o.ledger.count()}
	}
	return all
}

// ended is told of the end of a process.
func (o *oracle) ended() {
	all := o.stretches()
	o.mu.Lock()
	defer o.mu.Unlock()
	for k, s := range all {
		o.may[k] = append(o.may[k], s)
	}
}

// interrupted is told that sinks were stopped or replaced, and where they stood before: what a
// Kafka sink had on its way, and nobody had answered, may come again. The others know what became of it.
func (o *oracle) interrupted(before map[sinkKind]stretch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s, ok := before[kafka]; ok {
		o.may[kafka] = append(o.may[kafka], stretch{s.from, o.ledger.count()})
	}
}

// checkpoints are the numbers at which the sinks stand in the state directory. They
// never go back.
func (o *oracle) checkpoints() map[sinkKind]int {
	kept := 0
	if o.shape.pipe {
		kept = o.kept() // first: who is at work goes on meanwhile
	}
	dir, warnings, err := state.Look(world.OS().FS, o.daemon.state(), o.daemon.name)
	if errors.Is(err, fs.ErrNotExist) {
		return map[sinkKind]int{}
	}
	if err != nil || len(warnings) > 0 && !o.shape.smallDisk {
		o.violate("looking at the state: %v %v", err, warnings)
	}
	var saved map[string]component.Position
	if dir != nil {
		saved = dir.Checkpoints(o.shape.source())
	}
	files := o.generations()
	records := o.records()
	all := map[sinkKind]int{}
	for _, k := range o.shape.sinks {
		n, known := o.boundary(saved[k.address()], files, records, kept)
		o.mu.Lock()
		was := o.stands[k]
		if known {
			o.stands[k] = n
		}
		all[k] = o.stands[k]
		o.mu.Unlock()
		if known && n < was {
			o.violate("the checkpoint of %s has gone back from %d to %d", k.address(), was, n)
		}
	}
	return all
}

// boundary is the number of the first alert that is not before p.
func (o *oracle) boundary(p component.Position, files map[string]int, records map[int64]int, kept int) (n int, known bool) {
	if o.shape.pipe {
		if p.Generation == "" {
			return 0, false
		}
		for r := p.Offset; r < p.Offset+1<<17; r++ { // numbers have gaps where a process has ended
			if n, ok := records[r]; ok {
				return n, true
			}
		}
		return kept, true // nothing is left
	}
	file, ok := files[p.Generation]
	if !ok {
		return 0, false
	}
	lines := o.ledger.snapshot()
	for n, l := range lines {
		if l.file > file || l.file == file && l.offset >= p.Offset {
			return n, true
		}
	}
	return len(lines), true
}

// generations are the files by the names that the ids of delivered events give them.
func (o *oracle) generations() map[string]int {
	lines := o.ledger.snapshot()
	files := map[string]int{}
	for _, t := range o.targets {
		for _, d := range t.now() {
			if generation, _, ok := cutID(d.id); ok && d.n >= 0 && d.n < len(lines) {
				files[generation] = lines[d.n].file
			}
		}
	}
	return files
}

// cutID takes an id of a file's event apart.
func cutID(id string) (generation string, offset int64, ok bool) {
	i := strings.LastIndexByte(id, '@')
	if i < 0 {
		return "", 0, false
	}
	offset, err := strconv.ParseInt(id[i+1:], 10, 64)
	return id[:i], offset, err == nil
}

// records are the alerts that the queue on disk holds, by number of the record.
func (o *oracle) records() map[int64]int {
	if !o.shape.pipe {
		return nil
	}
	for try := 0; ; try++ {
		all, err := o.look()
		if err == nil || try == 10 {
			if err != nil {
				o.violate("looking at the queue on disk: %v", err)
			}
			return all
		}
		time.Sleep(10 * time.Millisecond) // who is at work removed a segment meanwhile
	}
}

func (o *oracle) look() (map[int64]int, error) {
	all := map[int64]int{}
	dir, _, err := state.Look(world.OS().FS, o.daemon.state(), o.daemon.name)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	source := o.shape.source()
	place := dir.ComponentDir(source)
	if _, err := os.Stat(spool.Dir(place)); errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	store, err := spool.Look(world.OS().FS, place, dir.Component(source))
	if err != nil {
		return all, err
	}
	return all, store.Each(func(r *spool.Record) error {
		all[r.Number] = numberIn([]byte(r.Text))
		return nil
	})
}

// kept is the number of the first alert that neither the queue on disk nor a sink has:
// the sender goes on with it.
func (o *oracle) kept() int {
	next := 0
	for _, n := range o.records() {
		next = max(next, n+1)
	}
	for _, t := range o.targets {
		for _, d := range t.now() {
			next = max(next, d.n+1)
		}
	}
	return next
}

// settled wants that everything is done: no sink stands before an alert that it wants.
func (o *oracle) settled() {
	if o.shape.pipe {
		return // a queue that is empty has no record to stand at
	}
	for k, t := range o.targets { // who knows all ids knows where a checkpoint is
		if _, err := t.all(); err != nil {
			o.violate("%s: %v", k.address(), err)
		}
	}
	lines := o.ledger.snapshot()
	for k, n := range o.checkpoints() {
		for ; n < len(lines); n++ {
			if lines[n].wanted && !lines[n].doomed {
				o.violate("etl has stopped with everything delivered, and the checkpoint of %s stands at %d of %d", k.address(), n, len(lines))
				break
			}
		}
	}
}

// judge is the end of the schedule.
func (o *oracle) judge() {
	began := time.Now()
	lines := o.ledger.snapshot()
	ids, files := map[int]string{}, map[string]int{}
	for _, k := range o.shape.sinks {
		list, err := o.targets[k].all()
		if err != nil {
			o.violate("%s: %v (asked for %s)", k.address(), err, time.Since(began))
			continue
		}
		o.sink(k, list, lines, ids, files)
	}
}

func (o *oracle) sink(k sinkKind, list []delivery, lines []line, ids map[int]string, files map[string]int) {
	times := make([]int, len(lines))
	highest := map[int32]int{}
	for _, d := range list {
		switch {
		case d.n < 0 || d.n >= len(lines) || !lines[d.n].wanted:
			o.count.Phantom++
			o.violate("%s has what it must not have: %.80q", k.address(), d.text)
			continue
		case d.text != lines[d.n].text:
			o.count.Damaged++
			o.violate("%s has alert %d damaged: %.80q", k.address(), d.n, d.text)
			continue
		}
		o.id(k, d, lines, ids, files)
		if times[d.n]++; times[d.n] > 1 {
			continue
		}
		if high, ok := highest[d.partition]; ok && d.n < high {
			o.count.Reordered++
			o.violate("%s got %d for the first time behind %d", k.address(), d.n, high)
		}
		highest[d.partition] = max(highest[d.partition], d.n)
	}
	told := o.daemon.said("a gap: ") > 0 || o.daemon.said("truncated") > 0
	var lost, beyond []int
	for n, l := range lines {
		if times[n] == 0 {
			if l.wanted && !(l.doomed && told) {
				lost = append(lost, n)
			}
			continue
		}
		may := 0
		for _, s := range o.may[k] {
			if s.from <= n && n < s.to {
				may++
			}
		}
		o.count.Again += times[n] - 1
		o.count.Bound += may
		if times[n]-1 > may {
			o.count.Duplicated += times[n] - 1 - may
			beyond = append(beyond, n)
		}
	}
	if len(lost) > 0 {
		o.count.Lost += len(lost)
		o.violate("%s lost %d alerts: %v", k.address(), len(lost), lost[:min(len(lost), 30)])
	}
	if len(beyond) > 0 {
		o.violate("%s has %d alerts more often than it may: %v; stretches %v", k.address(), len(beyond), beyond[:min(len(beyond), 30)], o.may[k])
	}
}

// id wants one id for each alert, whatever comes twice and wherever; that of a file says where
// it stands there.
func (o *oracle) id(k sinkKind, d delivery, lines []line, ids map[int]string, files map[string]int) {
	if was, ok := ids[d.n]; ok && was != d.id {
		o.violate("%s: the id of alert %d is %q, and was %q", k.address(), d.n, d.id, was)
	}
	ids[d.n] = d.id
	if o.shape.pipe {
		return
	}
	generation, offset, ok := cutID(d.id)
	l := lines[d.n]
	if was, known := files[generation]; known && was != l.file || !ok || offset != l.offset {
		o.violate("%s: the id of alert %d is %q, and it stands at %d of file %d", k.address(), d.n, d.id, l.offset, l.file)
	}
	files[generation] = l.file
}
