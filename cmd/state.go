package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/filebeat"
	"github.com/wazuh-etl/etl/cmd/internal/positions"
	"github.com/wazuh-etl/etl/runtime/component"
)

func newState(specs []*component.Spec) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Show and change how far a pipeline has read",
		Long: `Show and change how far a pipeline has read. TARGET is a pipeline file, or its state
directory, STATE/NAME. What changes something says what it would change, and does it
with --yes, while the pipeline is not running.`,
	}
	cmd.AddCommand(newStateList(specs), newStateShow(specs), newStateSet(specs), newStateExport(specs), newStateImport(specs))
	return cmd
}

func newStateList(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	cmd := &cobra.Command{
		Use:   "ls TARGET",
		Short: "Say where every sink stands in every source, and what is kept",
		Long: `Say where every sink stands in every source: path, offset, generation and the bytes behind
the end of the file; when that was stored; what belongs to no component any more; and
what components keep.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := flags.target(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := t.List(cmd.OutOrStdout(), time.Now()); err != nil {
				return noState(t, err)
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func newStateShow(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	cmd := &cobra.Command{
		Use:               "show TARGET ADDRESS",
		Short:             "Print everything that is kept of one component as JSON",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := flags.target(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			ok, err := t.Show(cmd.OutOrStdout(), args[1])
			if err != nil {
				return noState(t, err)
			}
			if !ok {
				return failed(fmt.Errorf("nothing is kept of %s: etl state ls lists what is", args[1]))
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func newStateSet(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	var sink string
	var yes bool
	cmd := &cobra.Command{
		Use:   "set FILE SOURCE beginning|end|PATH:OFFSET",
		Short: "Make a source go on somewhere else",
		Long: `Make the sinks of a source "file" go on at the beginning or end of its file, or at an offset in
bytes in any of the files that it reads, rotated and compressed ones too (an offset in a .gz is
one of what it holds); everything behind that is read, up to the file at the path. beginning and end mean the
file at the path: to read archives again, name the oldest one, PATH:0. An offset inside of a line
is moved back to the line's beginning.`,
		Example: `  etl state set wazuh-dfn.hcl source.file.alerts end --yes
  etl state set wazuh-dfn.hcl source.file.alerts /var/ossec/logs/alerts/alerts.json:40960 --sink sink.kafka.dfn
  etl state set wazuh-dfn.hcl source.file.alerts /var/ossec/logs/alerts/2026/Mar/ossec-alerts-01.json.gz:0`,
		Args:              cobra.ExactArgs(3),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := flags.pipelineTarget(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			c, err := t.Set(args[1], args[2], sink)
			if err != nil {
				return refused(err)
			}
			return change(cmd, t, c, yes)
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&sink, "sink", "", "only the sink at `ADDRESS`")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it; without, only say what would be done")
	return cmd
}

func newStateExport(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	cmd := &cobra.Command{
		Use:               "export TARGET",
		Short:             "Print all checkpoints as JSON, for etl state import",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := flags.target(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := t.Export(cmd.OutOrStdout()); err != nil {
				return noState(t, err)
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func newStateImport(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	var from string
	var yes bool
	cmd := &cobra.Command{
		Use:   "import FILE EXPORT|REGISTRY|beginning|end",
		Short: "Take over how far another etl, Filebeat or wazuh-dfn has read",
		Long: `Take over how far another has read. What is imported is an export of etl state export (- is
standard input), or the registry of Filebeat 7 or 8: its directory registry/filebeat, or the
data directory around it. Each file is looked for by inode or path, and its offset held
against the file: one inside of a line is moved back to the line's beginning; Filebeat stops
between lines, so it means another file, which is read from its beginning.

wazuh-dfn does not remember how far it has read: with --from wazuh-dfn the files are begun at
their end (stop wazuh-dfn first, then nothing is delivered twice) or beginning.`,
		Example: `  etl state import wazuh-dfn.hcl /var/lib/filebeat/registry/filebeat --yes
  etl state import wazuh-dfn.hcl --from wazuh-dfn end --yes`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := flags.pipelineTarget(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			c, err := imported(t, from, args[1], cmd.InOrStdin())
			if err != nil {
				return err
			}
			return change(cmd, t, c, yes)
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&from, "from", "", "`WHO` has read so far: etl, filebeat or wazuh-dfn (default: what the second argument is)")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it; without, only say what would be done")
	return cmd
}

// pipelineTarget is target for what needs to know the components.
func (f *pipelineFlags) pipelineTarget(path string, stderr io.Writer) (*positions.Target, error) {
	t, err := f.target(path, stderr)
	if err == nil && t.Plan == nil {
		return nil, refused(fmt.Errorf("%s is a state directory: name the pipeline file, and --state-dir if it is not the usual one", path))
	}
	return t, err
}

// imported is what name says, of whoever it is.
func imported(t *positions.Target, from, name string, stdin io.Reader) (*positions.Changes, error) {
	switch from {
	case "wazuh-dfn":
		c, err := t.FromWazuhDFN(name)
		if err != nil {
			return nil, refused(err)
		}
		return c, nil
	case "", "etl", "filebeat":
	default:
		return nil, refused(fmt.Errorf("--from %s: write etl, filebeat or wazuh-dfn", from))
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() && from != "etl" {
		entries, err := filebeat.Read(name)
		if err != nil {
			return nil, refused(err)
		}
		return fromFilebeat(t, entries)
	}
	var raw []byte
	if name == "-" {
		name = "standard input"
		raw, err = io.ReadAll(stdin)
	} else {
		raw, err = os.ReadFile(name)
	}
	if errors.Is(err, fs.ErrNotExist) && from == "" && (name == "beginning" || name == "end") {
		return nil, refused(fmt.Errorf("there is no file %s: where wazuh-dfn is to be followed, write --from wazuh-dfn %[1]s", name))
	}
	if err != nil {
		return nil, refused(fmt.Errorf("reading what is to be imported: %w", err))
	}
	if from == "filebeat" || from == "" && strings.HasPrefix(strings.TrimSpace(string(raw)), "[") { // Filebeat 6 has one file, an array
		entries, err := filebeat.Parse(raw)
		if err == nil && len(entries) == 0 {
			err = errors.New("the list names no file that Filebeat has read, and is no export of etl state export")
		}
		if err != nil {
			return nil, refused(fmt.Errorf("%s: %w", name, err))
		}
		return fromFilebeat(t, entries)
	}
	c, err := t.Import(raw)
	if err != nil {
		return nil, refused(fmt.Errorf("%s: %w", name, err))
	}
	return c, nil
}

func fromFilebeat(t *positions.Target, entries []filebeat.Entry) (*positions.Changes, error) {
	c, err := t.FromFilebeat(entries)
	if err != nil {
		return nil, refused(err)
	}
	return c, nil
}

// change says what c changes, and does it if yes.
func change(cmd *cobra.Command, t *positions.Target, c *positions.Changes, yes bool) error {
	if err := c.Describe(cmd.OutOrStdout(), t.Saved()); err != nil {
		return failed(err)
	}
	said := "nothing was changed: add --yes to do it"
	switch {
	case len(c.Checkpoints) == 0:
		said = "there is nothing to change"
	case yes:
		if err := t.Apply(c); err != nil {
			return refused(err)
		}
		said = "stored in " + t.Path
	}
	_, err := fmt.Fprintln(cmd.ErrOrStderr(), said)
	return err
}
