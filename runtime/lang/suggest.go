package lang

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest is the one of names that is most like name, "" if none is like it.
func nearest(name string, names []string) string {
	best, distance := "", max(1, min(3, len(name)/2))+1
	for _, n := range names {
		if n == name {
			continue
		}
		d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(n), nil)
		if d < distance {
			best, distance = n, d
		}
	}
	return best
}

// didYouMean is the suggestion for a misspelt name: the nearest one, else all
// of them if they are few.
func didYouMean(name string, names []string) string {
	if n := nearest(name, names); n != "" {
		return fmt.Sprintf("did you mean `%s`?", n)
	}
	if len(names) > 0 && len(names) <= 16 {
		return "possible: " + strings.Join(names, ", ")
	}
	return ""
}
