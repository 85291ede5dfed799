package window

import (
	"fmt"
	"math"
	"time"

	"github.com/wazuh-etl/etl/runtime/document"
)

// historyConfig is the block `history`.
type historyConfig struct {
	deviations float64
	atLeast    int
	windows    int
	learn      int
}

// past is how many events of each key there were in the windows before, and
// are in this one. Windows are counted from 1970, so that they are the same after a restart.
type past struct {
	*anomalyConfig
	counts *table[string, record]
}

// record is one key's.
type record struct {
	window int64 // the current one
	n      int   // in it
	before []int // in those before, oldest first; since the first event
	told   bool  // in this window
}

func newPast(c *anomalyConfig, known knowledge) *past {
	p := &past{anomalyConfig: c, counts: newTable[string, record]()}
	if known.Window != int64(c.window) { // counts of other windows say nothing
		return p
	}
	for _, k := range known.Past {
		if p.counts.len() < c.maxKeys && p.counts.entries[k.Key] == nil {
			p.counts.add(k.Key).value = record{window: k.Window, n: k.Count, before: k.Before, told: k.Told}
		}
	}
	return p
}

// count notes an event of key, and says what is unusual then.
func (p *past) count(key []byte, now time.Time) *finding {
	e := p.counts.entries[string(key)]
	current := now.UnixNano() / int64(p.window)
	if e == nil {
		if p.counts.len() >= p.maxKeys {
			p.counts.remove(p.counts.oldest())
		}
		e = p.counts.add(string(key))
		e.value.window = current
	}
	p.counts.touch(e)
	r := &e.value
	r.moveTo(current, p.history.windows)
	r.n++
	if r.told || len(r.before) < p.history.learn || r.n < p.history.atLeast {
		return nil
	}
	mean, deviation := usual(r.before)
	limit := mean + p.history.deviations*deviation
	if float64(r.n) <= limit {
		return nil
	}
	r.told = true
	of := ""
	var members []document.Member
	if p.key != nil {
		of, members = fmt.Sprintf(" of %q", key), append(members, text("key", e.key))
	}
	return &finding{
		message: fmt.Sprintf("%d events%s in this window of %s, usual are %.1f, and at most %.1f", r.n, of, p.window, mean, limit),
		members: append(members, number("count", r.n), float("mean", mean), float("deviation", deviation), float("limit", limit), number("windows", len(r.before))),
	}
}

// moveTo ends the current window and those in which nothing came, if the time
// is in a later one. A clock that was put back stays in the current one.
func (r *record) moveTo(window int64, keep int) {
	if window <= r.window {
		return
	}
	r.before = append(r.before, r.n)
	for range min(window-r.window-1, int64(keep)) {
		r.before = append(r.before, 0)
	}
	if over := len(r.before) - keep; over > 0 {
		r.before = append(r.before[:0], r.before[over:]...)
	}
	r.window, r.n, r.told = window, 0, false
}

// usual is the mean and the standard deviation of counts. The latter is at
// least what chance alone would make of the mean, and at least 1: three quiet hours do not
// make the fourth event an anomaly.
func usual(counts []int) (mean, deviation float64) {
	for _, n := range counts {
		mean += float64(n)
	}
	mean /= float64(len(counts))
	for _, n := range counts {
		deviation += (float64(n) - mean) * (float64(n) - mean)
	}
	deviation = math.Sqrt(deviation / float64(len(counts)))
	return mean, max(deviation, math.Sqrt(mean), 1)
}

// known adds what outlives the process.
func (p *past) known(k *knowledge) {
	k.Window = int64(p.window)
	for e := range p.counts.all() {
		r := &e.value
		k.Past = append(k.Past, pastOf{e.key, r.window, r.n, r.before, r.told})
	}
}
