package sieve

import "encoding/binary"

// finder finds every occurrence of some texts. It looks at few bytes (a piece)
// at every step-th place only, so far apart that each occurrence has a piece of its
// text at exactly one of these places, and looks closer where the piece is one that some
// text has. The table of such pieces fits into the processor's first cache, and no look
// depends on the one before: it takes the same time for one text as for hundreds.
type finder struct {
	texts []string
	step  int
	mask  uint32           // of the bytes of a piece
	kind  [tableSize]uint8 // by hash of a piece: 0, or which of spots it may be
	spots [maxKinds][]spot // where in which text
}

// spot is a piece's place in a text.
type spot struct{ text, offset int }

const (
	tableBits = 13
	tableSize = 1 << tableBits
	maxKinds  = 256

	shortPiece = Shortest
	longPiece  = 4
	// manyTexts is from where on short pieces would be found everywhere.
	manyTexts = 16
)

func newFinder(texts []string) *finder {
	f := &finder{texts: texts}
	if len(texts) == 0 {
		return f
	}
	least := len(texts[0])
	for _, t := range texts {
		least = min(least, len(t))
	}
	size := shortPiece
	if len(texts) > manyTexts && least > longPiece {
		size = longPiece
	}
	f.step = least - size + 1
	f.mask = uint32(1<<(8*size) - 1)
	kinds := 0
	for offset := f.step - 1; offset >= 0; offset-- { // so that what begins first is found first
		for text, t := range texts {
			k := &f.kind[hash(load([]byte(t[offset:]))&f.mask)]
			if *k == 0 {
				*k = uint8(1 + kinds%(maxKinds-1))
				kinds++
			}
			f.spots[*k] = append(f.spots[*k], spot{text, offset})
		}
	}
	return f
}

// load is the four bytes that b begins with, zeros for those that it lacks.
func load(b []byte) uint32 {
	if len(b) >= 4 {
		return binary.LittleEndian.Uint32(b)
	}
	var four [4]byte
	copy(four[:], b)
	return binary.LittleEndian.Uint32(four[:])
}

// hash is Fibonacci's: the high bits of a product depend on all of the piece's.
func hash(piece uint32) uint32 { return piece * 0x9e3779b1 >> (32 - tableBits) }

// each calls found for every occurrence of a text.
func (f *finder) each(data []byte, found func(text, at, end int)) {
	if len(f.texts) == 0 {
		return
	}
	// The place is unsigned, and has a length of its own: so the compiler needs no more
	// than one comparison for each, which is a third of the time.
	i, step, mask := uint(0), uint(f.step), f.mask
	for ; i+4 <= uint(len(data)); i += step {
		if k := f.kind[hash(binary.LittleEndian.Uint32(data[i:i+4])&mask)]; k != 0 {
			f.look(data, int(i), k, found)
		}
	}
	for ; i < uint(len(data)); i += step {
		if k := f.kind[hash(load(data[i:])&mask)]; k != 0 {
			f.look(data, int(i), k, found)
		}
	}
}

// look calls found for the texts that have a piece of kind k at data[i:].
func (f *finder) look(data []byte, i int, k uint8, found func(text, at, end int)) {
	for _, s := range f.spots[k] {
		at, t := i-s.offset, f.texts[s.text]
		if at >= 0 && len(data)-at >= len(t) && string(data[at:at+len(t)]) == t {
			found(s.text, at, at+len(t))
		}
	}
}
