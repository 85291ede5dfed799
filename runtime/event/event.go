// Package event is what flows through a pipeline: one document, where it came
// from, what has happened to it, and its share in the acknowledgement.
package event

import (
	"slices"
	"strconv"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/document"
)

// Stream is what all events of one uninterrupted run of a source's input have
// in common: one generation of a file, one partition of a topic.
type Stream struct {
	Source     string                            // address of the source, source.file.alerts
	Generation string                            // names the input, whatever its path: first half of each event's id
	File       string                            // path, where there is one: meta.file and meta.position.path
	Position   func(offset int64) document.Value // meta.position; nil means {path, offset}
	// Replayed events failed before and come again, out of the order of their
	// source: that later ones are delivered says nothing of them.
	Replayed bool
}

// Event is one document on its way. It is handed from stage to stage; who has
// it may read it, nobody may change its document in place. Reading is safe for
// concurrent use, since copies of one event may be at several sinks.
type Event struct {
	stream   *Stream
	offset   int64
	received time.Time

	raw  []byte // as it came from the source; nil for a derived event
	doc  *lazy  // of raw, shared by all copies of the event; nil for a derived event
	root document.Value
	size int64

	parent *Event // the event this one was made from, nil for a source's
	maker  string // the address of the component that made it of the parent: part of its id
	index  int    // of what it made of the parent, -1: it made only one
	id     string // once made, or as the pipeline's own id template says

	tokens []ack.Token
	slot   int   // of the first sink on the way; -1 before it
	slots  []int // of a merged event: the slot each token was in already; nil: none in any

	failure  *Failure
	delivery *Delivery
}

// Overhead is about what an event occupies beside its document, in bytes.
const Overhead = 256

// New is the event of raw, which must not change while the event lives. The
// document is parsed when something looks inside.
func New(stream *Stream, offset int64, raw []byte, received time.Time, token ack.Token) *Event {
	return &Event{
		stream: stream, offset: offset, received: received,
		raw: raw, doc: new(lazy), size: int64(Overhead + len(raw)),
		tokens: []ack.Token{token}, slot: -1,
	}
}

// Recycle makes e the event of another line without allocating: for a reader
// that looks at a line, drops it and takes the next. Nothing of the event that
// e was may be in use. A failure says that the line is no document; its errors
// output is then all that the event will see.
func (e *Event) Recycle(stream *Stream, offset int64, raw []byte, received time.Time, token ack.Token, failure *Failure) {
	doc, tokens := e.doc, append(e.tokens[:0], token)
	if doc == nil {
		doc = new(lazy)
	}
	doc.reset(failure)
	*e = Event{
		stream: stream, offset: offset, received: received,
		raw: raw, doc: doc, size: int64(Overhead + len(raw)),
		tokens: tokens, slot: -1, failure: failure,
	}
}

// Slab is memory for events that are kept: many share one allocation for their
// bytes, and one for their indexes, which live as long as one of them. The zero Slab is ready
// for use.
type Slab struct {
	bytes []byte
	index document.Slab
}

// slabSize is how many bytes of kept events share one allocation. Small, since
// one of them keeps the memory of all.
const slabSize = 64 << 10

// Keep is a copy of a recycled event that lives on, with its bytes in slab.
func (e *Event) Keep(slab *Slab) *Event {
	if cap(slab.bytes)-len(slab.bytes) < len(e.raw) {
		slab.bytes = make([]byte, 0, max(slabSize, len(e.raw)))
	}
	at := len(slab.bytes)
	slab.bytes = append(slab.bytes, e.raw...)
	k := &struct {
		Event
		doc   lazy
		token [1]ack.Token // nearly all have one
	}{Event: *e}
	k.raw = slab.bytes[at:len(slab.bytes):len(slab.bytes)]
	k.size += e.doc.copyTo(&k.doc, k.raw, &slab.index)
	k.Event.doc = &k.doc
	k.tokens = append(k.token[:0], e.tokens...)
	return &k.Event
}

