// Package lang reads pipeline files: HCL with expressions and templates in it,
// made into a plan.Plan, or into everything that is wrong with it.
package lang

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Mode is what the plan is for.
type Mode uint8

// The modes.
const (
	Run      Mode = iota // every variable needs a value, every file must be there; tests are not looked at
	Validate             // as Run, tests included
	DryRun               // variables without value are unknown, what components read is not looked for
	Test                 // as DryRun, with the test called Options.Test
	Graph                // as DryRun, with all tests; expressions may use unknown variables: the plan is only looked at
)

// strict says that nothing may be missing.
func (m Mode) strict() bool { return m == Run || m == Validate }

// Options are what a pipeline is loaded with.
type Options struct {
	Mode Mode
	// Specs are the components there are.
	Specs []*component.Spec
	// Vars are values of variables as text: --var. They win over VarFiles (HCL
	// files of NAME = VALUE, later ones win), these over ETL_VAR_NAME.
	Vars     map[string]string
	VarFiles []string
	// Env looks up environment variables; nil is os.LookupEnv.
	Env func(string) (string, bool)
	// Test names the test that a plan of mode Test is for: its vars win over all
	// others, and it is the only one in the plan.
	Test string
	// StateDir is STATE; the pipeline's own directory is STATE/NAME below it.
	StateDir string
	// FS is nil for the machine's own file system.
	FS world.FS
	// Embedded are the modules in the binary by the name of their folder: "lua"
	// holds what a pipeline calls lua/xml.lua and does not have itself.
	Embedded map[string]fs.FS
}

func (o *Options) complete() {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.FS == nil {
		o.FS = world.OS().FS
	}
	if o.StateDir == "" {
		o.StateDir = ".etl"
	}
	if abs, err := filepath.Abs(o.StateDir); err == nil {
		o.StateDir = abs
	}
}
