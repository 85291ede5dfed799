// Package cmd is the commands of etl, whatever components it is made of. A main
// joins the specs that it wants and calls Main.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Main runs the command line of the process, with specs as all the components
// that pipelines may use, and ends the process with its exit code.
func Main(specs []*component.Spec) {
	runtime.MemProfileRate = 0 // a stack for each half MiB allocated: a hundredth of the CPU, for a profile nobody can ask for
	os.Exit(execute(context.Background(), specs, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, specs []*component.Spec, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(specs)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var x *exit
	if !errors.As(err, &x) { // cobra's own: a command, flag or argument that is none
		x = &exit{exitConfiguration, fmt.Errorf("%w\nsee etl --help", err)}
	}
	if x.err != nil {
		fmt.Fprintf(stderr, "etl: %v\n", x.err)
	}
	return x.code
}
