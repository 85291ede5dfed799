package cmd

import (
	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/runtime/component"
)

func newRoot(specs []*component.Spec) *cobra.Command {
	root := &cobra.Command{
		Use:   "etl",
		Short: "Alert pipelines around a Wazuh manager",
		Long: `etl runs alert pipelines around a Wazuh manager: a pipeline file declares sources,
filters, transforms and sinks, and etl runs it for years.

  etl run pipelines/quickstart.hcl     a first pipeline, with nothing to install
  etl init                             the pipelines that come with etl

` + exitCodes,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newRun(specs),
		newTest(specs),
		newValidate(specs),
		newFmt(specs),
		newInit(),
		newState(specs),
		newDeadLetter(specs),
		newQueue(specs),
		newPeek(),
		newDocs(specs),
		newVersion(),
	)
	return root
}

// pipelineFiles completes the names of pipeline files.
func pipelineFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
}
