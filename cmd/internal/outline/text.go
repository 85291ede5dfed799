package outline

import (
	"fmt"
	"io"
	"strings"
)

// Text writes o for people.
func (o Outline) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "pipeline %s\n", o.Pipeline)
	for _, n := range o.Nodes {
		b.WriteString("\n" + n.Address)
		if n.Disabled {
			b.WriteString("   disabled: passes everything")
		}
		b.WriteByte('\n')
		row(&b, "from", strings.Join(n.From, ", "))
		for _, e := range n.To {
			name := "to"
			if e.Output != "events" {
				name = "." + e.Output
			}
			row(&b, name, strings.Join(e.Nodes, ", "))
		}
		n.Source.rows(&b)
		n.Filter.rows(&b)
		n.Queue.rows(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// row writes what there is to tell of a node.
func row(b *strings.Builder, name, text string) {
	if text != "" {
		fmt.Fprintf(b, "  %-10s %s\n", name, text)
	}
}

func (s *Source) rows(b *strings.Builder) {
	switch {
	case s == nil:
	case s.PassedOver:
		row(b, "lines", "what meets no filter's need is counted, and never becomes an event")
	case len(s.Wanting) > 0:
		row(b, "lines", "all become events: for "+strings.Join(s.Wanting, ", "))
	}
}

func (f *Filter) rows(b *strings.Builder) {
	if f == nil {
		return
	}
	row(b, "where", strings.Join(strings.Fields(f.Where), " "))
	row(b, "reads", strings.Join(f.Reads, ", "))
	for i, c := range f.AtLeastOne {
		name := "needs"
		if i > 0 {
			name = "or"
		}
		row(b, name, c.clue.String())
	}
	if f.Why != "" {
		row(b, "needs", "nothing that is known: "+f.Why)
	}
}

func (q *Queue) rows(b *strings.Builder) {
	if q == nil {
		return
	}
	where := "in memory"
	if q.Disk {
		where = "on disk"
	}
	row(b, "queue", fmt.Sprintf("%d events, %s %s, %s when full", q.Events, size(q.Bytes), where, q.WhenFull))
}

// size is n bytes as a pipeline file writes them.
func size(n int64) string {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.bytes && n%unit.bytes == 0 {
			return fmt.Sprint(n/unit.bytes, unit.name)
		}
	}
	return fmt.Sprint(n, " B")
}
