package graph

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/spool"
)

// namesKey is where a source's earlier names are in its state, newest first.
const namesKey = "source.names"

// succeed gives the source at address the checkpoints of the one at from, which is what it was called until now, and
// what that kept in its state: without it a position may not be found. Its names are stored first: what is cut off in
// between is done again. The caller has g.mu.
func (g *Graph) succeed(address, from string) error {
	own, before := g.options.State.Component(address), g.options.State.Component(from)
	var names []string
	for _, name := range slices.Concat([]string{from}, g.formerNames(from), g.formerNames(address)) {
		if name != address && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	raw, err := json.Marshal(names)
	if err == nil {
		err = own.Set(namesKey, raw)
	}
	if _, had := before.Get(namesKey); had && err == nil {
		err = before.Delete(namesKey)
	}
	if err != nil {
		return fmt.Errorf("storing the names of a source: %w", err)
	}
	kept := slices.DeleteFunc(before.Keys(), spool.Keeps) // those move with the queue
	for _, key := range kept {
		if value, ok := before.Get(key); ok {
			if err := own.Set(key, value); err != nil {
				return fmt.Errorf("storing what a source kept under another name: %w", err)
			}
		}
	}
	beforeMove.Pass()
	if err := g.options.State.Move(from, address); err != nil {
		return err
	}
	behindMove.Pass()
	for _, key := range kept {
		if err := before.Delete(key); err != nil { // nobody uses it
			g.log.Warn("what the source kept under its old name is still there", "component", from, "error", err)
			break
		}
	}
	return nil
}

// formerNames are those that the source at address has had before, newest first.
func (g *Graph) formerNames(address string) (names []string) {
	if raw, ok := g.options.State.Component(address).Get(namesKey); ok && json.Unmarshal(raw, &names) != nil {
		return nil // what is damaged was told when the state was opened
	}
	return names
}

// learnNames makes the names of the program's sources known. One that another source has by now is
// nobody's former name. The caller has g.mu.
func (g *Graph) learnNames() {
	if g.options.State == nil {
		return
	}
	all := map[string][]string{}
	for _, s := range g.program.steps {
		if s.node.Type != plan.Source {
			continue
		}
		names := slices.DeleteFunc(g.formerNames(s.node.Address), func(name string) bool { return g.program.byName[name] != nil })
		if len(names) == 0 {
			continue
		}
		names = slices.Insert(names, 0, s.node.Address)
		for _, name := range names {
			all[name] = names
		}
	}
	g.names.Store(&all)
}

// namesOf is component.Host's Names.
func (g *Graph) namesOf(source string) []string {
	if all := g.names.Load(); all != nil {
		return (*all)[source]
	}
	return nil
}
