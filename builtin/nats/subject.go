package nats

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wazuh-etl/etl/runtime/component"
)

// longestSubject keeps the line that announces a message well below the 4 KiB
// that a server takes before it hangs up.
const longestSubject = 1024

// pattern is what a template may give as a subject: a token with a hole is *.
func pattern(t component.Template) string {
	const hole = "*"
	if subject, ok := t.Constant(); ok {
		return subject
	}
	tokens := strings.Split(component.Pattern(t, hole), ".")
	for i, token := range tokens {
		if strings.Contains(token, hole) {
			tokens[i] = hole
		}
	}
	return strings.Join(tokens, ".")
}

// disjoint makes patterns such that one stream can have them all, which no two do
// that take the same subject: those become one that takes both's.
func disjoint(patterns []string) (all []string) {
	for _, p := range patterns {
		for i := 0; i < len(all); {
			if both, overlap := union(all[i], p); overlap {
				p, all, i = both, slices.Delete(all, i, i+1), 0
				continue
			}
			i++
		}
		all = append(all, p)
	}
	return all
}

// union is the pattern that takes what a takes and what b does; overlap says whether there is a
// subject that both take.
func union(a, b string) (both string, overlap bool) {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	if len(x) != len(y) {
		return "", false
	}
	for i := range x {
		if x[i] != y[i] {
			if x[i] != "*" && y[i] != "*" {
				return "", false
			}
			x[i] = "*"
		}
	}
	return strings.Join(x, "."), true
}

// checkSubject says why nobody can publish to subject, nil if one can.
func checkSubject(subject string) error {
	switch {
	case subject == "":
		return fmt.Errorf("the subject is empty")
	case len(subject) > longestSubject:
		return fmt.Errorf("the subject has %d bytes, at most %d are possible", len(subject), longestSubject)
	case !utf8.ValidString(subject):
		return fmt.Errorf("the subject %q is not UTF-8", subject)
	case strings.ContainsFunc(subject, func(r rune) bool { return r <= ' ' || r == 0x7F }):
		return fmt.Errorf("the subject %q has a blank or control character in it", subject)
	}
	for token := range strings.SplitSeq(subject, ".") {
		switch token {
		case "":
			return fmt.Errorf("the subject %q has an empty part between its dots", subject)
		case "*", ">":
			return fmt.Errorf("the subject %q has a wildcard in it", subject)
		}
	}
	if top, _, _ := strings.Cut(subject, "."); top == "$JS" || top == "$SYS" {
		return fmt.Errorf("the subject %q is the server's own", subject)
	}
	return nil
}
