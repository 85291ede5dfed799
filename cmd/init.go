package cmd

import (
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/self"
	"github.com/wazuh-etl/etl/cmd/internal/shipped"
)

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [NAME [DIR]]",
		Short: "Begin with a copy of a pipeline that comes with etl",
		Long: `Copy the shipped pipeline NAME with its scripts, fixtures and tests into DIR (default: a new
folder NAME), ready to run and to edit. Nothing is overwritten. Without NAME, list the
shipped pipelines.`,
		Args: cobra.MaximumNArgs(2),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			all, err := shipped.All()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return names(all), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := shipped.All()
			if err != nil {
				return failed(err)
			}
			if len(args) == 0 {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
				for _, p := range all {
					fmt.Fprintf(w, "%s\t%s\n", p.Name, p.Summary)
				}
				return w.Flush()
			}
			return begin(cmd, all, args[0], args[len(args)-1])
		},
	}
}

func begin(cmd *cobra.Command, all []shipped.Pipeline, name, dir string) error {
	known := false
	for _, p := range all {
		known = known || p.Name == name
	}
	if !known {
		return refused(fmt.Errorf("there is no shipped pipeline %q: the nearest is %s (etl init lists all)", name, nearest(name, names(all))))
	}
	files, err := shipped.Files(name)
	if err != nil {
		return failed(err)
	}
	if err := shipped.Copy(files, dir); err != nil {
		return refused(err)
	}
	required, err := shipped.Required(files[name+".hcl"])
	if err != nil {
		return failed(err)
	}
	file := filepath.Join(dir, name+".hcl")
	variables := ""
	for _, v := range required {
		variables += " --var " + v.Name + "=…"
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%[1]s, with %[2]d files that it needs, is ready:\n\n  %[3]s test %[1]s\n  %[3]s run%[4]s %[1]s\n", file, len(files)-1, self.Command(), variables)
	if len(required) > 0 {
		fmt.Fprintln(w)
	}
	for _, v := range required {
		fmt.Fprintf(w, "  %s\t%s\n", v.Name, v.Description)
	}
	return w.Flush()
}

func names(all []shipped.Pipeline) []string {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}
