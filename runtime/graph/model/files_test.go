package model

// form is what became of a generation of the file.
type form uint8

const (
	live        form = iota + 1 // the file at the path
	rotated                     // renamed, or under its hard link
	compressing                 // beside a .gz that is not whole
	compressed                  // .gz only
	copied                      // a copy; the file at the path was truncated
	deleted
)

const maxGenerations = 3

// generation is one generation of the file.
type generation struct {
	form   form
	base   uint8 // lines written before its first
	length uint8 // whole lines in it
}

// files is what the writer and the rotation have made.
type files struct {
	list    [maxGenerations + 1]generation // from 1
	last    uint8                          // the current one
	writing uint8                          // the one that the writer has open
	written uint8                          // lines, in all
	half    bool                           // a line has been begun
	copy    uint8                          // lines in a copy that is made, +1; 0: none
	gone    bitset                         // lines that are in no file any more
}

// unwritten is the base of a generation that the writer has not come to.
const unwritten = 15

func newFiles(lines uint8) files {
	f := files{last: 1, writing: 1, written: lines}
	f.list[1] = generation{live, 0, lines}
	return f
}

// line is the number of the line at p, 0 if there is none.
func (f *files) line(p position) int {
	g := f.list[p.generation()]
	if p.offset() >= g.length {
		return 0
	}
	return int(g.base + p.offset() + 1)
}

// before is the lines before p.
func (f *files) before(p position) bitset {
	if p == 0 {
		return 0
	}
	g := f.list[p.generation()]
	if g.base == unwritten {
		return upTo(int(f.written))
	}
	n := g.base + p.offset()
	if p.generation() < f.last {
		if next := f.list[p.generation()+1].base; next < n {
			n = next
		}
	}
	return upTo(int(min(n, f.written)))
}

// of is the lines of generation g.
func (f *files) of(g uint8) bitset {
	return upTo(int(f.list[g].base+f.list[g].length)) &^ upTo(int(f.list[g].base))
}

// more says whether the writer has gone on behind generation g, as source "file" tells:
// there is something in the next one, or another one behind it.
func (f *files) more(g uint8) bool {
	return g+1 < f.last || g+1 == f.last && f.list[g+1].length > 0
}

// world is what the writer does, and who rotates.
func (m *model) world(s *state, then func(step, state)) {
	f := &s.files
	if int(f.written) < m.lines {
		n := *s
		if m.halves && !f.half {
			n.files.half = true
			then(step{beginsLine, f.written + 1}, n)
		} else {
			n.files.half = false
			n.files.written++
			n.files.list[f.writing].length++
			then(step{writes, f.written + 1}, n)
		}
	}
	current := f.list[f.last]
	if f.writing < f.last && !f.half {
		n := *s
		n.files.writing = f.last
		n.files.list[f.last].base = f.written
		then(step{goesOn, f.last}, n)
	}
	if f.last < m.generations && current.length > 0 && f.writing == f.last {
		n := *s
		switch {
		case !m.copies:
			n.files.list[f.last].form = rotated
			n.files.last++
			n.files.list[n.files.last] = generation{live, unwritten, 0}
			then(step{renames, f.last}, n)
		case f.copy == 0:
			n.files.copy = current.length + 1
			then(step{copies, f.last}, n)
		case !f.half:
			kept := f.copy - 1
			n.files.gone |= f.of(f.last) &^ upTo(int(current.base+kept))
			n.files.list[f.last] = generation{copied, current.base, kept}
			n.files.copy = 0
			n.files.last++
			n.files.writing++
			n.files.list[n.files.last] = generation{live, f.written, 0}
			then(step{truncates, f.last}, n)
		}
	}
	for g := uint8(1); g < f.writing; g++ {
		n := *s
		switch form := f.list[g].form; {
		case m.compress && form == rotated:
			n.files.list[g].form = compressing
			then(step{compresses, g}, n)
		case m.compress && form == compressing:
			n.files.list[g].form = compressed
			then(step{hasCompressed, g}, n)
		case m.deletes && form == rotated && (g == 1 || f.list[g-1].form == deleted):
			n.files.list[g].form = deleted
			n.files.gone |= f.of(g)
			then(step{deletes, g}, n)
		}
	}
}
