package file

import (
	"strconv"
	"testing"
	"time"
)

// Numbered files are shifted by some rotations and counted on by others: their
// times tell.
func TestNumberedFilesAreOrderedByWhatTheirTimesSay(t *testing.T) {
	order := func(age map[int]int) (oldest int) {
		var list []member
		for n, minutes := range age {
			k, o := rotated('.', strconv.Itoa(n))
			list = append(list, member{size: int64(n), kind: k, order: o, modified: time.Unix(0, 0).Add(-time.Duration(minutes) * time.Minute)})
		}
		upwards(list)
		first := list[0]
		for _, m := range list {
			if m.compare(first) < 0 {
				first = m
			}
		}
		return int(first.size)
	}
	if got := order(map[int]int{1: 10, 2: 20, 3: 30}); got != 3 {
		t.Errorf("shifted: the oldest is .%d, want .3", got)
	}
	if got := order(map[int]int{1: 30, 2: 20, 12: 10}); got != 1 {
		t.Errorf("counted on: the oldest is .%d, want .1", got)
	}
	if got := order(map[int]int{1: 10, 2: 10}); got != 2 {
		t.Errorf("times that say nothing: the oldest is .%d, want .2", got)
	}
}
