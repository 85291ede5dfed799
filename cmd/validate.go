package cmd

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
)

func newValidate(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Find everything that is wrong with pipelines, without running them",
		Long: `Find everything that is wrong with pipelines, without running them: the language, the
references, expressions, scripts, and the files that they name. A FILE may be a folder,
which is one pipeline made of all its .hcl files. docs/reference/diagnostics.md
explains the codes.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, files []string) error {
			o, err := flags.options(lang.Validate)
			if err != nil {
				return err
			}
			var found diag.List
			for _, file := range files {
				_, list := load.Pipeline(file, o)
				found = append(found, list...)
				if !asJSON && !list.Failed() {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s is valid\n", file)
				}
			}
			if asJSON {
				err = printer(nil).JSON(cmd.OutOrStdout(), found)
			} else {
				err = printer(cmd.ErrOrStderr()).Text(cmd.ErrOrStderr(), found)
			}
			if err != nil {
				return failed(err)
			}
			if found.Failed() {
				return refused(nil)
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document on standard output")
	return cmd
}

// printer renders diagnostics for w, in colour if it is a terminal that wants them.
func printer(w io.Writer) diag.Printer {
	return diag.Printer{Source: os.ReadFile, Color: isTerminal(w) && os.Getenv("NO_COLOR") == ""}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
