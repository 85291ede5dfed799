package chaos

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/testdata/tally"
)

// place is where a line stands: the two halves of its id.
type place struct {
	generation string
	offset     int64
}

// oracle knows what was written, read, delivered and answered, and from that
// what every sink must have, and what it may have twice.
type oracle struct {
	h *harness

	mu      sync.Mutex
	numbers map[place]int
	places  map[int]place
	streams map[string][]int // numbers of a generation, in order of offset
	begins  map[string]int   // the first number that was not yet read when the generation came
	readTo  int              // behind the highest number that was read

	ever    map[string]map[int]time.Time // first answered by a sink, in any run
	acked   map[string]map[int]time.Time // in this run
	unknown map[string]map[int]int       // how often a sink gave a message back without knowing what became of it
	allowed map[string]map[int]int       // how often a number may come again after the ends of runs
	base    map[string]int               // where the sinks stood when this run began
	lot     int                          // lines of this run's largest lot
	told    []time.Time                  // when it was said that something was truncated or is gone
	stored  bool                         // there was a checkpoint
	trouble time.Time                    // the last moment at which the disk was in trouble

	began time.Time // of this run
	spans []span    // the runs before

	count tally.Verdict
}

// span is the time of a run.
type span struct{ from, to time.Time }

func newOracle(h *harness) *oracle {
	o := &oracle{
		h: h, numbers: map[place]int{}, places: map[int]place{}, streams: map[string][]int{}, begins: map[string]int{},
		ever: map[string]map[int]time.Time{}, unknown: map[string]map[int]int{}, allowed: map[string]map[int]int{}, base: map[string]int{},
	}
	for _, s := range sinks {
		o.ever[s], o.unknown[s], o.allowed[s] = map[int]time.Time{}, map[int]int{}, map[int]int{}
	}
	o.begin()
	return o
}

// sinks are all that deliver; account is the sink that has the position for
// what one delivers.
var sinks = []string{sinkA, sinkLog, receipts, deadLetters}

// wants says whether an event of class c must come to sink.
func wants(sink string, c class) bool {
	switch sink {
	case sinkA, receipts:
		return c == good
	case sinkLog:
		return c == good || c == poison
	}
	return c == poison || c == broken
}

// account is the first sink whose position an event of class c at sink belongs to.
func account(sink string, c class) string {
	if sink == receipts || sink == deadLetters && c == poison {
		return sinkA
	}
	return sink
}

// begin is the start of a run.
func (o *oracle) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acked, o.lot, o.began = map[string]map[int]time.Time{}, 0, time.Now()
	for _, s := range sinks {
		o.acked[s] = map[int]time.Time{}
	}
}

// read is told of each lot before the engine has it.
func (o *oracle) read(lot *component.Lot) {
	o.mu.Lock()
	var wrong []func()
	if _, ok := o.begins[lot.Position.Generation]; !ok {
		o.begins[lot.Position.Generation] = o.readTo
	}
	for _, l := range lot.Lines {
		text := lot.Data[l.Start:l.End]
		n := numberIn(text)
		if n < 0 || l.Failure != nil && o.h.writer.text(n) != string(text) { // cut off, the number maybe too
			continue
		}
		at := place{lot.Stream.Generation, l.Offset}
		if other, ok := o.numbers[at]; ok && other != n {
			wrong = append(wrong, func() { o.h.violate("events %d and %d have the same id %v", other, n, at) })
		}
		before, ok := o.places[n]
		if ok && before != at {
			wrong = append(wrong, func() { o.h.violate("the id of event %d was %v and is %v", n, before, at) })
		}
		if !ok {
			o.numbers[at], o.places[n] = n, at
			o.streams[at.generation] = append(o.streams[at.generation], n)
			o.readTo = max(o.readTo, n+1)
		}
	}
	o.lot = max(o.lot, len(lot.Lines))
	o.mu.Unlock()
	for _, tell := range wrong {
		tell()
	}
}

