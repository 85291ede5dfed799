package cmd

import (
	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/builtin/nats/peek"
)

func newPeek() *cobra.Command {
	var o peek.Options
	cmd := &cobra.Command{
		Use:   "peek DIR|nats://HOST:PORT",
		Short: "Print what JetStream streams hold",
		Long: `Print what JetStream streams hold: a line for each message with its sequence number, subject,
id and payload. DIR is, or holds, the store of an embedded server; the server may have stopped,
and nothing in DIR is changed.`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Escape = isTerminal(cmd.OutOrStdout())
			if err := peek.Peek(cmd.Context(), cmd.OutOrStdout(), args[0], o); err != nil {
				return failed(err)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Stream, "stream", "", "only the stream `NAME`")
	flags.StringVar(&o.Subject, "subject", "", "only `SUBJECT`s that match, wildcards allowed")
	flags.IntVarP(&o.Count, "count", "n", 0, "only the last `N` messages of each stream")
	flags.BoolVar(&o.JSON, "json", false, "one JSON object a line")
	flags.StringVar(&o.Creds, "creds", "", "credentials `FILE` for a server")
	return cmd
}
