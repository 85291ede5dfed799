// Package window holds the stages: transforms that look at several events, by
// key, over some time.
package window

import "iter"

// table is what is known of a bounded number of keys, in the order in which
// they were touched: whoever adds one too many takes away the oldest.
type table[K comparable, V any] struct {
	entries map[K]*entry[K, V]
	ring    entry[K, V] // its after is the oldest
}

type entry[K comparable, V any] struct {
	key           K
	value         V
	before, after *entry[K, V]
}

func newTable[K comparable, V any]() *table[K, V] {
	t := &table[K, V]{entries: map[K]*entry[K, V]{}}
	t.ring.before, t.ring.after = &t.ring, &t.ring
	return t
}

func (t *table[K, V]) len() int { return len(t.entries) }

// add makes the entry of a key that has none: the newest.
func (t *table[K, V]) add(key K) *entry[K, V] {
	e := &entry[K, V]{key: key}
	t.entries[key] = e
	t.link(e)
	return e
}

// touch makes e the newest.
func (t *table[K, V]) touch(e *entry[K, V]) {
	e.before.after, e.after.before = e.after, e.before
	t.link(e)
}

func (t *table[K, V]) link(e *entry[K, V]) {
	last := t.ring.before
	e.before, e.after = last, &t.ring
	last.after, t.ring.before = e, e
}

func (t *table[K, V]) remove(e *entry[K, V]) {
	e.before.after, e.after.before = e.after, e.before
	delete(t.entries, e.key)
}

// oldest is nil if there is none.
func (t *table[K, V]) oldest() *entry[K, V] {
	if e := t.ring.after; e != &t.ring {
		return e
	}
	return nil
}

// all are the entries, oldest first; the current one may be removed.
func (t *table[K, V]) all() iter.Seq[*entry[K, V]] {
	return func(yield func(*entry[K, V]) bool) {
		for e := t.ring.after; e != &t.ring; {
			after := e.after
			if !yield(e) {
				return
			}
			e = after
		}
	}
}
