package event

import (
	"sync"
	"sync/atomic"

	"github.com/wazuh-etl/etl/runtime/document"
)

// lazy is a document that is parsed when the first of an event's copies looks
// inside. It is safe for concurrent use but for reset and copyTo.
type lazy struct {
	mu   sync.Mutex
	done atomic.Bool // doc, root and err are set for good
	doc  document.Document
	root document.Value
	err  error
}

func (l *lazy) parse(raw []byte) (document.Value, error) {
	if l.done.Load() {
		return l.root, l.err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done.Load() {
		return l.root, l.err
	}
	if err := l.doc.Reset(raw); err != nil {
		l.err = &Failure{Code: CodeNotJSON, Message: "not JSON: " + err.Error()}
	} else {
		l.root = l.doc.Root()
	}
	l.done.Store(true)
	return l.root, l.err
}

// reset forgets the document but for its memory.
func (l *lazy) reset(broken *Failure) {
	l.root, l.err = document.Value{}, nil
	if broken != nil {
		l.err = broken
	}
	l.done.Store(broken != nil)
}

// copyTo makes c l for the same bytes in raw; size is what its index holds, in bytes.
func (l *lazy) copyTo(c *lazy, raw []byte, slab *document.Slab) (size int64) {
	if !l.done.Load() {
		return 0
	}
	if c.err = l.err; c.err == nil {
		l.doc.CopyTo(&c.doc, raw, slab)
		c.root = c.doc.Root()
		size = int64(c.doc.IndexSize())
	}
	c.done.Store(true)
	return size
}
