package state

import (
	"encoding/json"
	"errors"
	"fmt"
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
	next := make(map[key]Checkpoint, len(d.saved)+len(changed))
	for k, c := range d.saved {
		next[k] = c
	}
	same := true
	for _, c := range changed {
		c.Version, c.Pipeline = version, d.name
		k := key{c.Source, c.Sink}
		if next[k] != c {
			next[k] = c
			same = false
		}
	}
	if same {
		return nil
	}
	all := make([]Checkpoint, 0, len(next))
	for _, c := range next {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Checkpoint) int {
		return strings.Compare(a.Source+"\x00"+a.Sink, b.Source+"\x00"+b.Sink)
	})
	raw, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return fmt.Errorf("storing checkpoints: %w", err)
	}
	if err := d.checkpoints.save(raw); err != nil {
		return err
	}
	d.saved = next
	return nil
}
