package template

import (
	"fmt"
	"strings"
)

// SplitPath splits "agent.id" at dots. A part in single or double quotes may
// hold dots: data."a.b".c
func SplitPath(s string) ([]string, error) {
	var parts []string
	rest := s
	for {
		part, behind, err := nextPart(rest)
		if err != nil {
			return nil, fmt.Errorf("the path %q %w", s, err)
		}
		parts = append(parts, part)
		if behind == "" {
			return parts, nil
		}
		if behind[0] != '.' {
			return nil, fmt.Errorf("the path %q wants a dot behind %q", s, part)
		}
		rest = behind[1:]
	}
}

func nextPart(s string) (part, behind string, err error) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		end := strings.IndexByte(s[1:], s[0])
		if end < 0 {
			return "", "", fmt.Errorf("has a quote that is not closed")
		}
		return s[1 : 1+end], s[end+2:], nil
	}
	end := strings.IndexByte(s, '.')
	if end < 0 {
		end = len(s)
	}
	if end == 0 {
		return "", "", fmt.Errorf("has an empty part")
	}
	if strings.ContainsAny(s[:end], `"'`) {
		return "", "", fmt.Errorf("has a quote inside %q: quotes stand around a whole part", s[:end])
	}
	return s[:end], s[end:], nil
}
