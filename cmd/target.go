package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/cmd/internal/positions"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// target is the state of the pipeline at path, which may also be a state
// directory, STATE/NAME. What is wrong with the pipeline is printed.
func (f *pipelineFlags) target(path string, stderr io.Writer) (*positions.Target, error) {
	files := world.OS().FS
	if positions.IsState(path) {
		dir, err := filepath.Abs(path)
		if err != nil {
			return nil, failed(err)
		}
		return &positions.Target{Path: dir, Name: filepath.Base(dir), FS: files}, nil
	}
	p, err := f.load(path, lang.Graph, stderr)
	if err != nil {
		return nil, err
	}
	return &positions.Target{Path: p.State, Name: p.Name, Plan: p, FS: files}, nil
}

// load loads a pipeline, and prints what is wrong with it.
func (f *pipelineFlags) load(path string, mode lang.Mode, stderr io.Writer) (*plan.Plan, error) {
	o, err := f.options(mode)
	if err != nil {
		return nil, err
	}
	p, list := load.Pipeline(path, o)
	if mode == lang.Graph {
		list = errorsOf(list) // etl validate tells the rest
	}
	if err := printer(stderr).Text(stderr, list); err != nil {
		return nil, failed(err)
	}
	if p == nil {
		return nil, refused(nil)
	}
	return p, nil
}

func errorsOf(list diag.List) (only diag.List) {
	for _, d := range list {
		if d.Severity == diag.Error {
			only = append(only, d)
		}
	}
	return only
}

// noState makes a run-time failure of an error about a state; that there is
// none yet is said in words.
func noState(t *positions.Target, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return failed(fmt.Errorf("there is no state in %s: the pipeline has not run with this --state-dir", t.Path))
	}
	return failed(err)
}
