package sieve

import "github.com/wazuh-etl/etl/runtime/component"

// Sieve looks for the needs of many conditions at once. It does not change.
type Sieve struct {
	conditions int
	finder     *finder
	clues      []clue // by the number of the finder's text
}

// clue is what the occurrence of a text says.
type clue struct {
	met     []int            // conditions that it is enough for
	byValue map[string][]int // conditions that ask for a member's value, too
	ranges  []conditionRange // conditions that ask for it to be a number
	longest int              // of what is asked for, in bytes
}

type conditionRange struct {
	Range
	condition int
}

// New is a Sieve for conditions with these needs, by number. Of a condition
// whose need is nil it says nothing.
func New(needs []Need) *Sieve {
	s := &Sieve{conditions: len(needs)}
	number := map[string]int{}
	var texts []string
	for condition, need := range needs {
		for _, c := range need {
			n, known := number[c.Text]
			if !known {
				n = len(texts)
				number[c.Text] = n
				texts, s.clues = append(texts, c.Text), append(s.clues, clue{byValue: map[string][]int{}})
			}
			k := &s.clues[n]
			switch {
			case c.Range != nil:
				k.ranges = append(k.ranges, conditionRange{*c.Range, condition})
				k.longest = max(k.longest, longestNumber)
			case len(c.Values) == 0:
				k.met = append(k.met, condition)
			}
			for _, v := range c.Values {
				k.byValue[v] = append(k.byValue[v], condition)
				k.longest = max(k.longest, len(v))
			}
		}
	}
	s.finder = newFinder(texts)
	return s
}

// Sift says of each line which conditions can be true for it: those whose need
// is Met. found is the memory of an earlier call.
func (s *Sieve) Sift(data []byte, lines []component.Line, found *Found) {
	found.begin(len(lines), s.conditions)
	if !inOrder(lines) {
		for i, l := range lines {
			line := []component.Line{{End: l.End - l.Start}}
			s.sift(data[l.Start:l.End], line, func(int) Row { return found.Row(i) })
		}
		return
	}
	s.sift(data, lines, found.Row)
}

// inOrder says whether the lines follow each other in their buffer, whatever
// lies between them: they do, but for what a source may think of.
func inOrder(lines []component.Line) bool {
	end := 0
	for i := range lines {
		if lines[i].Start < end {
			return false
		}
		end = lines[i].End
	}
	return true
}

func (s *Sieve) sift(data []byte, lines []component.Line, row func(line int) Row) {
	for i := range lines {
		if escapes(data[lines[i].Start:lines[i].End]) {
			row(i).all()
		}
	}
	i := 0
	s.finder.each(data, func(text, at, end int) {
		for i < len(lines) && lines[i].End <= at {
			i++
		}
		if i < len(lines) && lines[i].Start <= at && end <= lines[i].End {
			s.clues[text].mark(row(i), data[end:lines[i].End])
		}
	})
}

// mark marks the conditions that are met by a text in front of rest.
func (c *clue) mark(row Row, rest []byte) {
	for _, condition := range c.met {
		row.mark(condition)
	}
	if c.longest == 0 {
		return
	}
	v := value(rest, c.longest)
	for _, condition := range c.byValue[string(v)] {
		row.mark(condition)
	}
	if len(c.ranges) == 0 {
		return
	}
	if n, ok := number(v); ok {
		for _, r := range c.ranges {
			if r.Has(n) {
				row.mark(r.condition)
			}
		}
	}
}

// Found says of each line which conditions can be true for it.
type Found struct {
	words int // for each line
	bits  []uint64
}

func (f *Found) begin(lines, conditions int) {
	f.words = (conditions + 63) / 64
	if n := lines * f.words; n > cap(f.bits) {
		f.bits = make([]uint64, n)
	} else {
		f.bits = f.bits[:n]
		clear(f.bits)
	}
}

// Row is the conditions that can be true for a line.
func (f *Found) Row(line int) Row { return f.bits[line*f.words : (line+1)*f.words] }

// Row is a set of conditions.
type Row []uint64

func (r Row) mark(condition int) { r[condition/64] |= 1 << (condition % 64) }

func (r Row) all() {
	for i := range r {
		r[i] = ^uint64(0)
	}
}

// Has says whether the condition can be true.
func (r Row) Has(condition int) bool { return r[condition/64]&(1<<(condition%64)) != 0 }

// None says that no condition can be true.
func (r Row) None() bool {
	for _, w := range r {
		if w != 0 {
			return false
		}
	}
	return true
}
