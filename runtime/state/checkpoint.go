package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Checkpoint is where one sink stands in one source: everything before it is
// delivered for good.
type Checkpoint struct {
	Version  int    `json:"v"`
	Pipeline string `json:"pipeline"`
	Source   string `json:"source"`
	Sink     string `json:"sink"`
	component.Position
}

type key struct{ source, sink string }

const version = 1

func (d *Dir) load() (warning string, err error) {
	raw, err := d.checkpoints.load()
	if errors.Is(err, errDamaged) {
		return fmt.Sprintf("the checkpoints in %s are damaged: every source starts where its start_at says", d.path), nil
	}
	if err != nil || raw == nil {
		return "", err
	}
	var all []Checkpoint
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Sprintf("the checkpoints in %s can't be read (%v): every source starts where its start_at says", d.path, err), nil
	}
	for _, c := range all {
		if c.Version > version {
			return "", fmt.Errorf("the checkpoints in %s are of a newer etl (format %d, this one knows %d)", d.path, c.Version, version)
		}
		d.saved[key{c.Source, c.Sink}] = c
	}
	return "", nil
}

// All are the checkpoints of all sources, sorted by source and sink.
func (d *Dir) All() []Checkpoint {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sorted(d.saved)
}

func sorted(saved map[key]Checkpoint) []Checkpoint {
	all := slices.Collect(maps.Values(saved))
	slices.SortFunc(all, func(a, b Checkpoint) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Sink, b.Sink))
	})
	return all
}

// Checkpoints are where the sinks stand in source, by sink.
func (d *Dir) Checkpoints(source string) map[string]component.Position {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]component.Position{}
	for k, c := range d.saved {
		if k.source == source {
			out[k.sink] = c.Position
		}
	}
	return out
}

// Save stores checkpoints over those of the same source and sink. What belongs
// to no component any more is kept: it may come back. It writes only if
// something changed.
func (d *Dir) Save(changed []Checkpoint) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := maps.Clone(d.saved)
	for _, c := range changed {
		c.Version, c.Pipeline = version, d.name
		next[key{c.Source, c.Sink}] = c
	}
	return d.replace(next)
}

// Move gives the checkpoints of the source from, which is no more, to the source to.
func (d *Dir) Move(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := maps.Clone(d.saved)
	for k, c := range d.saved {
		if k.source == from {
			delete(next, k)
			c.Source = to
			next[key{to, k.sink}] = c
		}
	}
	return d.replace(next)
}

// Delete removes the checkpoints that belong to the same source and sink as one of gone.
func (d *Dir) Delete(gone []Checkpoint) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := maps.Clone(d.saved)
	for _, c := range gone {
		delete(next, key{c.Source, c.Sink})
	}
	return d.replace(next)
}

// replace stores next as all there is, unless that is so already. The caller has d.mu.
func (d *Dir) replace(next map[key]Checkpoint) error {
	if maps.Equal(next, d.saved) {
		return nil
	}
	raw, err := json.MarshalIndent(sorted(next), "", " ")
	if err != nil {
		return fmt.Errorf("storing checkpoints: %w", err)
	}
	if err := d.checkpoints.save(raw); err != nil {
		return err
	}
	d.saved = next
	return nil
}
