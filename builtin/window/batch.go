package window

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// batchConfig is transform "batch".
type batchConfig struct {
	address   string
	key       component.Template
	maxEvents int
	maxBytes  int64
	maxWait   time.Duration
	maxKeys   int
}

// Stage is component.StageTransform's.
func (c *batchConfig) Stage(host *component.Host) (component.Stage, error) {
	return &batch{batchConfig: c, now: host.Now, keys: keyed{template: c.key}, open: newTable[string, members]()}, nil
}

// batch makes one event of several. It keeps them until then, so that none is
// acknowledged before the one that stands for it.
type batch struct {
	*batchConfig
	now    func() time.Time
	keys   keyed
	open   *table[string, members] // in the order of time: they are never touched
	buffer []byte
}

// members are those of a batch that is not complete.
type members struct {
	events []*event.Event
	list   []document.Value
	bytes  int64 // as JSON
	until  time.Time
}

// Process puts e into the batch of its key.
func (b *batch) Process(e *event.Event, out component.Emitter) error {
	root, err := e.Root()
	if err != nil {
		return err
	}
	key, err := b.keys.of(e)
	if err != nil {
		return err
	}
	b.buffer = root.AppendJSON(b.buffer[:0])
	size := int64(len(b.buffer))
	m := b.open.entries[string(key)]
	if m != nil && m.value.bytes+size > b.maxBytes {
		b.emit(m, out)
		m = nil
	}
	if m == nil {
		if b.open.len() >= b.maxKeys {
			b.emit(b.open.oldest(), out)
		}
		m = b.open.add(string(key))
		m.value.until = b.now().Add(b.maxWait)
		out.WakeAt(m.value.until)
	}
	out.Keep(e)
	m.value.events, m.value.list = append(m.value.events, e), append(m.value.list, root)
	m.value.bytes += size
	if len(m.value.events) >= b.maxEvents || m.value.bytes >= b.maxBytes {
		b.emit(m, out)
	}
	return nil
}

// emit sends a batch on.
func (b *batch) emit(m *entry[string, members], out component.Emitter) {
	v := &m.value
	id := idOf(v.events)
	doc := []document.Member{text("event_type", "batch"), text("batch_id", id)}
	doc = append(b.keys.member(doc, m.key), number("count", len(v.events)), document.Member{Name: "events", Value: document.NewArray(v.list)})
	out.Emit(event.Merge(v.events, id+"/"+b.address, document.NewObject(doc)))
	for _, e := range v.events {
		out.Release(e)
	}
	b.open.remove(m)
}

// idOf is the hash of the members' ids, in their order.
func idOf(events []*event.Event) string {
	h := sha256.New()
	for _, e := range events {
		h.Write([]byte(e.ID()))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Wake sends the batches that have waited long enough.
func (b *batch) Wake(now time.Time, out component.Emitter) (next time.Time) {
	for m := b.open.oldest(); m != nil; m = b.open.oldest() {
		if now.Before(m.value.until) {
			return m.value.until
		}
		b.emit(m, out)
	}
	return time.Time{}
}

// Flush sends all.
func (b *batch) Flush(out component.Emitter) {
	for m := b.open.oldest(); m != nil; m = b.open.oldest() {
		b.emit(m, out)
	}
}
