package graph

import (
	"math"

	"github.com/wazuh-etl/etl/runtime/component"
)

// skips says which sinks have events of a lot already, from before a restart:
// by slot, the offset before which they do. Nil: none.
type skips []int64

func (s skips) has(slot int, offset int64) bool {
	return slot < len(s) && offset < s[slot]
}

// with is s with slot skipping up to offset; n is the number of slots.
func (s skips) with(slot int, offset int64, n int) skips {
	if s == nil {
		s = make(skips, n)
	}
	s[slot] = offset
	return s
}

// held says which slots stay where they are when a lot up to position is
// through: they are further already.
func (s skips) held(position component.Position) []bool {
	var held []bool
	for slot, offset := range s {
		if offset > position.Offset {
			if held == nil {
				held = make([]bool, len(s))
			}
			held[slot] = true
		}
	}
	return held
}

// skipping follows one slot's position while its source reads again what
// other sinks still need. It sees the lots in order.
type skipping struct {
	position component.Position
	reached  bool // the position's generation has been seen
}

// before is the offset in a lot of generation, before which the slot has
// everything; over says that nothing will be skipped any more.
func (s *skipping) before(generation string) (offset int64, over bool) {
	if generation == s.position.Generation {
		s.reached = true
		return s.position.Offset, false
	}
	if s.reached {
		return 0, true
	}
	return math.MaxInt64, false
}
