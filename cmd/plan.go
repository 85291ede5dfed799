package cmd

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/cmd/internal/outline"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/lang"
)

func newPlan(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan FILE",
		Short: "Show a pipeline as the engine runs it",
		Long: `Show a pipeline as the engine runs it: its components, what each one's outputs lead to,
how long the queues may get, and for each filter the members that it reads and what an
event's bytes must hold for it to be true. What holds none of that is dropped without being
parsed; where nothing is known, the reason is told. A variable without a value is no error.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, files []string) error {
			o, err := flags.options(lang.Graph)
			if err != nil {
				return err
			}
			p, list := load.Pipeline(files[0], o)
			if err := printer(cmd.ErrOrStderr()).Text(cmd.ErrOrStderr(), list); err != nil {
				return failed(err)
			}
			if p == nil {
				return refused(nil)
			}
			if shown := outline.Of(p); asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				err = e.Encode(shown)
			} else {
				err = shown.Text(cmd.OutOrStdout())
			}
			if err != nil {
				return failed(err)
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
