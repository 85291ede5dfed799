package cmd

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/reference"
	"github.com/wazuh-etl/etl/runtime/component"
)

func newDocs(specs []*component.Spec) *cobra.Command {
	specs = reference.Sorted(specs)
	var markdown string
	cmd := &cobra.Command{
		Use:   "docs [COMPONENT]",
		Short: "Show the reference of components",
		Long: `Show the reference of a component: etl docs sink.kafka, or etl docs kafka. Without one, list
all components. "common" is what they share, "diagnostics" the codes of etl validate.`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return topics(specs), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case markdown != "" && len(args) > 0:
				return refused(errors.New("--markdown writes the whole reference: name no component"))
			case markdown != "":
				if err := reference.Write(markdown, specs); err != nil {
					return failed(err)
				}
				return nil
			case len(args) == 0:
				return list(cmd, specs)
			default:
				return show(cmd, specs, args[0])
			}
		},
	}
	cmd.Flags().StringVar(&markdown, "markdown", "", "write the whole reference as Markdown into `DIR`")
	return cmd
}

func list(cmd *cobra.Command, specs []*component.Spec) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
	for _, s := range specs {
		fmt.Fprintf(w, "%s.%s\t%s\n", s.Role, s.Kind, s.Summary)
	}
	return w.Flush()
}

// show prints the pages that name means.
func show(cmd *cobra.Command, specs []*component.Spec, name string) error {
	if page, ok := reference.Tree(nil)[name+".md"]; ok {
		_, err := fmt.Fprint(cmd.OutOrStdout(), page)
		return err
	}
	shown := 0
	for _, s := range specs {
		if name != s.Kind && name != string(s.Role)+"."+s.Kind {
			continue
		}
		if shown++; shown > 1 {
			fmt.Fprintln(cmd.OutOrStdout())
		}
		if err := reference.Page(cmd.OutOrStdout(), s); err != nil {
			return failed(err)
		}
	}
	if shown == 0 {
		return refused(fmt.Errorf("there is no component %q: the nearest is %s (etl docs lists all)", name, nearest(name, topics(specs))))
	}
	return nil
}

// topics is all that etl docs has a page for.
func topics(specs []*component.Spec) []string {
	names := []string{"common", "diagnostics"}
	for _, s := range specs {
		names = append(names, string(s.Role)+"."+s.Kind)
	}
	return names
}

// nearest is the one of names that is most like name, or whose last part is.
func nearest(name string, names []string) string {
	best, distance := "", -1
	for _, n := range names {
		d := levenshtein.Distance(name, n, nil)
		if _, kind, ok := strings.Cut(n, "."); ok {
			d = min(d, levenshtein.Distance(name, kind, nil))
		}
		if distance < 0 || d < distance {
			best, distance = n, d
		}
	}
	return best
}
