package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/lang"
)

// pipelineFlags are those of all commands that load a pipeline.
type pipelineFlags struct {
	specs    []*component.Spec // no flag, but what the pipeline is made of
	vars     []string
	varFiles []string
	stateDir string
}

func (f *pipelineFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.vars, "var", nil, "value of a variable, `NAME=VALUE`; may repeat")
	flags.StringArrayVar(&f.varFiles, "var-file", nil, "`FILE` of lines NAME = VALUE; may repeat, later ones win")
	flags.StringVar(&f.stateDir, "state-dir", "", "`DIR` that keeps the pipelines' state (default $STATE_DIRECTORY, else ./.etl)")
}

// options is what the loader gets.
func (f *pipelineFlags) options(mode lang.Mode) (lang.Options, error) {
	o := load.Options(f.specs)
	o.Mode = mode
	o.StateDir = load.StateDir(f.stateDir)
	o.VarFiles = f.varFiles
	o.Vars = map[string]string{}
	for _, v := range f.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return o, refused(fmt.Errorf("--var %s: write NAME=VALUE", v))
		}
		o.Vars[name] = value
	}
	return o, nil
}
