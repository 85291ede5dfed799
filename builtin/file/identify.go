package file

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/event"
)

// identifyEarly names a generation if its first line is complete already. With a history it has its name since it was
// opened, or waits for it: awaitName.
func (r *reader) identifyEarly(g *generation) error {
	if g.name == "" {
		if r.follower.history != nil {
			return nil
		}
		if _, complete, err := fingerprint(g.file); err != nil || !complete {
			return err
		}
	}
	return r.identify(g)
}

// identify names the generation, now that its first line is there.
func (r *reader) identify(g *generation) error {
	if g.name == "" {
		print, err := r.print(g)
		if err != nil {
			return fmt.Errorf("reading %s: %w", g.path, err)
		}
		if r.follower.history != nil {
			head, err := beginning(g)
			if err != nil {
				return err
			}
			if now, _ := printOfHead(head); now != print { // it was truncated
				head = g.head
			}
			g.name = r.follower.history.name(g.id.Load(), print, head)
		} else {
			g.name = nameFor(g.dated, print, r.previous)
		}
	}
	g.stream = &event.Stream{Source: r.host.Address, Generation: g.name, File: r.path}
	return nil
}

// print is the fingerprint of the generation, which its file may not hold any more.
func (r *reader) print(g *generation) (string, error) {
	print, _, err := fingerprint(g.file)
	if err != nil {
		return "", err
	}
	if same, err := g.intact(); err != nil || same {
		return print, err
	}
	if copied := r.copyOf(g, r.split.Next()); copied != nil {
		defer copied.file.Close()
		print, _, err := fingerprint(copied.file)
		return print, err
	}
	print, _ = printOfHead(g.head)
	return print, nil
}
