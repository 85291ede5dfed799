// Package letters lists, shows and replays the dead letters of a pipeline: those
// of the built-in store and those of its sinks "dead_letter".
package letters

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/cmd/internal/view"
	"github.com/wazuh-etl/etl/runtime/deadletter"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// builtIn is the built-in store in a state directory.
const builtIn = "dead_letters.jsonl"

// Paths are the stores of a pipeline whose state directory is dir: the built-in
// one first. p may be nil.
func Paths(dir string, p *plan.Plan) []string {
	paths := []string{filepath.Join(dir, builtIn)}
	if p == nil {
		return paths
	}
	for _, n := range p.Nodes {
		if path := pathOf(n); path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// pathOf is the file of a sink "dead_letter"; empty for another node, and where the path is
// not known.
func pathOf(n *plan.Node) string {
	if n.Type != plan.Sink || n.Kind != "dead_letter" || !n.Config.Known("path") {
		return ""
	}
	return n.Config.String("path")
}

// Open opens the archives at paths.
func Open(files world.FS, paths []string) ([]*deadletter.Archive, error) {
	var archives []*deadletter.Archive
	for _, path := range paths {
		a, err := deadletter.OpenArchive(files, path)
		if err != nil {
			return nil, err
		}
		archives = append(archives, a)
	}
	return archives, nil
}

// Where chooses records by an expression over the event as the errors output
// gave it. The zero value chooses all.
type Where struct {
	program *expression.Program
	Failed  int // records that the expression could not be evaluated for
}

// ParseWhere compiles an expression; an empty one chooses all records.
func ParseWhere(text string) (*Where, error) {
	if text == "" {
		return &Where{}, nil
	}
	program, problems := expression.Condition(text, expression.Env{})
	var errs []error
	for _, p := range problems {
		words := p.Message
		if p.Suggestion != "" {
			words += " (" + p.Suggestion + ")"
		}
		if p.End > p.Start && p.End <= len(text) {
			words = fmt.Sprintf("%s: %s", text[p.Start:p.End], words)
		}
		if program == nil || !p.Warning {
			errs = append(errs, errors.New(words))
		}
	}
	return &Where{program: program}, errors.Join(errs...)
}

// Chooses says whether r is meant. A record for which the expression fails is not.
func (w *Where) Chooses(r *deadletter.Record) bool {
	if w.program == nil {
		return true
	}
	ok, err := w.program.True(r.Failed())
	if err != nil {
		w.Failed++
	}
	return ok && err == nil
}

// tally is what one component has for one code.
type tally struct {
	component, code string
	count           int
	first, last     time.Time
}

// List writes how many records there are of each component and code, and from
// when to when.
func List(w io.Writer, archives []*deadletter.Archive) error {
	var b strings.Builder
	for _, a := range archives {
		tallies := map[[2]string]*tally{}
		count := 0
		damaged, err := a.Each(func(r *deadletter.Record) error {
			count++
			t := tallies[[2]string{r.Component, r.Code}]
			if t == nil {
				t = &tally{component: r.Component, code: r.Code, first: r.Time, last: r.Time}
				tallies[[2]string{r.Component, r.Code}] = t
			}
			t.count++
			if r.Time.Before(t.first) {
				t.first = r.Time
			}
			if r.Time.After(t.last) {
				t.last = r.Time
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s: %s\n", a.Path(), counted(count, "record"))
		if damaged > 0 {
			fmt.Fprintf(&b, "  %s can't be read\n", counted(damaged, "line"))
		}
		list := make([]*tally, 0, len(tallies))
		for _, t := range tallies {
			list = append(list, t)
		}
		slices.SortFunc(list, func(a, b *tally) int {
			return cmp.Or(b.count-a.count, strings.Compare(a.component, b.component), strings.Compare(a.code, b.code))
		})
		for _, t := range list {
			fmt.Fprintf(&b, "  %6d  %s  %s  %s", t.count, view.Visible(cmp.Or(t.component, "no component")), view.Visible(cmp.Or(t.code, "no failure")), t.first.Format(time.RFC3339))
			if t.last.After(t.first) {
				fmt.Fprintf(&b, " to %s", t.last.Format(time.RFC3339))
			}
			fmt.Fprintln(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