// answered is told of each answer of a sink; ok is false for an outcome that
// is unknown, or for an event's own error.
func (o *oracle) answered(sink string, n int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !ok {
		o.unknown[sink][n]++
		return
	}
	if _, ok := o.ever[sink][n]; !ok {
		o.ever[sink][n] = time.Now()
	}
	if _, ok := o.acked[sink][n]; !ok {
		o.acked[sink][n] = time.Now()
	}
}

// hear takes from the log what the operator is told about.
func (o *oracle) hear(message string, attrs []slog.Attr) {
	if strings.Contains(message, "can't be found in the input") && o.h.current().alive() {
		o.astray(attrs)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.HasPrefix(message, "a gap: ") || strings.HasPrefix(message, "the file was truncated") {
		o.told = append(o.told, time.Now())
	}
}

// astray is told that a sink's place in the input is gone, which only a truncation without a
// copy can bring about. Such a sink may get all that the source reads again, and stands where that begins.
func (o *oracle) astray(attrs []slog.Attr) {
	for _, a := range attrs {
		if a.Key != "slot" {
			continue
		}
		if !o.h.writer.gone() {
			o.h.violate("the place of %s was not found, while its file is there", a.Value)
		}
		o.mu.Lock()
		delete(o.base, a.Value.String())
		o.mu.Unlock()
		for _, s := range sinks {
			if account(s, good) != a.Value.String() && account(s, poison) != a.Value.String() {
				continue
			}
			list := o.h.contents(s)
			o.mu.Lock()
			for _, d := range list {
				o.allowed[s][d.n]++
			}
			o.mu.Unlock()
		}
	}
}

func (o *oracle) diskTrouble() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trouble = time.Now()
}

// missing counts what sinks still have to answer.
func (o *oracle) missing() (n int) {
	lines := o.h.writer.snapshot()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range sinks {
		for i, l := range lines {
			if wants(s, l.class) && l.doomed.IsZero() && o.ever[s][i].IsZero() {
				n++
			}
		}
	}
	return n
}

func (o *oracle) inFlight() bool { return o.missing() > 0 }

// boundary is the first number that is not before position.
func (o *oracle) boundary(p component.Position) int {
	numbers, ok := o.streams[p.Generation]
	if !ok { // no number stands in it
		if n, ok := o.begins[p.Generation]; ok {
			return n
		}
		return o.readTo
	}
	for _, n := range numbers {
		if o.places[n].offset >= p.Offset {
			return n
		}
	}
	return numbers[len(numbers)-1] + 1
}

