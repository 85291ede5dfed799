package flow

import (
	"errors"
	"fmt"
	"strings"
)

// splitPath splits a dotted path. A part in double quotes may hold anything, a
// backslash takes the next character as it is: `data."a.b".c`.
func splitPath(text string) ([]string, error) {
	var parts []string
	for rest := text; ; {
		part, after, err := cutPart(rest)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", text, err)
		}
		parts = append(parts, part)
		if after == "" {
			return parts, nil
		}
		if after[0] != '.' {
			return nil, fmt.Errorf("path %q: a dot is missing before %q", text, after)
		}
		rest = after[1:]
	}
}

// cutPart takes the first part off a path.
func cutPart(s string) (part, after string, err error) {
	if !strings.HasPrefix(s, `"`) {
		part, _, _ = strings.Cut(s, ".")
		switch {
		case part == "":
			return "", "", errors.New("a part is empty")
		case strings.Contains(part, `"`):
			return "", "", errors.New("quotes go around a whole part")
		}
		return part, s[len(part):], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", errors.New("a quote is not closed")
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errors.New("a quote is not closed")
}
