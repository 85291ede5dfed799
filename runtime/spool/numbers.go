package spool

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
)

// stateKey is where the numbers are in the component's state.
const stateKey = "queue.numbers"

// Keeps says whether key is one that a log keeps in the state of its component.
func Keeps(key string) bool { return key == stateKey }

// reserve is how many numbers are set aside at a time.
const reserve = 1 << 16

// unknown is how many are skipped where nobody knows any more how many were used.
const unknown = 1 << 32

// numbers is what has to be known of the log without its files: which numbers
// were used, so that none is used twice and a missing file is noticed.
type numbers struct {
	Mark     []byte `json:"mark"`
	First    int64  `json:"first"`    // records from here on should be there
	Reserved int64  `json:"reserved"` // no number from here on was ever used
	Clean    bool   `json:"clean"`    // the log was closed: Last is the last record
	Last     int64  `json:"last,omitempty"`
	// Moving is set while the files go from one source to another, in the state of both: whose files are not
	// there has given them away, or not got them, and misses nothing.
	Moving bool `json:"moving,omitempty"`
	// Settings are those of the source that fills the log, whatever it is called.
	Settings string `json:"settings,omitempty"`
	// Told are those missing in files that are still there: each is reported once.
	Told []Range `json:"told,omitempty"`
	// Dropped are those that a full log dropped behind its reader, and that not all sinks are
	// past: a sink that comes to them never had them, and counts them then.
	Dropped []Range `json:"dropped,omitempty"`
}

// loadNumbers reads them; ok is false where there are none, or none that are whole.
func loadNumbers(s component.State) (n numbers, ok bool) {
	raw, ok := s.Get(stateKey)
	if !ok || json.Unmarshal(raw, &n) != nil || len(n.Mark) != markLen {
		return numbers{}, false
	}
	return n, true
}

// store makes n last. It is written twice, so that both places of the state
// have it: a damaged one must not bring an older value back.
func (n *numbers) store(s component.State) error {
	raw, err := json.Marshal(n)
	for range 2 {
		if err == nil {
			err = s.Set(stateKey, raw)
		}
	}
	if err != nil {
		return fmt.Errorf("storing the numbers of the queue: %w", err)
	}
	return nil
}

// upTo reserves numbers so that next is one of them.
func (n *numbers) upTo(s component.State, next int64) error {
	if next < n.Reserved {
		return nil
	}
	wider := *n
	wider.Reserved = next + reserve
	if err := wider.store(s); err != nil {
		return err
	}
	*n = wider
	return nil
}

// tell notes that r is missing, and says whether that is news.
func (n *numbers) tell(r Range) bool {
	for _, t := range n.Told {
		if t.From <= r.From && r.To <= t.To {
			return false
		}
	}
	n.Told = append(n.Told, r)
	return true
}

// drop notes that the records of r are dropped.
func (n *numbers) drop(r Range) {
	if last := len(n.Dropped) - 1; last >= 0 && n.Dropped[last].To+1 == r.From {
		n.Dropped[last].To = r.To
		return
	}
	n.Dropped = append(n.Dropped, r)
}

// droppedIn is how many of the records of r are dropped.
func (n *numbers) droppedIn(r Range) (count int64) {
	for _, d := range n.Dropped {
		count += max(0, min(d.To, r.To)-max(d.From, r.From)+1)
	}
	return count
}

// past forgets what was dropped before first: all sinks are past it.
func (n *numbers) past(first int64) {
	n.Dropped = slices.DeleteFunc(n.Dropped, func(r Range) bool { return r.To < first })
}

// without is what is left to know where the files went, or stayed, elsewhere: numbers that were used.
func (n *numbers) without() numbers {
	return numbers{First: n.Reserved, Reserved: n.Reserved, Settings: n.Settings}
}

// from stores that records before first are not expected any more.
func (n *numbers) from(s component.State, first int64) error {
	n.First = max(n.First, first)
	n.Told = slices.DeleteFunc(n.Told, func(r Range) bool { return r.To < n.First })
	return n.store(s)
}

func (n *numbers) close(s component.State, next, last int64) error {
	n.Clean, n.Reserved, n.Last = true, next, last
	return n.store(s)
}