// end judges what a run has left behind: where the sinks stand in the stored
// checkpoints, against what they have.
func (o *oracle) end(at time.Time, clean bool) {
	dir, warnings, err := state.Open(o.h.files, statePath, pipelineName)
	if err != nil {
		o.h.violate("the state can't be opened: %v", err)
		return
	}
	saved := dir.Checkpoints(source)
	o.stored = o.stored || len(saved) > 0
	if len(warnings) > 0 && o.stored {
		o.h.violate("the state is damaged: %v", warnings)
	}
	lines := o.h.writer.snapshot()
	has := map[string]map[int]bool{}
	for _, s := range sinks {
		has[s] = map[int]bool{}
		for _, d := range o.h.contents(s) {
			has[s][d.n] = true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spans = append(o.spans, span{o.began, at})
	stands := map[string]int{}
	for _, s := range []string{sinkA, sinkLog, deadLetters} {
		b := 0
		if p, ok := saved[s]; ok {
			b = o.boundary(p)
		}
		stands[s] = b
		if b < o.base[s] {
			o.violate("the checkpoint of %s has gone back from %d to %d", s, o.base[s], b)
		}
		o.fresh(s, b, lines, at, clean)
	}
	for _, s := range sinks {
		for n, l := range lines {
			if !wants(s, l.class) {
				continue
			}
			b := stands[account(s, l.class)]
			switch {
			case has[s][n] && n >= b:
				o.allowed[s][n]++
			case !has[s][n] && n < b && l.doomed.IsZero():
				o.violate("the checkpoint of %s stands at %d, and %s does not have %d", account(s, l.class), b, s, n)
			}
		}
	}
	o.base = stands
}

// violate is h.violate while o is locked.
func (o *oracle) violate(format string, args ...any) { o.h.violate(format, args...) }

// fresh checks that what was delivered more than a second before the end is behind the
// checkpoint: DESIGN allows duplicates of what came later only. Lots are acknowledged whole.
func (o *oracle) fresh(sink string, stands int, lines []line, at time.Time, clean bool) {
	if sink == deadLetters || o.h.disk.inTrouble() || at.Sub(o.trouble) < 3*time.Second {
		return
	}
	if !clean {
		at = at.Add(-1200 * time.Millisecond)
	}
	before := func(s string, n int) bool {
		t, ok := o.acked[s][n]
		return ok && !t.After(at)
	}
	through := o.base[sink]
	for n := through; n < o.readTo && n < len(lines); n++ {
		l := lines[n]
		if !l.doomed.IsZero() && o.ever[sink][n].IsZero() {
			continue
		}
		done := true
		switch {
		case sink == sinkLog && wants(sinkLog, l.class):
			done = before(sinkLog, n)
		case sink == sinkA && l.class == good:
			done = before(sinkA, n) && before(receipts, n)
		case sink == sinkA && l.class == poison:
			done = before(deadLetters, n)
		default: // nobody says when it was dropped: it counts with what follows it
			continue
		}
		if !done {
			break
		}
		through = n + 1
	}
	if stands < through-o.lot {
		o.violate("the checkpoint of %s stands at %d, while everything before %d was delivered a second before (lots of up to %d)", sink, stands, through, o.lot)
	}
}

// traceless says whether line l was written to a file that was empty when a process saw it last, and truncated away before
// another was at work: nobody can tell that from a file in which nothing was written but what came then.
func (o *oracle) traceless(l line) bool {
	return l.hidden && !slices.ContainsFunc(o.spans, func(r span) bool {
		return !l.doomed.Before(r.from) && l.doomed.Add(time.Second).Before(r.to)
	})
}

// warned says whether it was told that line n was truncated away at a time, before sink had anything that was
// written later: no gap is silent, nor told too late.
func (o *oracle) warned(sink string, n int, at time.Time, lines []line) bool {
	var next time.Time // when sink had that
	for k := n + 1; k < len(lines); k++ {
		if t := o.ever[sink][k]; !t.IsZero() && !lines[k].doomed.Equal(at) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return slices.ContainsFunc(o.told, func(t time.Time) bool { return !t.Before(at) && (next.IsZero() || !t.After(next)) })
}

// delivery is one event that a sink has.
type delivery struct {
	n    int
	text string
}

// contents is what a sink has, in order.
func (h *harness) contents(sink string) (list []delivery) {
	switch sink {
	case sinkLog:
		for _, text := range h.linesOf(outPath) {
			list = append(list, delivery{numberIn(text), string(text)})
		}
	case deadLetters:
		for _, text := range h.linesOf(deadLetterPath) {
			var record struct {
				Raw string `json:"raw"`
			}
			_ = json.Unmarshal(text, &record) // what is damaged has no number
			list = append(list, delivery{numberIn([]byte(record.Raw)), record.Raw})
		}
	default:
		t := h.targets[sink]
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, m := range t.taken {
			list = append(list, delivery{m.n, m.text})
		}
	}
	return list
}

// linesOf are the lines of a file and of those that were set aside before it.
func (h *harness) linesOf(name string) (list [][]byte) {
	entries, _ := h.files.ReadDir(name[:strings.LastIndexByte(name, '/')])
	var names []string
	for _, e := range entries {
		if full := name[:strings.LastIndexByte(name, '/')+1] + e.Name(); strings.HasPrefix(full, name+".unsynced-") {
			names = append(names, full)
		}
	}
	sort.Strings(names)
	for _, name := range append(names, name) {
		text, err := h.files.ReadFile(name)
		if err != nil {
			continue
		}
		whole := bytes.LastIndexByte(text, '\n') + 1 // the rest is what a crash has left
		for line := range bytes.Lines(text[:whole]) {
			list = append(list, bytes.TrimSuffix(line, []byte("\n")))
		}
	}
	return list
}

// judge is the end of the schedule.
func (o *oracle) judge() {
	lines := o.h.writer.snapshot()
	for _, s := range sinks {
		list := o.h.contents(s)
		times := map[int]int{}
		highest := -1
		for _, d := range list {
			if s == deadLetters && torn(d, lines) {
				continue
			}
			if d.n < 0 || d.n >= len(lines) || !wants(s, lines[d.n].class) {
				if d.n >= 0 && d.n < len(lines) && strings.Contains(d.text, lines[d.n].text) || d.n < 0 {
					o.count.Phantom++
					o.violate("%s has what it must not have: %.80q", s, d.text)
					continue
				}
			}
			if d.n < 0 || d.n >= len(lines) || d.text != lines[d.n].text {
				o.count.Damaged++
				o.violate("%s has a damaged event %d: %.80q", s, d.n, d.text)
				continue
			}
			times[d.n]++
			if times[d.n] == 1 && s != deadLetters {
				if d.n < highest {
					o.count.Reordered++
					o.violate("%s got %d for the first time behind %d", s, d.n, highest)
				}
				highest = max(highest, d.n)
			}
		}
		o.mu.Lock()
		unknown := o.unknown[s]
		if t := o.h.targets[s]; t != nil {
			unknown = t.unanswered()
		}
		var lost, unseen []int
		for n, l := range lines {
			if !wants(s, l.class) {
				continue
			}
			if times[n] == 0 {
				if l.doomed.IsZero() {
					lost = append(lost, n)
				} else if !o.traceless(l) && !o.warned(s, n, l.doomed, lines) {
					unseen = append(unseen, n)
				}
				continue
			}
			may := o.allowed[s][n] + unknown[n]
			if s == deadLetters && l.class == poison {
				may += o.h.targets[sinkA].refusals(n) - 1
			}
			o.count.Again += times[n] - 1
			o.count.Bound += may
			if times[n]-1 > may {
				o.count.Duplicated += times[n] - 1 - may
				o.violate("%s has %d %d times, and may have it %d times", s, n, times[n], 1+may)
			}
		}
		if len(lost) > 0 {
			o.count.Lost += len(lost)
			o.violate("%s lost %d events: %v", s, len(lost), lost[:min(len(lost), 30)])
		}
		if len(unseen) > 0 {
			o.count.Lost += len(unseen)
			o.violate("%s lost %d events to truncations that nobody was told about: %v", s, len(unseen), unseen[:min(len(unseen), 30)])
		}
		o.mu.Unlock()
	}
}

// torn says whether d is the beginning of a line that was truncated away before
// the rest of it could be read.
func torn(d delivery, lines []line) bool {
	return slices.ContainsFunc(lines, func(l line) bool {
		return !l.doomed.IsZero() && l.text != d.text && strings.HasPrefix(l.text, d.text)
	})
}

// unanswered counts by number what the target has taken without an answer.
func (t *target) unanswered() map[int]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := map[int]int{}
	for _, k := range t.taken {
		if !k.answered {
			m[k.n]++
		}
	}
	return m
}

// refusals is how often the target has refused n for itself.
func (t *target) refusals(n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused[n]
}

// snapshot is the lines as they are.
func (w *writer) snapshot() []line {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]line, len(w.lines))
	for i, l := range w.lines {
		list[i] = *l
	}
	return slices.Clip(list)
}
