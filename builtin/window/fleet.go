package window

import (
	"fmt"
	"time"

	"github.com/wazuh-etl/etl/runtime/document"
)

// shareConfig is the block `share`.
type shareConfig struct {
	above    float64
	atLeast  int
	of       int // 0: as many as were seen
	remember time.Duration
}

// fleet is all keys that were seen lately, and those that matched within the
// window.
type fleet struct {
	*anomalyConfig
	members *table[string, time.Time] // when each was seen last
	matched *table[string, time.Time] // when each matched last
	told    bool                      // until the share is not too high any more
}

func newFleet(c *anomalyConfig, known map[string]int64) *fleet {
	f := &fleet{anomalyConfig: c, members: newTable[string, time.Time](), matched: newTable[string, time.Time]()}
	for _, k := range byTime(known) {
		note(f.members, []byte(k.key), k.at, c.maxKeys)
	}
	return f
}

// note makes key the newest, and forgets the oldest where there are too many.
func note(t *table[string, time.Time], key []byte, at time.Time, limit int) {
	e := t.entries[string(key)]
	if e == nil {
		if t.len() >= limit {
			t.remove(t.oldest())
		}
		e = t.add(string(key))
	}
	t.touch(e)
	e.value = at
}

// expire forgets what is older than age.
func expire(t *table[string, time.Time], now time.Time, age time.Duration) {
	for e := t.oldest(); e != nil && now.Sub(e.value) >= age; e = t.oldest() {
		t.remove(e)
	}
}

// count notes an event of key, and says what is unusual then.
func (f *fleet) count(key []byte, matches bool, now time.Time) *finding {
	note(f.members, key, now, f.maxKeys)
	expire(f.members, now, f.share.remember)
	expire(f.matched, now, f.window)
	if matches {
		note(f.matched, key, now, f.maxKeys)
	}
	size := f.share.of
	if size == 0 {
		size = f.members.len()
	}
	n := f.matched.len()
	share := float64(n) / float64(size)
	if n < f.share.atLeast || share <= f.share.above {
		f.told = false
		return nil
	}
	if f.told {
		return nil
	}
	f.told = true
	var keys []document.Value
	for e := range f.matched.all() {
		if len(keys) == shown {
			break
		}
		keys = append(keys, document.NewText(e.key))
	}
	return &finding{
		message: fmt.Sprintf("%d of %d (%s) within %s, more than %s", n, size, percent(share), f.window, percent(f.share.above)),
		members: []document.Member{
			number("count", n), number("fleet", size), float("share", share), float("above", f.share.above),
			{Name: "keys", Value: document.NewArray(keys)},
		},
	}
}

// known is what outlives the process.
func (f *fleet) known() map[string]int64 {
	known := make(map[string]int64, f.members.len())
	for e := range f.members.all() {
		known[e.key] = e.value.UnixMilli()
	}
	return known
}
