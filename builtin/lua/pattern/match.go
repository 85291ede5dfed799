package pattern

import (
	"errors"
	"strings"
)

// Match is where a pattern matched.
type Match struct {
	Start, End int // of the whole
	Captures   []Capture
}

// Capture is one capture: a part of the text, or a position in it (End is -1
// then, and Start counts from 0).
type Capture struct{ Start, End int }

// Text is capture c of text.
func (c Capture) Text(text string) string { return text[c.Start:c.End] }

// IsPosition says that c is a position and no text.
func (c Capture) IsPosition() bool { return c.End < 0 }

// Matcher runs patterns. Spend is called every few hundred steps with their
// number; an error from it ends the match.
type Matcher struct {
	Spend func(steps int) error

	text     string
	items    []item
	captures [maxCaptures]Capture
	depth    int
	steps    int
	err      error
}

// ErrTooComplex is the error of a pattern with too many repeated parts.
var ErrTooComplex = errors.New("pattern too complex")

// stepsAtOnce is how many steps go by between two calls of Spend.
const stepsAtOnce = 256

// Find is the first match at or behind start. The Captures of the result are
// the matcher's and change with its next call.
func (m *Matcher) Find(p *Pattern, text string, start int) (found Match, ok bool, err error) {
	m.text, m.items, m.depth, m.err = text, p.items, 0, nil
	for at := start; at <= len(text); at++ {
		stop := m.match(at, 0)
		if m.err != nil {
			return Match{}, false, m.err
		}
		if stop >= 0 {
			return Match{Start: at, End: stop, Captures: m.captures[:p.captures]}, true, nil
		}
		if p.anchored {
			break
		}
		if m.step(1); m.err != nil {
			return Match{}, false, m.err
		}
	}
	return Match{}, false, nil
}

// Anchored says that p matches at the start of the text only.
func (p *Pattern) Anchored() bool { return p.anchored }

func (m *Matcher) step(n int) {
	m.steps += n
	if m.steps >= stepsAtOnce {
		steps := m.steps
		m.steps = 0
		if err := m.Spend(steps); err != nil {
			m.err = err
		}
	}
}

// match tries the items from i on at s; it returns where the match ends, or -1.
func (m *Matcher) match(s, i int) int {
	if m.depth++; m.depth > maxDepth {
		m.err = ErrTooComplex
		return -1
	}
	stop := m.run(s, i)
	m.depth--
	return stop
}

func (m *Matcher) run(s, i int) int {
	for {
		if m.step(1); m.err != nil {
			return -1
		}
		it := &m.items[i]
		switch it.op {
		case matchHere:
			return s
		case end:
			if s != len(m.text) {
				return -1
			}
		case single:
			switch it.quant {
			case 0:
				if s >= len(m.text) || !it.set.has(m.text[s]) {
					return -1
				}
				s++
			case '?':
				if s < len(m.text) && it.set.has(m.text[s]) {
					if e := m.match(s+1, i+1); e >= 0 || m.err != nil {
						return e
					}
				}
			case '-':
				return m.fewest(s, i)
			case '+':
				if s >= len(m.text) || !it.set.has(m.text[s]) {
					return -1
				}
				return m.most(s, s+1, i)
			default:
				return m.most(s, s, i)
			}
		case open:
			m.captures[it.n] = Capture{Start: s}
		case position:
			m.captures[it.n] = Capture{Start: s, End: -1}
		case shut:
			m.captures[it.n].End = s
		case balance:
			if s = m.balanced(s, it.x, it.y); s < 0 {
				return -1
			}
		case frontier:
			var before, after byte
			if s > 0 {
				before = m.text[s-1]
			}
			if s < len(m.text) {
				after = m.text[s]
			}
			if it.set.has(before) || !it.set.has(after) {
				return -1
			}
		case backward:
			c := m.captures[it.n]
			if c.IsPosition() { // a position is no text: it matches nothing, as in Lua
				return -1
			}
			part := c.Text(m.text)
			m.step(len(part) / 16)
			if !strings.HasPrefix(m.text[s:], part) {
				return -1
			}
			s += len(part)
		}
		i++
	}
}

// most tries item i as often as it fits, at least up to least, longest first.
func (m *Matcher) most(s, least, i int) int {
	set := &m.items[i].set
	stop := s
	for stop < len(m.text) && set.has(m.text[stop]) {
		stop++
	}
	m.step((stop - s) / 8)
	if m.items[i+1].op == matchHere {
		return stop
	}
	for ; stop >= least; stop-- {
		if e := m.match(stop, i+1); e >= 0 || m.err != nil {
			return e
		}
	}
	return -1
}

// fewest tries item i as seldom as it fits.
func (m *Matcher) fewest(s, i int) int {
	set := &m.items[i].set
	for {
		if e := m.match(s, i+1); e >= 0 || m.err != nil {
			return e
		}
		if s >= len(m.text) || !set.has(m.text[s]) {
			return -1
		}
		s++
	}
}

// balanced is the end of the balanced part that begins at s, or -1.
func (m *Matcher) balanced(s int, x, y byte) int {
	if s >= len(m.text) || m.text[s] != x {
		return -1
	}
	for level, at := 1, s+1; at < len(m.text); at++ {
		switch m.text[at] {
		case y:
			if level--; level == 0 {
				m.step((at - s) / 8)
				return at + 1
			}
		case x:
			level++
		}
	}
	m.step((len(m.text) - s) / 8)
	return -1
}
