package document

import (
	"unsafe"
)

// Document is one parsed JSON document: the raw bytes and an index over them.
// The zero Document is empty: its Root is Missing.
type Document struct {
	raw    []byte
	nodes  []node   // in the order written; 0 is the root
	table  []uint32 // scratch of hideDuplicates for large objects
	broken bool     // some text or name holds what reads as U+FFFD
	blanks bool     // there is white space between tokens
}

// node is one value of a document. A container's children follow it; a node's
// next sibling is at next.
type node struct {
	start, end uint32 // its bytes in raw, quotes and brackets included
	next       uint32 // index of the node after its subtree (while parsing: of its parent)
	count      uint32 // of a container: its visible children
	name       uint32 // of a member: where its name starts in raw, after the quote
	nameLen    uint32 // of a member: its name's bytes in raw, still escaped
	kind       Kind
	flags      flags
}

type flags uint8

const (
	escaped     flags = 1 << iota // a text with escapes
	repair                        // a text or a container whose raw bytes can't be copied as they are
	nameEscaped                   // the member's name has escapes
	nameRepair                    // the member's name holds what reads as U+FFFD
	hidden                        // a member that a later one of the same name replaces
	truth                         // the boolean true
)

// maxDepth bounds how deep a document nests (as encoding/json does), so that
// whoever walks one may recurse.
const maxDepth = 10_000

// maxBytes is what offsets of 32 bits can point into.
const maxBytes = 1<<32 - 1

// keepNodes is how large an index may stay for documents that need less: one
// huge document must not hold its memory for the rest of the run.
const keepNodes = 1 << 16

// Parse indexes raw, which must be one JSON value with optional white space
// around it. raw must not change while the document or a Value of it lives.
// The error is a *SyntaxError.
func Parse(raw []byte) (*Document, error) {
	d := &Document{nodes: make([]node, 0, 8+len(raw)/32)}
	if err := d.Reset(raw); err != nil {
		return nil, err
	}
	return d, nil
}

// Reset makes d the document of raw, reusing d's memory: Values taken from d
// before must not be used any more. On error, a *SyntaxError, d is empty.
func (d *Document) Reset(raw []byte) error {
	if cap(d.nodes) > keepNodes && len(raw) < keepNodes {
		d.nodes, d.table = nil, nil
	}
	d.raw, d.nodes, d.broken, d.blanks = raw, d.nodes[:0], false, false
	if err := d.parse(); err != nil {
		d.raw, d.nodes = nil, d.nodes[:0]
		return err
	}
	d.raw = raw[:len(raw):len(raw)]
	return nil
}

// Slab is memory for the index of documents that are copied: many share one
// allocation, which lives as long as one of them. The zero Slab is ready for use.
type Slab struct{ nodes []node }

// slabNodes is how many nodes are allocated together, 28 KB of them. Few, since one
// document keeps the memory of all.
const slabNodes = 1 << 10

// CopyTo makes c the same document over raw, which must hold the same bytes as
// d was parsed from: it stays good when d is reset and d's bytes are gone.
func (d *Document) CopyTo(c *Document, raw []byte, slab *Slab) {
	if cap(slab.nodes)-len(slab.nodes) < len(d.nodes) {
		slab.nodes = make([]node, 0, max(slabNodes, len(d.nodes)))
	}
	at := len(slab.nodes)
	slab.nodes = append(slab.nodes, d.nodes...)
	*c = Document{raw: raw[:len(raw):len(raw)], nodes: slab.nodes[at:len(slab.nodes):len(slab.nodes)], broken: d.broken, blanks: d.blanks}
}

// IndexSize is what d holds beside its bytes, in bytes.
func (d *Document) IndexSize() int { return len(d.nodes) * int(unsafe.Sizeof(node{})) }

// Root is the whole document.
func (d *Document) Root() Value {
	if len(d.nodes) == 0 {
		return Value{}
	}
	return d.value(0)
}

// Raw is the bytes d was parsed from, trimmed.
func (d *Document) Raw() []byte {
	if len(d.nodes) == 0 {
		return nil
	}
	return d.bytes(&d.nodes[0])
}

// Repairs counts what reads as U+FFFD: invalid bytes and lone surrogates.
func (d *Document) Repairs() int {
	if !d.broken {
		return 0
	}
	count := 0
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.flags&nameRepair != 0 {
			count += countRepairs(d.rawName(n))
		}
		if n.flags&repair != 0 && n.kind == Text {
			count += countRepairs(d.inside(n))
		}
	}
	return count
}

// value is the value of node i. Constants need no document behind them.
func (d *Document) value(i uint32) Value {
	n := &d.nodes[i]
	switch n.kind {
	case Null:
		return Value{kind: Null}
	case Bool:
		return NewBool(n.flags&truth != 0)
	default:
		return Value{at: unsafe.Pointer(d), bits: uint64(i), kind: n.kind, form: indexed}
	}
}

// bytes are n's bytes as they came.
func (d *Document) bytes(n *node) []byte { return d.raw[n.start:n.end:n.end] }

// inside are the bytes between n's quotes or brackets.
func (d *Document) inside(n *node) []byte { return d.raw[n.start+1 : n.end-1 : n.end-1] }

// rawName are the bytes of a member's name, still escaped.
func (d *Document) rawName(n *node) []byte {
	return d.raw[n.name : n.name+n.nameLen : n.name+n.nameLen]
}

// nameOf is a member's name.
func (d *Document) nameOf(n *node) string {
	raw := d.rawName(n)
	if n.flags&(nameEscaped|nameRepair) != 0 {
		return decoded(raw)
	}
	return alias(raw)
}

// isNamed reports whether a member's name is name.
func (d *Document) isNamed(n *node, name string) bool {
	raw := d.rawName(n)
	if n.flags&(nameEscaped|nameRepair) == 0 {
		return string(raw) == name
	}
	var buffer [128]byte
	return string(appendDecoded(buffer[:0], raw)) == name
}