// Root is the document. The error is the event's own: its bytes are not JSON.
func (e *Event) Root() (document.Value, error) {
	if e.doc == nil {
		return e.root, nil
	}
	return e.doc.parse(e.raw)
}

// Raw is the bytes the event came as; nil for an event that a component made.
func (e *Event) Raw() []byte { return e.raw }

// Origin is the event as its source gave it, e itself if nothing made a new one.
func (e *Event) Origin() *Event {
	for e.parent != nil {
		e = e.parent
	}
	return e
}

// Stream is where the event's origin came from.
func (e *Event) Stream() *Stream { return e.stream }

// Offset is the position of the event's origin in its stream.
func (e *Event) Offset() int64 { return e.offset }

// Received is when the origin was read.
func (e *Event) Received() time.Time { return e.received }

// ID names the event: the same whenever the same input is read again.
func (e *Event) ID() string {
	switch {
	case e.id != "":
		return e.id
	case e.parent != nil:
		id := e.parent.ID() + "/" + e.maker
		if e.index >= 0 {
			id += "#" + strconv.Itoa(e.index)
		}
		return id
	default:
		return e.stream.Generation + "@" + strconv.FormatInt(e.offset, 10)
	}
}

// SetID gives a source's event the id that the pipeline wrote for it.
func (e *Event) SetID(id string) { e.id = id }

// Derive is a new event made from e by the component at address, with root as
// its document. index counts the events that the component made of this one,
// -1 if it makes only one.
func (e *Event) Derive(address string, index int, root document.Value) *Event {
	size := int64(Overhead + root.Size())
	if index <= 0 { // it holds e's memory, and is the first to do so
		size += e.size
	}
	return &Event{
		stream: e.stream, offset: e.offset, received: e.received,
		root: root, size: size,
		parent: e, maker: address, index: index,
		tokens: e.tokens, slot: e.slot, slots: e.slots,
	}
}

// Merge is a new event that stands for all of members, which must be at least
// one: it is acknowledged for all of them, for each in the slot that it is in.
// id must depend on the members only.
func Merge(members []*Event, id string, root document.Value) *Event {
	first := members[0]
	m := &Event{
		stream: first.stream, offset: first.offset, received: first.received,
		root: root, size: int64(Overhead + root.Size()),
		id: id, slot: first.slot,
	}
	for _, e := range members {
		for i, t := range e.tokens {
			slot := e.slotOf(i)
			m.tokens, m.slots = append(m.tokens, t), append(m.slots, slot)
			if slot < 0 {
				m.slot = -1
			}
		}
	}
	if !slices.ContainsFunc(m.slots, func(slot int) bool { return slot != m.slot }) {
		m.slots = nil
	}
	return m
}

// WithFailure is e as its errors output gives it: the document as it entered
// the component, and meta.error.
func (e *Event) WithFailure(f *Failure) *Event {
	k := *e
	k.failure = f
	return &k
}

// WithDelivery is e as a sink's output gives it: the document as it entered
// the sink, and meta.sink.
func (e *Event) WithDelivery(d *Delivery) *Event {
	k := *e
	k.delivery = d
	return &k
}

// Failure is meta.error, nil if e is on no errors output.
func (e *Event) Failure() *Failure { return e.failure }

// Delivery is meta.sink, nil before the first sink.
func (e *Event) Delivery() *Delivery { return e.delivery }

// Size is about what the event occupies, in bytes: with the event it was made from, which lives as long. Of several that
// were made of one, only the first counts that; what they share with it counts twice.
func (e *Event) Size() int64 { return e.size }

// AppendJSON appends the event's document, or its raw bytes where these are
// no document.
func (e *Event) AppendJSON(dst []byte) []byte {
	root, err := e.Root()
	if err != nil {
		return append(dst, e.raw...)
	}
	return root.AppendJSON(dst)
}
