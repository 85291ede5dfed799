// Package load reads pipelines as every command does: with all modules that
// come in the binary.
package load

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wazuh-etl/etl/lua"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/schemas"
)

// Options is what the loader gets for every command, with specs as all
// components; the caller adds the mode and what its flags say.
func Options(specs []*component.Spec) lang.Options {
	return lang.Options{
		Specs:    specs,
		Embedded: map[string]fs.FS{"lua": lua.FS, "schemas": schemas.FS},
		StateDir: StateDir(""),
	}
}

// StateDir is STATE: what --state-dir says, else the first directory systemd
// gave, else .etl in the working directory. It is absolute where the working
// directory is known.
func StateDir(flag string) string {
	dir := flag
	if dir == "" {
		dir, _, _ = strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	}
	if dir == "" {
		dir = ".etl"
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// Pipeline loads the pipeline at path. The plan is nil if one finding is an error.
func Pipeline(path string, o lang.Options) (*plan.Plan, diag.List) { return lang.Load(path, o) }
