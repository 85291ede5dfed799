// Package load reads pipelines as every command does: the language's loader
// with all components and all modules that come in the binary, and then what
// the components themselves find wrong with the files they are to read.
package load

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/lua"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Options is what the loader gets for every command; the caller adds the mode
// and what its flags say.
func Options() lang.Options {
	return lang.Options{
		Specs:    builtin.Specs(),
		Embedded: map[string]fs.FS{"lua": lua.FS},
		StateDir: StateDir(""),
	}
}

// StateDir is STATE: what --state-dir says, else the first directory systemd
// gave, else .etl in the working directory.
func StateDir(flag string) string {
	if flag != "" {
		return flag
	}
	if first, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); first != "" {
		return first
	}
	return ".etl"
}

// Pipeline loads the pipeline at path. In the modes that go on to run it, or
// promise that it would run, the components are asked too. The plan is nil if
// one finding is an error.
func Pipeline(path string, o lang.Options) (*plan.Plan, diag.List) {
	p, list := lang.Load(path, o)
	if p == nil || o.Mode != lang.Run && o.Mode != lang.Validate {
		return p, list
	}
	if list = append(list, check(p, o.StateDir)...); list.Failed() {
		return nil, list
	}
	return p, list
}

// check asks every component of p that can look at what its configuration names.
func check(p *plan.Plan, stateDir string) diag.List {
	var list diag.List
	for _, n := range p.Nodes {
		for _, c := range []any{n.Source, n.Transform, n.Stage, n.Sink} {
			checker, ok := c.(component.Checker)
			if !ok {
				continue
			}
			host := &component.Host{
				World:    world.OS(),
				Address:  n.Address,
				Log:      slog.New(slog.DiscardHandler),
				StateDir: filepath.Join(stateDir, p.Name, "components", n.Address),
				State:    state.Volatile(),
				Health:   func(error) {},
			}
			for _, err := range checker.Check(host) {
				list = append(list, finding(n, err))
			}
		}
	}
	return list
}

// finding is err as a diagnostic, at the component's header if it doesn't know better.
func finding(n *plan.Node, err error) diag.Diagnostic {
	var d diag.Diagnostic
	if !errors.As(err, &d) {
		d = diag.Diagnostic{Code: diag.InvalidValue, Message: err.Error()}
	}
	if d.Range.File == "" {
		d.Range = n.Range
	}
	return d
}
