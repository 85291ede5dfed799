package cmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/positions"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/spool"
	"github.com/wazuh-etl/etl/runtime/state"
)

func newQueue(specs []*component.Spec) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Show and empty queues on disk",
		Long: `Show and empty queues on disk: those of sources with queue { storage = "disk" }. TARGET is a
pipeline file, or its state directory, STATE/NAME. SOURCE is the address of a source, needed
where there are several queues. Looking changes nothing, and may be done while the pipeline runs.

A queue keeps what some sink has still to get; what all of them have had goes a file at a time, a
little later. Each event has a number, which counts up and is never used again.

A queue that no source uses is what one has left that was removed, or changed: give it back its
name and settings, and its events are delivered; or print them with export, and remove
them with drop.`,
	}
	cmd.AddCommand(
		newQueueCommand(specs, "ls", "Say what each queue holds, what waits for each sink, and what is lost",
			func(w io.Writer, queues []*queueOnDisk) error {
				for _, q := range queues {
					if err := q.list(w); err != nil {
						return err
					}
				}
				return nil
			}),
		newQueueCommand(specs, "show", "Print the records of a queue, one JSON object a line",
			func(w io.Writer, queues []*queueOnDisk) error {
				return single(queues, func(q *queueOnDisk) error { return q.show(w) })
			}),
		newQueueCommand(specs, "export", "Print the events of a queue as they came, one a line",
			func(w io.Writer, queues []*queueOnDisk) error {
				return single(queues, func(q *queueOnDisk) error { return q.export(w) })
			}),
		newQueueDrop(specs),
	)
	return cmd
}

