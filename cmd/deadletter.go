package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/console"
	"github.com/wazuh-etl/etl/cmd/internal/letters"
	"github.com/wazuh-etl/etl/cmd/internal/positions"
	"github.com/wazuh-etl/etl/cmd/internal/service"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/deadletter"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

func newDeadLetter(specs []*component.Spec) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead-letter",
		Short: "Show events that failed, and send them through the pipeline again",
		Long: `Show events that failed, and send them through the pipeline again: those in the built-in
store in the state directory, and those in the files of the pipeline's sinks "dead_letter".
TARGET is a pipeline file, or its state directory, STATE/NAME, for the built-in store alone.

--where is an expression as in a filter at an errors output: the event as it entered the
component that failed, origin, and meta with meta.error.`,
	}
	cmd.AddCommand(newDeadLetterList(specs), newDeadLetterShow(specs), newDeadLetterReplay(specs))
	return cmd
}

func newDeadLetterList(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	cmd := &cobra.Command{
		Use:               "ls TARGET",
		Short:             "Count failed events by component and code",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, archives, err := flags.archives(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := letters.List(cmd.OutOrStdout(), archives); err != nil {
				return failed(err)
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func newDeadLetterShow(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	var where string
	var o letters.ShowOptions
	cmd := &cobra.Command{
		Use:   "show TARGET",
		Short: "Print failed events, why they failed, and the text they came as",
		Example: `  etl dead-letter show wazuh-dfn.hcl --where 'meta.error.code == "too_large"'
  etl dead-letter show wazuh-dfn.hcl --limit 0 --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Where, err = letters.ParseWhere(where); err != nil {
				return refused(fmt.Errorf("--where: %w", err))
			}
			if o.Limit < 0 {
				return refused(errors.New("--limit: write how many, 0 for all"))
			}
			_, archives, err := flags.archives(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			o.Escape = isTerminal(cmd.OutOrStdout())
			if err := letters.Show(cmd.OutOrStdout(), archives, o); err != nil {
				return failed(err)
			}
			return unevaluated(cmd.ErrOrStderr(), o.Where)
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&where, "where", "", "only those for which `EXPR` is true")
	cmd.Flags().IntVar(&o.Limit, "limit", 20, "only the newest `N`; 0: all")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "one JSON object a line, as they are stored")
	return cmd
}

// unevaluated says for how many records the expression failed.
func unevaluated(w io.Writer, where *letters.Where) error {
	if where.Failed > 0 {
		_, err := fmt.Fprintf(w, "--where could not be evaluated for %d of the records: they are left out\n", where.Failed)
		return err
	}
	return nil
}

// archives are those of the target.
func (f *pipelineFlags) archives(path string, stderr io.Writer) (*positions.Target, []*deadletter.Archive, error) {
	t, err := f.target(path, stderr)
	if err != nil {
		return nil, nil, err
	}
	archives, err := letters.Open(t.FS, letters.Paths(t.Path, t.Plan))
	if err != nil {
		return nil, nil, failed(err)
	}
	return t, archives, nil
}

// replayFlags are those of etl dead-letter replay.
type replayFlags struct {
	pipelineFlags
	where  string
	dryRun bool
}

func newDeadLetterReplay(specs []*component.Spec) *cobra.Command {
	flags := replayFlags{pipelineFlags: pipelineFlags{specs: specs}}
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Send failed events through the pipeline again",
		Long: `Send failed events through the pipeline again, from the source that they came from, as the
bytes that they came as and with the ids that they had. The pipeline must not be running. An
event goes to all sinks that the pipeline sends it to: one that has it already gets it again,
with the same id.

What goes through is taken out of the dead letters; what fails again stays, with its attempts
added up. Stop or kill it at any moment: nothing is lost, and what comes twice was in flight,
500 events at most.

Exit codes:
  0  every event went through
  1  some failed again, or have no answer: they are still in the dead letters
  2  usage or configuration, or the pipeline is running`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return replay(cmd.Context(), args[0], &flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&flags.where, "where", "", "only those for which `EXPR` is true")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "deliver nothing and take nothing out, print what would be delivered")
	return cmd
}

func replay(ctx context.Context, path string, flags *replayFlags, stdout, stderr io.Writer) error {
	where, err := letters.ParseWhere(flags.where)
	if err != nil {
		return refused(fmt.Errorf("--where: %w", err))
	}
	mode := lang.Run
	if flags.dryRun {
		mode = lang.DryRun
	}
	p, err := flags.load(path, mode, stderr)
	if err != nil {
		return err
	}
	w := world.OS()
	r := &letters.Replay{
		Plan: p, World: w, Where: where,
		Log: slog.New(console.New(stderr, slog.LevelWarn, printer(stderr).Color)),
	}
	if flags.dryRun {
		r.Sink = service.DrySink(stdout)
	} else {
		unlock, err := state.Lock(p.State)
		if err != nil {
			return refused(fmt.Errorf("a pipeline is replayed while it is not running: %w", err))
		}
		defer unlock()
		var warnings []string
		if r.State, warnings, err = state.Open(w.FS, p.State, p.Name); err != nil {
			return refused(err)
		}
		for _, text := range warnings {
			r.Log.Warn(text)
		}
	}
	if r.Archives, err = letters.Open(w.FS, letters.Paths(p.State, p)); err != nil {
		return failed(err)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process: what is noted is noted
	result, err := r.Run(ctx)
	if e := tellReplay(stderr, result, flags.dryRun); e != nil {
		return failed(e)
	}
	if e := unevaluated(stderr, where); e != nil {
		return failed(e)
	}
	switch {
	case err != nil:
		return failed(err)
	case ctx.Err() != nil:
		return failed(fmt.Errorf("stopped: %w", context.Cause(ctx)))
	case result.Again+result.Left() > 0:
		return failed(nil)
	}
	return nil
}

// tellReplay says how a replay went.
func tellReplay(w io.Writer, r letters.Result, dry bool) error {
	words := fmt.Sprintf("%d chosen: %d went through, %d failed again and stay", r.Chosen, r.Went, r.Again)
	if dry {
		words = fmt.Sprintf("%d chosen: %d would go through, %d would fail again", r.Chosen, r.Went, r.Again)
	}
	if n := r.Left(); n > 0 {
		words += fmt.Sprintf(", %d have no answer and stay", n)
	}
	words += "\n"
	for _, why := range slices.Sorted(maps.Keys(r.Unable)) {
		words += fmt.Sprintf("%d can't be sent and stay: %s\n", r.Unable[why], why)
	}
	_, err := io.WriteString(w, words)
	return err
}
