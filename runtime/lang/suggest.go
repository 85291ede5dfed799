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
		d := edits(strings.ToLower(name), strings.ToLower(n))
		if d < distance {
			best, distance = n, d
		}
	}
	return best
}

// edits counts what is to be changed, two letters in the wrong order as one.
func edits(a, b string) int {
	if len(a) == len(b) {
		for i := 0; i+1 < len(a); i++ {
			if a[i] != b[i] {
				if a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
					return 1
				}
				break
			}
		}
	}
	return levenshtein.Distance(a, b, nil)
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

// orElse suggests one of names, or what is like it but of another sort.
func orElse(other, name string, names []string) string {
	if nearest(name, names) == "" && other != "" {
		return didYouMean(name, []string{other})
	}
	return didYouMean(name, names)
}
