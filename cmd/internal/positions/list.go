package positions

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/state"
)

// List writes in words where every sink stands in every source, what belongs
// to no component any more, and what components keep.
func (t *Target) List(w io.Writer, now time.Time) error {
	d, warnings, err := t.Look()
	if err != nil {
		return err
	}
	stored, err := d.Stored()
	if err != nil {
		return err
	}
	l := &lister{target: t, all: d.All()}
	l.printf("pipeline %s, state in %s\n", t.Name, t.Path)
	if pid := state.Holder(t.Path); pid != "" {
		l.printf("in use by process %s\n", pid)
	}
	for _, warning := range warnings {
		l.printf("warning: %s\n", warning)
	}
	if at := d.Modified(); at.IsZero() {
		l.printf("no checkpoint has been stored\n")
	} else {
		l.printf("checkpoints stored %s ago, %s\n", now.Sub(at).Round(time.Second), at.Format(time.RFC3339))
	}
	l.sources()
	l.kept()
	l.stores(stored)
	_, err = io.WriteString(w, l.text.String())
	return err
}

type lister struct {
	target *Target
	all    []state.Checkpoint
	text   strings.Builder
}

func (l *lister) printf(format string, args ...any) { fmt.Fprintf(&l.text, format, args...) }

// sources lists the sources of the plan, or those that have checkpoints where
// there is no plan.
func (l *lister) sources() {
	if l.target.Plan == nil {
		last := ""
		for _, c := range l.all {
			if c.Source != last {
				l.printf("\n%s\n", c.Source)
				last = c.Source
			}
			l.printf("  %s: %s\n", c.Sink, l.where(c))
		}
		return
	}
	for _, n := range l.target.sources() {
		l.printf("\n%s\n", n.Address)
		saved := map[string]component.Position{}
		for _, c := range l.all {
			if c.Source == n.Address && l.target.known(c) {
				saved[c.Sink] = c.Position
			}
		}
		if len(saved) == 0 {
			l.printf("  has no checkpoint: it begins where its start_at says, if it can be read again\n")
			continue
		}
		for _, sink := range l.target.sinks(n, saved) {
			p, ok := saved[sink]
			if !ok {
				l.printf("  %s: has no checkpoint, and begins where the earliest of the others stands\n", sink)
				continue
			}
			l.printf("  %s: %s\n", sink, l.where(state.Checkpoint{Source: n.Address, Sink: sink, Position: p}))
		}
	}
}

// where is a position in words.
func (l *lister) where(c state.Checkpoint) string {
	words := place(c.Position)
	if c.Path == "" {
		return words
	}
	v, _, ok := l.target.survey(l.target.node(c.Source))
	if !ok {
		profile := ""
		if strings.Contains(c.Generation, ":") {
			profile = "wazuh4"
		}
		v = file.NewSurvey(l.target.FS, c.Path, profile, nil)
	}
	path, behind, found := v.Find(c.Position)
	switch {
	case !found:
		return words + ", whose file is not there any more"
	case path != c.Path:
		words += ", now " + path
	}
	if behind == 0 {
		return words + ", at the end"
	}
	return fmt.Sprintf("%s, %d bytes behind the end", words, behind)
}

// place is a position as it is stored: path, offset, generation.
func place(p component.Position) string {
	words := fmt.Sprintf("offset %d, generation %s", p.Offset, short(p.Generation))
	if p.Path != "" {
		words = p.Path + " " + words
	}
	return words
}

// short is a generation's name that can be read.
func short(generation string) string {
	dated, print, ok := strings.Cut(generation, ":")
	if !ok {
		dated, print = "", generation
	} else {
		dated += ":"
	}
	if name, count, again := strings.Cut(print, "~"); again {
		return dated + name[:min(8, len(name))] + "~" + count
	}
	return dated + print[:min(8, len(print))]
}

// kept lists what belongs to no component of the plan.
func (l *lister) kept() {
	first := true
	for _, c := range l.all {
		if l.target.known(c) {
			continue
		}
		if first {
			l.printf("\nbelongs to no component any more, and is kept\n")
			first = false
		}
		l.printf("  %s → %s: %s\n", c.Source, c.Sink, place(c.Position))
	}
}

func (l *lister) stores(stored []state.Stored) {
	if len(stored) == 0 {
		return
	}
	l.printf("\nstores of components\n")
	for _, s := range stored {
		l.printf("  %s: %d bytes", s.Address, s.Bytes)
		if s.Keys > 0 {
			l.printf(", %d keys", s.Keys)
		}
		if s.Dir != "" {
			l.printf(", files in %s", s.Dir)
		}
		if l.target.Plan != nil && l.target.node(s.Address) == nil {
			l.printf(", belongs to no component any more")
		}
		l.printf("\n")
	}
}
