package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// report prints Markdown.
type report struct{ out io.Writer }

// machine says where it was measured.
func (r report) machine() {
	cpu, load := "unknown CPU", "unknown"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	fmt.Fprintf(r.out, "%d cores, %s, %s, %s; load at the start %s\n\n", runtime.NumCPU(), cpu, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version(), load)
}

func (r report) note(format string, args ...any) { fmt.Fprintf(r.out, format+"\n\n", args...) }

// table has a line for each contender, with its best and its median speed.
func (r report) table(groups []group, all map[*contender]*series) {
	fmt.Fprintln(r.out, "| who | MB/s best (median) | CPU s per GB | peak resident MiB | delivered |\n| --- | --- | --- | --- | --- |")
	for _, g := range groups {
		var lines []string
		for _, c := range g.contenders {
			switch s := all[c]; {
			case s == nil:
			case c.missing != "":
				lines = append(lines, fmt.Sprintf("| %s | %s | | | |", c.name, c.missing))
			case !s.measured():
				lines = append(lines, fmt.Sprintf("| %s | failed | | | |", c.name))
			default:
				speeds, delivered := s.all((*series).speed), "–"
				if v := s.verdict(); v != nil {
					delivered = v.String()
				}
				lines = append(lines, fmt.Sprintf("| %s | %s (%s) | %s | %.0f | %s |",
					c.name, digits(speeds[len(speeds)-1]), digits(median(speeds)), digits(median(s.all((*series).cpu))), s.peak(), delivered))
			}
		}
		if len(lines) > 0 {
			fmt.Fprintf(r.out, "| *%s* | | | | |\n%s\n", g.job, strings.Join(lines, "\n"))
		}
	}
	fmt.Fprintln(r.out)
}

// ratio is one line of what is to be reached.
type ratio struct {
	what, target string
	turns        []float64 // sorted; none if it could not be measured
	unit         string
}

// ratios prints the median of each, and how far its turns lie apart.
func (r report) ratios(all []ratio) {
	fmt.Fprintln(r.out, "| what | target | median of the turns (least to most) | turns |\n| --- | --- | --- | --- |")
	for _, x := range all {
		value, n := "not measured", len(x.turns)
		if n > 0 {
			value = fmt.Sprintf("%s (%s to %s) %s", digits(median(x.turns)), digits(x.turns[0]), digits(x.turns[n-1]), x.unit)
		}
		fmt.Fprintf(r.out, "| %s | %s | %s | %d |\n", x.what, x.target, value, n)
	}
	fmt.Fprintln(r.out)
}

// digits are three, or all in front of the point.
func digits(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.2f", x)
	}
}
