package document

import (
	"strconv"
)

// SyntaxError says where and why bytes are not one JSON document.
type SyntaxError struct {
	Offset int // in bytes, from the start of the document
	Reason string
}

func (e *SyntaxError) Error() string {
	return "invalid JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.Reason
}

const noParent = ^uint32(0)

// parse builds d.nodes from d.raw. It does not recurse: an open container
// remembers its parent in its next, which its end overwrites.
func (d *Document) parse() error {
	raw := d.raw
	if len(raw) > maxBytes {
		return &SyntaxError{Offset: maxBytes, Reason: "the document is larger than 4 GiB"}
	}
	var (
		nodes  = d.nodes
		parent = noParent
		depth  = 0
		member = false // inside an object: a name comes first
		pos    = skipBlanks(raw, 0)
	)
	for {
		n := node{next: uint32(len(nodes)) + 1}
		if member {
			if pos >= len(raw) || raw[pos] != '"' {
				return unexpected(raw, pos, "a member's name in double quotes")
			}
			end, f, err := scanString(raw, pos+1)
			if err != nil {
				return err
			}
			n.name, n.nameLen, n.flags = uint32(pos+1), uint32(end-pos-1), f*(nameEscaped/escaped)
			if pos = end + 2; pos >= len(raw) || raw[pos-1] != ':' || raw[pos] <= ' ' {
				if pos, err = d.scanColon(raw, end+1); err != nil {
					return err
				}
			}
		}
		if pos >= len(raw) {
			return unexpected(raw, pos, "a value")
		}
		n.start = uint32(pos)
		switch c := raw[pos]; {
		case c == '"':
			end, f, err := scanString(raw, pos+1)
			if err != nil {
				return err
			}
			n.kind, pos = Text, end+1
			n.flags |= f
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return &SyntaxError{Offset: pos, Reason: "nested deeper than " + strconv.Itoa(maxDepth) + " levels"}
			}
			n.kind, n.next = Object, parent
			closing := c + 2 // '{' to '}', '[' to ']'
			if c == '[' {
				n.kind = Array
			}
			pos = d.skip(raw, pos+1)
			if pos < len(raw) && raw[pos] == closing {
				// Empty: complete already, as a leaf is.
				depth--
				n.next = uint32(len(nodes)) + 1
				pos++
				break
			}
			parent = uint32(len(nodes))
			member = c == '{'
			nodes = append(nodes, n)
			continue
		case c == '-' || c-'0' <= 9:
			end, err := scanNumber(raw, pos)
			if err != nil {
				return err
			}
			n.kind, pos = Number, end
		default:
			var err error
			if n.kind, pos, err = scanWord(raw, pos); err != nil {
				return err
			}
			if c == 't' {
				n.flags |= truth
			}
		}
		n.end = uint32(pos)
		nodes = append(nodes, n)
		marks := n.flags
		if marks&(repair|nameRepair) != 0 {
			d.broken = true
		}

		// A value is complete: close what it closes, up to the next one.
		for {
			if parent == noParent {
				if end := skipBlanks(raw, pos); end < len(raw) {
					return unexpected(raw, end, "the end of the document")
				}
				d.nodes = nodes
				return nil
			}
			open := &nodes[parent]
			open.count++
			if marks&(repair|nameRepair) != 0 {
				open.flags |= repair
			}
			if pos >= len(raw) || raw[pos] <= ' ' {
				pos = d.skip(raw, pos)
			}
			if pos < len(raw) && raw[pos] == ',' {
				pos = d.skip(raw, pos+1)
				break
			}
			if member {
				if pos >= len(raw) || raw[pos] != '}' {
					return unexpected(raw, pos, "',' or '}' after a member")
				}
				if open.count > 1 {
					d.hideDuplicates(nodes, parent)
				}
			} else if pos >= len(raw) || raw[pos] != ']' {
				return unexpected(raw, pos, "',' or ']' after an element")
			}
			pos++
			depth--
			marks = open.flags
			open.end = uint32(pos)
			parent, open.next = open.next, uint32(len(nodes))
			member = parent != noParent && nodes[parent].kind == Object
		}
	}
}

// scanColon is where the value starts behind a member's name, with blanks or without.
func (d *Document) scanColon(raw []byte, pos int) (int, error) {
	if pos >= len(raw) || raw[pos] != ':' {
		pos = d.skip(raw, pos)
	}
	if pos >= len(raw) || raw[pos] != ':' {
		return 0, unexpected(raw, pos, "':' after a member's name")
	}
	return d.skip(raw, pos+1), nil
}

// skip is skipBlanks between tokens: it notes that there are some.
func (d *Document) skip(raw []byte, pos int) int {
	if pos < len(raw) && raw[pos] > ' ' {
		return pos
	}
	end := skipBlanks(raw, pos)
	d.blanks = d.blanks || end > pos
	return end
}

func skipBlanks(raw []byte, pos int) int {
	for pos < len(raw) && (raw[pos] == ' ' || raw[pos] == '\n' || raw[pos] == '\r' || raw[pos] == '\t') {
		pos++
	}
	return pos
}

func unexpected(raw []byte, pos int, wanted string) *SyntaxError {
	if pos >= len(raw) {
		return &SyntaxError{Offset: len(raw), Reason: "the document ends where " + wanted + " is expected"}
	}
	return &SyntaxError{Offset: pos, Reason: "found " + strconv.QuoteRune(rune(raw[pos])) + " where " + wanted + " is expected"}
}