func newQueueCommand(specs []*component.Spec, name, short string, do func(io.Writer, []*queueOnDisk) error) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	cmd := &cobra.Command{
		Use: name + " TARGET [SOURCE]", Short: short, Args: cobra.RangeArgs(1, 2), ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, queues, err := flags.queues(args, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			for _, q := range queues {
				q.escape = isTerminal(cmd.OutOrStdout())
			}
			if err := do(out, queues); err != nil {
				return err
			}
			if err := out.Flush(); err != nil {
				return failed(err)
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

func newQueueDrop(specs []*component.Spec) *cobra.Command {
	flags := pipelineFlags{specs: specs}
	var yes bool
	cmd := &cobra.Command{
		Use:               "drop TARGET [SOURCE]",
		Short:             "Remove all records of a queue, while the pipeline is not running",
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, queues, err := flags.queues(args, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			unlock, err := state.Lock(t.Path)
			if err != nil {
				return failed(err)
			}
			defer unlock()
			return single(queues, func(q *queueOnDisk) error {
				if !yes {
					n, err := q.undelivered()
					if err != nil {
						return failed(err)
					}
					return refused(fmt.Errorf("this removes %s of %s, %d of which some sink has not had: say --yes if that is meant", events(q.Records), q.address, n))
				}
				if err := q.Drop(q.state); err != nil {
					return failed(fmt.Errorf("dropping the queue of %s: %w", q.address, err))
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s removed\n", q.address, events(q.Records))
				return err
			})
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// queueOnDisk is one source's.
type queueOnDisk struct {
	*spool.Store
	address string
	state   component.State
	cursors map[string]component.Position // of each sink, where the pipeline is known of its sinks
	unused  bool                          // no source of the pipeline has it; false if the pipeline is not known
	escape  bool
}

// queues are those below the state directory of the target, or the one that args name.
func (f *pipelineFlags) queues(args []string, stderr io.Writer) (*positions.Target, []*queueOnDisk, error) {
	t, err := f.target(args[0], stderr)
	if err != nil {
		return nil, nil, err
	}
	dir, _, err := t.Look()
	if err != nil {
		return nil, nil, noState(t, err)
	}
	homes, err := dir.Homes()
	if err != nil {
		return nil, nil, failed(err)
	}
	var queues []*queueOnDisk
	for _, address := range homes {
		if len(args) > 1 && address != args[1] {
			continue
		}
		q, err := lookAt(t, dir, address)
		if err == nil && len(q.Missing) > 0 && state.Holder(t.Path) != "" {
			var later *queueOnDisk
			if dir, _, err = t.Look(); err == nil {
				later, err = lookAt(t, dir, address)
			}
			if err == nil {
				q.Confirm(later.Store)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, failed(fmt.Errorf("looking at the queue of %s: %w", address, err))
		}
		queues = append(queues, q)
	}
	if len(queues) == 0 {
		return nil, nil, failed(fmt.Errorf("there is no queue on disk in %s", t.Path))
	}
	return t, queues, nil
}

// lookAt is the queue of the source at address as it is now.
func lookAt(t *positions.Target, dir *state.Dir, address string) (*queueOnDisk, error) {
	q := &queueOnDisk{address: address, state: dir.Component(address), cursors: dir.Checkpoints(address)}
	if t.Plan != nil {
		has := func(is func(*plan.Node) bool) bool { return slices.ContainsFunc(t.Plan.Nodes, is) }
		q.unused = !has(func(n *plan.Node) bool { return n.Address == address && n.Queue.Disk })
		maps.DeleteFunc(q.cursors, func(sink string, _ component.Position) bool {
			return sink != graph.DeadLetters && !has(func(n *plan.Node) bool { return n.Address == sink })
		})
	}
	var err error
	q.Store, err = spool.Look(t.FS, dir.ComponentDir(address), q.state)
	return q, err
}

// single does something with the one queue there is.
func single(queues []*queueOnDisk, do func(*queueOnDisk) error) error {
	if len(queues) > 1 {
		var all []string
		for _, q := range queues {
			all = append(all, q.address)
		}
		return refused(fmt.Errorf("there are several queues, name one: %s", strings.Join(all, ", ")))
	}
	return do(queues[0])
}

// undelivered counts the events that not all sinks have.
func (q *queueOnDisk) undelivered() (n int64, err error) {
	if len(q.cursors) == 0 {
		return q.Records, nil
	}
	for _, p := range q.cursors {
		behind, err := q.Behind(p)
		if err != nil {
			return 0, err
		}
		n = max(n, behind)
	}
	return n, nil
}

func (q *queueOnDisk) list(w io.Writer) error {
	fmt.Fprintln(w, q.address)
	if q.unused {
		fmt.Fprintln(w, "  no source of the pipeline uses it: nobody delivers what waits here (see etl queue --help)")
	}
	if q.Records == 0 {
		fmt.Fprintf(w, "  is empty (%d bytes on disk)\n", q.Bytes)
	} else {
		waiting, err := q.undelivered()
		if err != nil {
			return failed(err)
		}
		fmt.Fprintf(w, "  %d of %s on disk wait for a sink; numbers %d to %d, received from %s to %s, %d bytes\n",
			waiting, events(q.Records), q.First, q.Last, q.Oldest.Format(time.RFC3339), q.Newest.Format(time.RFC3339), q.Bytes)
	}
	for _, r := range q.Missing {
		fmt.Fprintf(w, "  lost: %s with the numbers %s should be on disk and are not\n", events(r.Count()), r)
	}
	if len(q.cursors) == 0 && q.Records > 0 {
		fmt.Fprintln(w, "  no sink has had any of it yet")
	}
	for _, sink := range slices.Sorted(maps.Keys(q.cursors)) {
		p := q.cursors[sink]
		behind, err := q.Behind(p)
		if err != nil {
			return failed(err)
		}
		switch {
		case behind == 0:
			fmt.Fprintf(w, "  %s: has everything\n", sink)
		case p.Generation != q.Generation:
			fmt.Fprintf(w, "  %s: stood in another queue, which is gone; all %s wait for it\n", sink, events(behind))
		default:
			fmt.Fprintf(w, "  %s: %s for it, from number %d on\n", sink, wait(behind), max(p.Offset, q.First))
		}
	}
	return nil
}

func events(n int64) string {
	if n == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", n)
}

func wait(n int64) string {
	if n == 1 {
		return "1 event waits"
	}
	return fmt.Sprintf("%d events wait", n)
}

func (q *queueOnDisk) show(w io.Writer) error {
	err := q.Each(func(r *spool.Record) error {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		text := string(line)
		if q.escape {
			text = escapeControls(text)
		}
		_, err = fmt.Fprintln(w, text)
		return err
	})
	if err != nil {
		return failed(err)
	}
	return nil
}

// escapeControls writes what a terminal would act on, and JSON lets stand, as JSON escapes.
func escapeControls(line string) string {
	var b strings.Builder
	for _, c := range line {
		if c == 0x7f || c >= 0x80 && c < 0xa0 {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func (q *queueOnDisk) export(w io.Writer) error {
	err := q.Each(func(r *spool.Record) error {
		_, err := fmt.Fprintln(w, r.Text)
		return err
	})
	if err != nil {
		return failed(err)
	}
	return nil
}
