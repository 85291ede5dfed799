// Package pattern matches Lua 5.1 patterns with a step budget: gopher-lua's
// own matcher can't be stopped once it runs, and a short pattern can make it
// run for years.
package pattern

import (
	"errors"
	"fmt"
)

// maxCaptures is Lua's own limit.
const maxCaptures = 32

// maxDepth bounds the recursion: each item that can be tried more than one way
// takes a level of the Go stack. Lua's own limit since 5.2.
const maxDepth = 200

// Pattern is a compiled pattern, safe for concurrent use.
type Pattern struct {
	items    []item
	anchored bool // begins with ^
	captures int
}

type op uint8

const (
	single    op = iota // one byte of set
	open                // capture n begins
	position            // capture n is a position
	shut                // capture n ends
	balance             // %bxy
	backward            // %n
	frontier            // %f[set]
	end                 // $
	matchHere           // behind the last item
)

type item struct {
	op    op
	quant byte // of single: 0, '*', '+', '-', '?'
	x, y  byte // of balance
	n     int  // capture
	set   set
}

// set is a set of bytes.
type set [4]uint64

func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *set) addRange(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

func (s *set) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// join adds what o has.
func (s *set) join(o set) {
	for i := range s {
		s[i] |= o[i]
	}
}

// class is what %c stands for: a class of characters for a letter that names
// one, the character itself otherwise.
func class(c byte) (s set) {
	switch c | 0x20 {
	case 'a':
		s.addRange('a', 'z')
		s.addRange('A', 'Z')
	case 'c':
		s.addRange(0, 0x1f)
		s.add(0x7f)
	case 'd':
		s.addRange('0', '9')
	case 'l':
		s.addRange('a', 'z')
	case 'p':
		s.addRange(0x21, 0x2f)
		s.addRange(0x3a, 0x40)
		s.addRange(0x5b, 0x60)
		s.addRange(0x7b, 0x7e)
	case 's':
		s.addRange('\t', '\r')
		s.add(' ')
	case 'u':
		s.addRange('A', 'Z')
	case 'w':
		s.addRange('0', '9')
		s.addRange('a', 'z')
		s.addRange('A', 'Z')
	case 'x':
		s.addRange('0', '9')
		s.addRange('a', 'f')
		s.addRange('A', 'F')
	case 'z':
		s.add(0)
	default:
		s.add(c)
		return s
	}
	if c <= 'Z' {
		s.invert()
	}
	return s
}

// The errors of Compile.
var (
	errEscape   = errors.New("malformed pattern (ends with '%')")
	errBracket  = errors.New("malformed pattern (missing ']')")
	errBalance  = errors.New("malformed pattern (missing arguments to '%b')")
	errFrontier = errors.New("malformed pattern (missing '[' after '%f')")
	errCaptures = errors.New("malformed pattern (too many captures)")
	errClose    = errors.New("malformed pattern (')' without '(')")
	errOpen     = errors.New("malformed pattern (unfinished capture)")
)

// Compile reads a pattern. All that is malformed is found here.
func Compile(text string) (*Pattern, error) {
	p := &Pattern{}
	if text != "" && text[0] == '^' {
		p.anchored, text = true, text[1:]
	}
	var opened []int // captures without an end so far
	var done [maxCaptures]bool
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '(':
			if p.captures == maxCaptures {
				return nil, errCaptures
			}
			if i+1 < len(text) && text[i+1] == ')' {
				p.items = append(p.items, item{op: position, n: p.captures})
				done[p.captures] = true
				i += 2
			} else {
				p.items = append(p.items, item{op: open, n: p.captures})
				opened = append(opened, p.captures)
				i++
			}
			p.captures++
		case c == ')':
			if len(opened) == 0 {
				return nil, errClose
			}
			n := opened[len(opened)-1]
			opened = opened[:len(opened)-1]
			done[n] = true
			p.items = append(p.items, item{op: shut, n: n})
			i++
		case c == '$' && i+1 == len(text):
			p.items = append(p.items, item{op: end})
			i++
		case c == '%' && i+1 < len(text) && text[i+1] == 'b':
			if i+3 >= len(text) {
				return nil, errBalance
			}
			p.items = append(p.items, item{op: balance, x: text[i+2], y: text[i+3]})
			i += 4
		case c == '%' && i+1 < len(text) && text[i+1] == 'f':
			if i+2 >= len(text) || text[i+2] != '[' {
				return nil, errFrontier
			}
			s, next, err := readSet(text, i+3)
			if err != nil {
				return nil, err
			}
			p.items = append(p.items, item{op: frontier, set: s})
			i = next
		case c == '%' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9':
			n := int(text[i+1]) - '1'
			if n < 0 || n >= p.captures || !done[n] {
				return nil, fmt.Errorf("invalid capture index %%%c in the pattern", text[i+1])
			}
			p.items = append(p.items, item{op: backward, n: n})
			i += 2
		default:
			s, next, err := readSingle(text, i)
			if err != nil {
				return nil, err
			}
			it := item{op: single, set: s}
			if next < len(text) {
				switch text[next] {
				case '*', '+', '-', '?':
					it.quant = text[next]
					next++
				}
			}
			p.items = append(p.items, it)
			i = next
		}
	}
	if len(opened) > 0 {
		return nil, errOpen
	}
	p.items = append(p.items, item{op: matchHere})
	return p, nil
}

// readSingle reads what stands for one character.
func readSingle(text string, i int) (s set, next int, err error) {
	switch c := text[i]; c {
	case '.':
		s.invert()
		return s, i + 1, nil
	case '%':
		if i+1 == len(text) {
			return s, 0, errEscape
		}
		return class(text[i+1]), i + 2, nil
	case '[':
		return readSet(text, i+1)
	default:
		s.add(c)
		return s, i + 1, nil
	}
}

// readSet reads a set, whose [ is before i.
func readSet(text string, i int) (s set, next int, err error) {
	not := i < len(text) && text[i] == '^'
	if not {
		i++
	}
	for first := true; ; first = false {
		if i >= len(text) {
			return s, 0, errBracket
		}
		switch c := text[i]; {
		case c == ']' && !first:
			if not {
				s.invert()
			}
			return s, i + 1, nil
		case c == '%':
			if i+1 >= len(text) {
				return s, 0, errEscape
			}
			s.join(class(text[i+1]))
			i += 2
		case i+2 < len(text) && text[i+1] == '-' && text[i+2] != ']':
			s.addRange(c, text[i+2])
			i += 3
		default:
			s.add(c)
			i++
		}
	}
}
