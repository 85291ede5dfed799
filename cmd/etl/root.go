package main

import "github.com/spf13/cobra"

func newRoot() *cobra.Command {
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
		newRun(),
		newTest(),
		newValidate(),
		newFmt(),
		newInit(),
		newPeek(),
		newDocs(),
		newVersion(),
	)
	return root
}

// pipelineFiles completes the names of pipeline files.
func pipelineFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
}
