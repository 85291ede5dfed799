// Command etl runs alert pipelines around a Wazuh manager.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
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
