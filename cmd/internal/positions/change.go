package positions

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
)

// Changes are checkpoints that are to be stored, and what is to be said of them.
type Changes struct {
	Checkpoints []state.Checkpoint
	Notes       []string
}

func (c *Changes) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// Describe writes what Apply would change.
func (c *Changes) Describe(w io.Writer, before []state.Checkpoint) error {
	var b strings.Builder
	for _, n := range c.Notes {
		fmt.Fprintln(&b, n)
	}
	for _, k := range c.Checkpoints {
		was := "no checkpoint"
		for _, o := range before {
			if o.Source == k.Source && o.Sink == k.Sink {
				was = place(o.Position)
			}
		}
		fmt.Fprintf(&b, "%s → %s\n  from %s\n  to   %s\n", k.Source, k.Sink, was, place(k.Position))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Apply stores the changes. The error names the process that holds the state,
// if one does.
func (t *Target) Apply(c *Changes) error {
	unlock, err := state.Lock(t.Path)
	if err != nil {
		return err
	}
	defer unlock()
	d, _, err := state.Open(t.FS, t.Path, t.Name)
	if err != nil {
		return err
	}
	return d.Save(c.Checkpoints)
}

// Saved are the checkpoints that are stored; none where there is no state yet.
func (t *Target) Saved() []state.Checkpoint {
	d, _, err := t.Look()
	if err != nil {
		return nil
	}
	return d.All()
}

// Set makes the sink (all, if it is empty) of the source at address stand at
// where: beginning, end, or PATH:OFFSET.
func (t *Target) Set(address, where, sink string) (*Changes, error) {
	n, v, path, err := t.file(address)
	if err != nil {
		return nil, err
	}
	sinks, err := t.choose(n, sink)
	if err != nil {
		return nil, err
	}
	c := &Changes{}
	offset := int64(0)
	switch where {
	case "beginning":
	case "end":
		offset = file.End
	default:
		if path, offset, err = t.parse(v, address, where); err != nil {
			return nil, err
		}
	}
	p, err := v.At(path, offset, t.positions(address)...)
	if err != nil {
		return nil, unplaced(path, err)
	}
	if offset != file.End && p.Offset != offset {
		c.note("offset %d is inside of a line, which begins at %d", offset, p.Offset)
	}
	for _, s := range sinks {
		c.Checkpoints = append(c.Checkpoints, state.Checkpoint{Source: address, Sink: s, Position: p})
	}
	return c, nil
}

// unplaced says why path has no position.
func unplaced(path string, err error) error {
	if errors.Is(err, file.ErrNoLine) {
		return fmt.Errorf("%s: %w: nothing to set, a file is read from its beginning as long as it has no checkpoint and start_at does not say otherwise", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// file is the source "file" at address.
func (t *Target) file(address string) (*plan.Node, file.Survey, string, error) {
	n := t.node(address)
	if n == nil || n.Type != plan.Source {
		var names []string
		for _, s := range t.sources() {
			names = append(names, s.Address)
		}
		return nil, file.Survey{}, "", fmt.Errorf("the pipeline has no source %s; it has %s", address, strings.Join(names, ", "))
	}
	v, path, ok := t.survey(n)
	switch {
	case n.Kind != "file":
		return nil, v, "", fmt.Errorf("%s: only where a source \"file\" stands can be set", address)
	case !ok:
		return nil, v, "", fmt.Errorf("%s: its path depends on a variable without value: give it one with --var", address)
	}
	return n, v, path, nil
}

// choose is the sinks to be changed.
func (t *Target) choose(n *plan.Node, sink string) ([]string, error) {
	saved := map[string]component.Position{}
	for _, c := range t.Saved() {
		if c.Source == n.Address {
			saved[c.Sink] = c.Position
		}
	}
	sinks := t.sinks(n, saved)
	if sink == "" {
		if len(sinks) == 0 {
			sinks = []string{graph.DeadLetters}
		}
		return sinks, nil
	}
	if !slices.Contains(sinks, sink) {
		return nil, fmt.Errorf("%s does not wait for %s; it waits for %s", n.Address, sink, strings.Join(sinks, ", "))
	}
	return []string{sink}, nil
}

// positions are those stored of the source at address.
func (t *Target) positions(address string) (all []component.Position) {
	for _, c := range t.Saved() {
		if c.Source == address {
			all = append(all, c.Position)
		}
	}
	return all
}

// parse takes PATH:OFFSET apart.
func (t *Target) parse(v file.Survey, address, where string) (path string, offset int64, err error) {
	i := strings.LastIndexByte(where, ':')
	if i < 0 {
		return "", 0, fmt.Errorf("%s: write beginning, end or PATH:OFFSET", where)
	}
	offset, err = strconv.ParseInt(where[i+1:], 10, 64)
	if err != nil || offset < 0 {
		return "", 0, fmt.Errorf("%s: %q is no offset in bytes", where, where[i+1:])
	}
	if path, err = filepath.Abs(where[:i]); err != nil {
		return "", 0, err
	}
	name, ok, err := v.Reads(path)
	if err != nil {
		return "", 0, err
	}
	if !ok {
		var names []string
		for _, m := range v.Members() {
			names = append(names, m.Path)
		}
		return "", 0, fmt.Errorf("%s does not read %s; it reads %s", address, path, strings.Join(names, ", "))
	}
	return name, offset, nil
}
