package corpus

import (
	"fmt"
	"io"
)

// Counts say what a written corpus holds. Relevant is what the shipped DFN
// pipeline delivers of it where an own network is given.
type Counts struct {
	Lines         int   `json:"lines"`
	Linux         int   `json:"irrelevant"`
	Windows       int   `json:"win_all"`
	Fail2ban      int   `json:"f2b_all"`
	WindowsWanted int   `json:"win"`
	Public        int   `json:"f2b"`
	Private       int   `json:"f2b_private"`
	Relevant      int   `json:"relevant"`
	RelevantBytes int64 `json:"relevant_bytes"`
	Bytes         int64 `json:"bytes"`
}

// add counts an alert whose line has a line break.
func (c *Counts) add(a Alert) {
	size := int64(len(a.Line)) + 1
	c.Lines++
	c.Bytes += size
	switch a.family {
	case linux:
		c.Linux++
	case eventChannel:
		c.Windows++
	case fail2ban:
		c.Fail2ban++
	}
	switch a.Kind {
	case Windows:
		c.WindowsWanted++
	case Public:
		c.Public++
	case Private:
		c.Private++
	}
	if a.Relevant() {
		c.Relevant++
		c.RelevantBytes += size
	}
}

// Relevant reports whether the shipped DFN pipeline delivers a where an own
// network is given.
func (a Alert) Relevant() bool { return a.Kind == Windows || a.Kind == Public }

// Write writes alerts of mix and seed, one a line, until they are size bytes;
// if mix has relevant ones, the last is one of them. To expect, unless it is
// nil, it writes the timestamp of each relevant one, one a line: what arrives
// must be exactly these.
func Write(out, expect io.Writer, mix Mix, size int64, seed uint64) (Counts, error) {
	var counts Counts
	maker := New(seed)
	for last := false; !last; {
		alert := maker.NextOf(mix)
		if last = counts.Bytes >= size; last && mix.relevant() {
			alert = maker.NextOf(MixWindows)
		}
		counts.add(alert)
		if _, err := out.Write(append(alert.Line, '\n')); err != nil {
			return counts, fmt.Errorf("writing alerts: %w", err)
		}
		if expect != nil && alert.Relevant() {
			if _, err := io.WriteString(expect, alert.Timestamp+"\n"); err != nil {
				return counts, fmt.Errorf("writing what to expect: %w", err)
			}
		}
	}
	return counts, nil
}
