package file

import (
	"encoding/json"
	"fmt"

	"github.com/wazuh-etl/etl/runtime/component"
)

// beganKey is where the component's state has the place at which the very
// first run began. Until there is a checkpoint it stands for one: a process that is
// killed in its first second must not lose the file that rotates before the next start.
const beganKey = "began"

// began opens the file in which the first run began, if no checkpoint was
// made since; nil if there is nothing to go on from. The error is errMoved.
func (s *Source) began(host *component.Host, f family, members []member) (*generation, int64, error) {
	value, ok := host.State.Get(beganKey)
	if !ok {
		return nil, 0, nil
	}
	var p component.Position
	if json.Unmarshal(value, &p) != nil || p.Path != s.path {
		return nil, 0, nil // the source reads another file now
	}
	if p.Generation != "" {
		g, err := f.find(p, members)
		return g, p.Offset, err
	}
	for _, m := range members { // its first line was not complete
		if m.device == p.Device && m.inode == p.Inode {
			g, err := f.open(m)
			if err == nil && !g.is(m) {
				g.file.Close()
				return nil, 0, errMoved
			}
			if err == nil {
				return g, 0, nil
			}
		}
	}
	return nil, 0, nil
}

// remember stores where the first run begins: in a file without a name yet, at its
// beginning.
func (s *Source) remember(host *component.Host, g *generation, offset int64) error {
	p := g.position(offset)
	p.Path = s.path
	if p.Generation == "" {
		p.Offset = 0
	}
	value, err := json.Marshal(p)
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
