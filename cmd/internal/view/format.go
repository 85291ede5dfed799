package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// count is n with a blank between thousands.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// size is n bytes in three or four characters and a unit.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v /= 1024
		i++
	}
	if i == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// perSecond is a rate of events.
func perSecond(v float64) string {
	switch {
	case v == 0:
		return "0/s"
	case v < 10:
		return fmt.Sprintf("%.1f/s", v)
	default:
		return count(int64(v+0.5)) + "/s"
	}
}

// span is how long something lasts, to the second: 0:05, 1:02:03, 2d 1:00:00.
func span(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 3600:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	default:
		return fmt.Sprintf("%dd %d:%02d:%02d", s/86400, s/3600%24, s/60%60, s%60)
	}
}

// ago is how long t was before now, or "never".
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return span(max(now.Sub(t), 0)) + " ago"
}

// Visible is s in one line and without what a terminal would obey.
func Visible(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return ' '
		case unicode.IsControl(c):
			return utf8.RuneError
		}
		return c
	}, s)
}

// clip cuts s to width characters.
func clip(s string, width int) string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	r := []rune(s)
	return string(r[:width-1]) + "…"
}

// align is rows of cells as lines: the first column to the left, the others,
// numbers, to the right, each as wide as it must be.
func align(rows [][]string) []string {
	widths := map[int]int{}
	for _, cells := range rows {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	lines := make([]string, len(rows))
	for r, cells := range rows {
		line := " "
		for i, c := range cells {
			fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			switch i {
			case 0:
				line += " " + c + fill
			default:
				line += "   " + fill + c
			}
		}
		lines[r] = line
	}
	return lines
}
