package main

import (
	"fmt"
	"strings"
)

// verdict is what arrived, against what had to.
type verdict struct {
	expected, delivered, missing, unexpected, twice int
}

func (v verdict) ok() bool { return v.missing == 0 && v.unexpected == 0 && v.twice == 0 }

func (v verdict) String() string {
	if v.expected+v.delivered == 0 {
		return "none wanted"
	}
	text := fmt.Sprintf("%d/%d", v.delivered, v.expected)
	var wrong []string
	for _, w := range []struct {
		n    int
		what string
	}{{v.missing, "missing"}, {v.unexpected, "not wanted"}, {v.twice, "twice"}} {
		if w.n > 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	if len(wrong) > 0 {
		text += " (" + strings.Join(wrong, ", ") + ")"
	}
	return text
}

// tally counts alerts by their timestamps, which are unlike one another.
type tally map[string]int

// compare holds what arrived to what had to, each of it rounds times.
func (arrived tally) compare(expected map[string]bool, rounds int) verdict {
	v := verdict{expected: len(expected) * rounds}
	for alert, n := range arrived {
		v.delivered += n
		switch {
		case !expected[alert]:
			v.unexpected += n
		case n > rounds:
			v.twice += n - rounds
		case n < rounds:
			v.missing += rounds - n
		}
	}
	for alert := range expected {
		if arrived[alert] == 0 {
			v.missing += rounds
		}
	}
	return v
}
