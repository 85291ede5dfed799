package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/service"
	"github.com/wazuh-etl/etl/cmd/internal/signals"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
)

// runFlags are those of etl run.
type runFlags struct {
	pipelineFlags
	once      bool
	timeout   time.Duration
	dryRun    bool
	watch     bool
	logFormat string
	logLevel  string
	verbose   bool
}

func newRun(specs []*component.Spec) *cobra.Command {
	flags := runFlags{pipelineFlags: pipelineFlags{specs: specs}}
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run a pipeline",
		Long: `Run a pipeline until its input ends or a signal stops it. A FILE may be a folder, which is
one pipeline made of all its .hcl files.

SIGTERM and SIGINT stop reading and deliver what is on its way; a second one stops at once.
SIGHUP loads the files again: if they are good the pipeline goes on with them, without
losing or reordering an event; if not, it says why and goes on as it is.

With --dry-run the real sources are read from start_at and nothing is delivered: each event
that a sink would get is one JSON line on standard output; what failed is counted on standard
error at the end.

` + exitCodes,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), args[0], &flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().BoolVar(&flags.once, "once", false, "stop at the end of the input instead of waiting for more")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 0, "with --once: stop after this `DURATION` and exit with 4")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "deliver nothing, print what would be delivered")
	cmd.Flags().BoolVar(&flags.watch, "watch", false, "load the files again when one of them changes, as SIGHUP does")
	cmd.Flags().StringVar(&flags.logFormat, "log-format", "console", "`FORMAT` of the log: console or json")
	cmd.Flags().StringVar(&flags.logLevel, "log-level", "info", "least `LEVEL` that is logged: debug, info, warn or error")
	cmd.Flags().BoolVarP(&flags.verbose, "verbose", "v", false, "a line for each component in the summary at the end, also where there are many")
	return cmd
}

func run(ctx context.Context, path string, flags *runFlags, stdout, stderr io.Writer) error {
	if flags.timeout != 0 && !flags.once {
		return refused(errors.New("--timeout goes with --once"))
	}
	mode := lang.Run
	if flags.dryRun {
		mode = lang.DryRun
	}
	options, err := flags.options(mode)
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(flags.logLevel)); err != nil {
		return refused(fmt.Errorf("--log-level %s: write debug, info, warn or error", flags.logLevel))
	}
	ordered := signals.Listen()
	defer ordered.Close()
	s := &service.Service{
		Path: path, Options: options, KeepState: flags.stateDir != "" || os.Getenv("STATE_DIRECTORY") != "",
		Once: flags.once, DryRun: flags.dryRun, Watch: flags.watch, Verbose: flags.verbose,
		Stdout: stdout, Stderr: stderr, Printer: printer(stderr),
		Signals:  ordered,
		Terminal: isTerminal(stderr) && flags.logFormat == "console" && !flags.dryRun,
		Level:    level,
	}
	switch flags.logFormat {
	case "console":
	case "json":
		s.JSON = true
	default:
		return refused(fmt.Errorf("--log-format %s: write console or json", flags.logFormat))
	}
	if flags.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, flags.timeout, errTimeout)
		defer cancel()
		s.AtOnce = func() bool { return context.Cause(ctx) == errTimeout }
	}
	err = s.Run(ctx)
	switch {
	case errors.Is(err, service.ErrRefused):
		return refused(nil)
	case context.Cause(ctx) == errTimeout:
		if errors.Is(err, graph.ErrAbandoned) {
			return &exit{exitTimeout, fmt.Errorf("not done after %s: %w", flags.timeout, err)}
		}
		return &exit{exitTimeout, fmt.Errorf("not done after %s; what is left is covered by a checkpoint", flags.timeout)}
	case errors.Is(err, graph.ErrAbandoned):
		return &exit{exitAbandoned, err}
	case errors.Is(err, service.ErrConfiguration):
		return refused(err)
	case err != nil:
		return failed(err)
	}
	return nil
}

var errTimeout = errors.New("timeout")
