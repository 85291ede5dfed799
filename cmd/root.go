package cmd

import (
	"fmt"
	"slices"
	"strings"

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
		newPlan(specs),
		newFmt(specs),
		newInit(),
		newState(specs),
		newDeadLetter(specs),
		newQueue(specs),
		newPeek(),
		newWatch(specs),
		newVerify(),
		newDecrypt(),
		newDocs(specs),
		newVersion(),
	)
	root.InitDefaultCompletionCmd()
	answerForShells(root)
	return root
}

// answerForShells makes the completion command, which is cobra's, say which
// shells there are where none of them is asked for.
func answerForShells(root *cobra.Command) {
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return
	}
	var shells []string
	for _, c := range completion.Commands() {
		shells = append(shells, c.Name())
	}
	slices.Sort(shells)
	last := len(shells) - 1
	known := strings.Join(shells[:last], ", ") + " and " + shells[last]
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return refused(fmt.Errorf("for which shell? %s have completion", known))
		}
		return refused(fmt.Errorf("there is no completion for %q: %s have it", args[0], known))
	}
}

// pipelineFiles completes the names of pipeline files.
func pipelineFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
}
