// Package positions tells and changes where the sinks of a pipeline stand,
// while the pipeline is not running.
package positions

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Target is the state of one pipeline.
type Target struct {
	Path string     // STATE/NAME
	Name string     // of the pipeline
	Plan *plan.Plan // nil if only the directory is known
	FS   world.FS
}

// IsState says whether path is a state directory.
func IsState(path string) bool {
	for _, name := range []string{"checkpoints.a", "checkpoints.b", "components"} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return true
		}
	}
	return false
}

// Look opens the state for reading.
func (t *Target) Look() (*state.Dir, []string, error) { return state.Look(t.FS, t.Path, t.Name) }

// node is the one at address; nil if the pipeline has none, or is not known.
func (t *Target) node(address string) *plan.Node {
	if t.Plan == nil {
		return nil
	}
	for _, n := range t.Plan.Nodes {
		if n.Address == address {
			return n
		}
	}
	return nil
}

// sources are those of the plan.
func (t *Target) sources() (sources []*plan.Node) {
	if t.Plan == nil {
		return nil
	}
	for _, n := range t.Plan.Nodes {
		if n.Type == plan.Source {
			sources = append(sources, n)
		}
	}
	return sources
}

// sinks are the addresses that have, or will have, checkpoints of source.
func (t *Target) sinks(source *plan.Node, saved map[string]component.Position) (sinks []string) {
	for _, n := range t.Plan.FirstSinks(source) {
		sinks = append(sinks, n.Address)
	}
	if _, ok := saved[graph.DeadLetters]; ok {
		sinks = append(sinks, graph.DeadLetters)
	}
	return sinks
}

// known says whether the checkpoint belongs to components that the pipeline has.
func (t *Target) known(c state.Checkpoint) bool {
	if t.Plan == nil {
		return true
	}
	n := t.node(c.Source)
	return n != nil && n.Type == plan.Source &&
		(c.Sink == graph.DeadLetters || slices.ContainsFunc(t.Plan.FirstSinks(n), func(s *plan.Node) bool { return s.Address == c.Sink }))
}

// survey looks at the files of n; ok is false if it is no source "file", or its path is
// not known.
func (t *Target) survey(n *plan.Node) (v file.Survey, path string, ok bool) {
	if n == nil || n.Type != plan.Source || n.Kind != "file" || !n.Config.Known("path") || !n.Config.Has("path") {
		return v, "", false
	}
	path = n.Config.String("path")
	var known component.State
	if d, _, err := t.Look(); err == nil {
		known = d.Component(n.Address)
	}
	return file.NewSurvey(t.FS, path, n.Config.String("profile"), known), path, true
}
