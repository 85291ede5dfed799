package window

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// throttleConfig is transform "throttle".
type throttleConfig struct {
	address        string
	key            component.Template
	rate           float64 // tokens a second
	burst          float64
	quiet, longest time.Duration
	maxKeys        int
}

// Stage is component.StageTransform's.
func (c *throttleConfig) Stage(host *component.Host) (component.Stage, error) {
	return &throttle{throttleConfig: c, now: host.Now, keys: keyed{template: c.key}, buckets: newTable[string, bucket](), bursts: map[*entry[string, bucket]]bool{}}, nil
}

// throttle is a token bucket for each key. What it suppresses is told by one
// event, which stands for them in the acknowledgement: of each source the first one is
// kept until then, and with it the source's position stays in front of all of them.
type throttle struct {
	*throttleConfig
	now     func() time.Time
	keys    keyed
	buckets *table[string, bucket]
	bursts  map[*entry[string, bucket]]bool // with something suppressed
}

type bucket struct {
	tokens float64
	filled time.Time // when tokens was right

	suppressed  int
	first, last time.Time
	kept        []*event.Event // the first suppressed one of each source
	latest      *event.Event   // the last suppressed one, if none went through since
}

// Process lets e through, or suppresses it.
func (t *throttle) Process(e *event.Event, out component.Emitter) error {
	if e.Stream().Replayed { // it went through here before
		out.Emit(e)
		return nil
	}
	key, err := t.keys.of(e)
	if err != nil {
		return err
	}
	now := t.now()
	b := t.bucket(key, now, out)
	if b.value.take(t, now) {
		b.value.setLatest(nil, out)
		out.Emit(e)
		return nil
	}
	t.suppress(b, e, now, out)
	return nil
}

// bucket is that of key, which is the newest then.
func (t *throttle) bucket(key []byte, now time.Time, out component.Emitter) *entry[string, bucket] {
	if b := t.buckets.entries[string(key)]; b != nil {
		t.buckets.touch(b)
		return b
	}
	if t.buckets.len() >= t.maxKeys {
		oldest := t.buckets.oldest()
		t.tell(oldest, out)
		t.buckets.remove(oldest)
	}
	b := t.buckets.add(string(key))
	b.value.tokens, b.value.filled = t.burst, now
	return b
}

// take takes a token, if there is one.
func (b *bucket) take(t *throttle, now time.Time) bool {
	if passed := now.Sub(b.filled); passed > 0 {
		b.tokens = math.Min(t.burst, b.tokens+passed.Seconds()*t.rate)
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (t *throttle) suppress(b *entry[string, bucket], e *event.Event, now time.Time, out component.Emitter) {
	v := &b.value
	out.Drop("suppressed")
	if v.suppressed == 0 {
		v.first = now
		t.bursts[b] = true
		out.WakeAt(now.Add(min(t.quiet, t.longest)))
	}
	v.suppressed++
	v.last = now
	source := e.Stream().Source
	if !slices.ContainsFunc(v.kept, func(k *event.Event) bool { return k.Stream().Source == source && k.Slot() == e.Slot() }) {
		out.Keep(e)
		v.kept = append(v.kept, e)
	}
	v.setLatest(e, out)
}

// setLatest keeps e in the place of what was the last one before; nil is none.
func (b *bucket) setLatest(e *event.Event, out component.Emitter) {
	if e != nil {
		out.Keep(e)
	}
	if b.latest != nil {
		out.Release(b.latest)
	}
	b.latest = e
}

// until is when the burst is over, if nothing more comes.
func (t *throttle) until(b *bucket) time.Time {
	over, latest := b.last.Add(t.quiet), b.first.Add(t.longest)
	if latest.Before(over) {
		return latest
	}
	return over
}

// tell emits what was suppressed of a key.
func (t *throttle) tell(b *entry[string, bucket], out component.Emitter) {
	v := &b.value
	if v.suppressed == 0 {
		return
	}
	kept := v.kept[0]
	of := ""
	if t.key != nil {
		of = fmt.Sprintf(" of %q", b.key)
	}
	members := []document.Member{
		text("event_type", "suppressed"),
		text("message", fmt.Sprintf("%d events%s suppressed within %s", v.suppressed, of, v.last.Sub(v.first).Round(time.Millisecond))),
		text("component", t.address),
	}
	members = append(t.keys.member(members, b.key), number("suppressed", v.suppressed), moment("first", v.first), moment("last", v.last))
	members = append(members, quote("example", kept)...)
	if v.latest != nil {
		members = append(members, quote("latest", v.latest)...)
	}
	out.Emit(event.Merge(v.kept, kept.ID()+"/"+t.address, document.NewObject(members)))
	for _, e := range v.kept {
		out.Release(e)
	}
	v.setLatest(nil, out)
	v.suppressed, v.kept = 0, nil
	delete(t.bursts, b)
}

// quote is a member with all of e, if it is a document.
func quote(name string, e *event.Event) []document.Member {
	root, err := e.Root()
	if err != nil {
		return nil
	}
	return []document.Member{{Name: name, Value: root}}
}

// leastPause is between two looks at the bursts, however many of them end.
const leastPause = 100 * time.Millisecond

// Wake tells of the bursts that are over.
func (t *throttle) Wake(now time.Time, out component.Emitter) (next time.Time) {
	var over []*entry[string, bucket]
	for b := range t.bursts {
		if until := t.until(&b.value); !now.Before(until) {
			over = append(over, b)
		} else if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	t.tellAll(over, out)
	if soonest := now.Add(leastPause); !next.IsZero() && next.Before(soonest) {
		next = soonest
	}
	return next
}

// Flush tells of all bursts.
func (t *throttle) Flush(out component.Emitter) {
	var all []*entry[string, bucket]
	for b := range t.bursts {
		all = append(all, b)
	}
	t.tellAll(all, out)
}

// tellAll tells in the order in which the bursts began.
func (t *throttle) tellAll(bursts []*entry[string, bucket], out component.Emitter) {
	slices.SortFunc(bursts, func(a, b *entry[string, bucket]) int {
		if c := a.value.first.Compare(b.value.first); c != 0 {
			return c
		}
		return cmp.Compare(a.key, b.key)
	})
	for _, b := range bursts {
		t.tell(b, out)
	}
}
