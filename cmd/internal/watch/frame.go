package watch

import (
	"fmt"
	"strings"
	"time"
)

// frame is the picture in lines that fit into a terminal of columns and rows, 0: no limit. The last
// column stays free: what a terminal does behind it differs.
func frame(p *picture, o *Options, columns, rows int) []string {
	ink := ink(o.Color)
	room := max(0, columns-1)
	if columns > 0 {
		room = max(1, room)
	}
	lines := []string{title(p, room, ink)}
	lines = append(lines, flow(totals(p), room, ink)...)
	for _, text := range notes(p) {
		lines = append(lines, ink.alarm(cut(Visible(text), room)))
	}
	agents := p.listed(o)
	shown := agents
	if fits := rows - len(lines) - 1; rows > 0 && len(agents) > fits {
		shown = agents[:max(0, fits-1)]
	}
	if len(agents) > 0 {
		lines = append(lines, table(p, shown, room, ink)...)
	}
	if more := len(agents) - len(shown); more > 0 {
		lines = append(lines, cut("… "+number(more)+" more", room))
	}
	if rows > 0 && len(lines) > rows {
		lines = lines[:rows]
	}
	return lines
}

func cut(text string, room int) string {
	if room == 0 {
		return text
	}
	return clip(text, room)
}

// title is where the agents are from, and the time at the right.
func title(p *picture, room int, ink ink) string {
	at := p.at.Format(time.TimeOnly)
	text := "agents of " + Visible(p.from)
	if room == 0 {
		return ink.bold(text) + "  " + p.at.Format(time.RFC3339)
	}
	if room < len(at)+20 {
		return ink.bold(clip(text, room))
	}
	return ink.bold(pad(clip(text, room-len(at)-gap), room-len(at), false)) + at
}

// part is a piece of a line that is not broken.
type part struct {
	text string
	code string // its colour; "": none
}

// totals are the numbers of the whole fleet.
func totals(p *picture) []part {
	all := []part{{number(len(p.agents)) + plural(" agent", len(p.agents)), ""}}
	for _, s := range []Status{Active, Disconnected, NeverConnected, Pending, Unknown} {
		if p.count[s] == 0 && s == Unknown {
			continue
		}
		c := ""
		if p.count[s] > 0 {
			c = colours[s]
		}
		all = append(all, part{number(p.count[s]) + " " + s.String(), c})
	}
	return append(all, part{number(p.recent) + plural(" change", p.recent) + " in the last minute", ""})
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// flow puts parts on as many lines as they need.
func flow(parts []part, room int, ink ink) []string {
	var lines []string
	var b strings.Builder
	taken := 0
	for _, p := range parts {
		text := cut(p.text, room)
		if taken > 0 && room > 0 && taken+gap+cells(text) > room {
			lines = append(lines, b.String())
			b.Reset()
			taken = 0
		}
		if taken > 0 {
			b.WriteString(strings.Repeat(" ", gap))
			taken += gap
		}
		taken += cells(text)
		if p.code != "" {
			text = ink.in(p.code, text)
		}
		b.WriteString(text)
	}
	return append(lines, b.String())
}

// mostManagers is how many managers have a line for what is wrong with them.
const mostManagers = 5

// notes are what one should know of the picture.
func notes(p *picture) []string {
	var all []string
	if p.trouble != nil {
		all = append(all, "nothing new comes: "+p.trouble.Error())
	}
	if p.note != "" {
		all = append(all, p.note)
	}
	if len(p.agents) == 0 && !p.complete && p.trouble == nil {
		all = append(all, "no data yet")
	}
	told := 0
	for _, m := range p.managers {
		text := m.wrong(p.at)
		if text == "" {
			continue
		}
		if told++; told <= mostManagers {
			all = append(all, "manager "+short(m.name)+": "+text)
		}
	}
	if told > mostManagers {
		all = append(all, fmt.Sprintf("%d more managers with something wrong", told-mostManagers))
	}
	if p.stale > 0 {
		all = append(all, number(p.stale)+plural(" agent", p.stale)+" may have changed since: status with a ?")
	}
	for _, c := range []struct {
		n    int
		what string
	}{
		{p.counts.malformed, "that made no sense"},
		{p.counts.encrypted, "that no --key opens, encrypted"},
		{p.counts.unverified, "that no --key has signed"},
	} {
		if c.n > 0 {
			all = append(all, number(c.n)+plural(" message", c.n)+" "+c.what)
		}
	}
	return all
}

// wrong is what is wrong with a manager at a time; "": nothing.
func (m node) wrong(now time.Time) string {
	var parts []string
	if m.trouble != "" {
		parts = append(parts, m.trouble)
	}
	if m.stale {
		parts = append(parts, "last heard of "+age(m.heard, now)+" ago")
	}
	if m.lacking > 0 {
		parts = append(parts, number(m.lacking)+" of its agents are not known yet")
	}
	return strings.Join(parts, "; ")
}
