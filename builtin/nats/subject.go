package nats

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// longestSubject keeps the line that announces a message well below the 4 KiB
// that a server takes before it hangs up.
const longestSubject = 1024

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
