package file

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
)

// beganKey is where the component's state has the place at which the very
// first run began. Until there is a checkpoint it stands for one: a process that is
// killed in its first second must not lose the file that rotates before the next start.
const beganKey = "began"

// firstRun is what is stored there.
type firstRun struct {
	component.Position
	Dated  string `json:"dated,omitempty"`  // of a file whose first line was not complete: its dated path,
	Before int64  `json:"before,omitempty"` // or the record before it
}

// began is where the first run began, if no checkpoint was made since; nil if there is nothing
// to go on from.
func (s *Source) began(host *component.Host) *firstRun {
	value, ok := host.State.Get(beganKey)
	b := &firstRun{}
	if !ok || json.Unmarshal(value, b) != nil || b.Path != s.path { // it reads another file now
		return nil
	}
	return b
}

// unnamed is where the file is in which nothing was written when the first run began, or the oldest behind it.
func (f family) unnamed(b *firstRun, members []member) place {
	if f.history != nil {
		return f.oldest(b.Before, members)
	}
	order, _ := f.calendar.order(b.Dated)
	return place{index: slices.IndexFunc(members, func(m member) bool {
		return m.device == b.Device && m.inode == b.Inode || order != "" && m.kind != other && m.order >= order
	})}
}

// remember stores where the first run begins: in a file without a name yet, at its
// beginning.
func (s *Source) remember(host *component.Host, g *generation, offset int64) error {
	b := firstRun{Position: g.position(offset)}
	b.Path = s.path
	if b.Generation == "" {
		b.Offset, b.Dated, b.Before = 0, g.dated, g.before
	}
	value, err := json.Marshal(b)
	if err == nil {
		err = host.State.Set(beganKey, value)
	}
	if err != nil {
		return fmt.Errorf("storing where reading began: %w", err)
	}
	return nil
}

// forget removes it: there are checkpoints now.
func (s *Source) forget(host *component.Host) error {
	if _, ok := host.State.Get(beganKey); !ok {
		return nil
	}
	if err := host.State.Delete(beganKey); err != nil {
		return fmt.Errorf("forgetting where reading began: %w", err)
	}
	return nil
}
