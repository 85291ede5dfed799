package watch

import (
	"slices"
	"strings"
	"time"
)

// column is one of the table.
type column struct {
	title string
	least int  // columns of the terminal that it is worth showing with
	keep  int  // those with less go first where there is no room
	right bool // numbers
	text  func(a *agent, now time.Time) string
}

var columns = []column{
	{"ID", 3, 9, false, func(a *agent, _ time.Time) string { return a.id }},
	{"NAME", 10, 7, false, func(a *agent, _ time.Time) string { return a.name }},
	{"IP", 15, 4, false, func(a *agent, _ time.Time) string { return a.ip }},
	{"OS", 7, 2, false, func(a *agent, _ time.Time) string { return a.platform() }},
	{"STATUS", 16, 8, false, func(a *agent, _ time.Time) string { return standing(a) }},
	{"SEEN", 5, 6, true, func(a *agent, now time.Time) string { return age(a.keepalive, now) }},
	{"VERSION", 7, 3, false, func(a *agent, _ time.Time) string { return a.release() }},
	{"NODE", 8, 1, false, func(a *agent, _ time.Time) string { return a.place() }},
}

const statusColumn = 4

// signed is the column that is there when signatures are checked.
var signed = column{"SIGNED", 6, 5, false, func(a *agent, _ time.Time) string {
	if a.proof == verified {
		return "yes"
	}
	return "no"
}}

// standing is an agent's status; a question mark says that it may have changed since.
func standing(a *agent) string {
	if a.stale {
		return a.status.String() + "?"
	}
	return a.status.String()
}

// gap is between two columns.
const gap = 2

// table is the agents' lines with the header in front, of at most room columns; 0: as wide as what stands in
// them, within longest for each.
func table(p *picture, agents []*agent, room int, ink ink) []string {
	shown := slices.Clone(columns)
	if p.checked {
		shown = append(shown, signed)
	}
	rows := make([][]string, len(agents))
	for i, a := range agents {
		for _, c := range shown {
			text := Visible(c.text(a, p.at))
			if text == "" {
				text = "-"
			}
			rows[i] = append(rows[i], text)
		}
	}
	widths := fit(shown, rows, room)
	lines := []string{ink.bold(line(shown, widths, nil, ink.none))}
	for i, row := range rows {
		lines = append(lines, line(shown, widths, row, func(text string) string { return ink.status(agents[i], text) }))
	}
	return lines
}

// line is a row, or the titles; paint colours the status.
func line(shown []column, widths []int, row []string, paint func(string) string) string {
	var b strings.Builder
	blanks := 0
	for i, c := range shown {
		if widths[i] == 0 {
			continue
		}
		text := c.title
		if row != nil {
			text = row[i]
		}
		text = clip(text, widths[i])
		before := 0
		if c.right {
			before = widths[i] - cells(text)
		}
		b.WriteString(strings.Repeat(" ", blanks+before))
		blanks = widths[i] - cells(text) - before + gap
		if i == statusColumn {
			text = paint(text)
		}
		b.WriteString(text)
	}
	return b.String()
}

// fit is how wide each column is; 0: there is no room for it.
func fit(shown []column, rows [][]string, room int) []int {
	natural, widths := make([]int, len(shown)), make([]int, len(shown))
	for i, c := range shown {
		natural[i] = len(c.title)
		for _, row := range rows {
			natural[i] = max(natural[i], cells(row[i]))
		}
	}
	if room == 0 {
		for i := range natural {
			natural[i] = min(natural[i], longest)
		}
		return natural
	}
	order := make([]int, len(shown)) // what is kept longest comes first
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return shown[j].keep - shown[i].keep })
	left := room + gap
	for _, i := range order {
		least := min(natural[i], max(shown[i].least, len(shown[i].title)))
		if left < least+gap {
			if i != order[0] {
				break
			}
			least = max(1, left-gap)
		}
		widths[i] = least
		left -= least + gap
	}
	for left > 0 { // the narrowest that lacks something gets more
		narrowest := -1
		for i, w := range widths {
			if w > 0 && w < natural[i] && (narrowest < 0 || w < widths[narrowest]) {
				narrowest = i
			}
		}
		if narrowest < 0 {
			break
		}
		widths[narrowest]++
		left--
	}
	return widths
}
