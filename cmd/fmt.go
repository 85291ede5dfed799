package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/format"
	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
)

func newFmt(specs []*component.Spec) *cobra.Command {
	var check, showDiff bool
	cmd := &cobra.Command{
		Use:   "fmt FILE…",
		Short: "Bring pipeline files into their one form",
		Long: `Bring pipeline files into their one form, in place, and print the names of those that were
not. A folder means its .hcl files; - formats standard input to standard output. What stands
in strings and heredocs, expressions and Lua, is left alone.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "-" {
				return formatStream(cmd)
			}
			files, err := formattable(args)
			if err != nil {
				return refused(err)
			}
			changed, broken := false, false
			for _, name := range files {
				before, err := os.ReadFile(name)
				if err != nil {
					return refused(fmt.Errorf("reading %s: %w", name, err))
				}
				after, err := format.Source(name, before)
				if err != nil {
					broken = true
					if err := printer(cmd.ErrOrStderr()).Text(cmd.ErrOrStderr(), unparsable(specs, name, err)); err != nil {
						return failed(err)
					}
					continue
				}
				if bytes.Equal(before, after) {
					continue
				}
				changed = true
				switch {
				case showDiff:
					_, err = cmd.OutOrStdout().Write(diff.Diff(name, before, name, after))
				case check:
					_, err = fmt.Fprintln(cmd.OutOrStdout(), name)
				default:
					if err = replace(name, after); err == nil {
						_, err = fmt.Fprintln(cmd.OutOrStdout(), name)
					}
				}
				if err != nil {
					return failed(err)
				}
			}
			switch {
			case broken:
				return refused(nil)
			case check && changed:
				return failed(nil)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing; exit with 1 if a file is not formatted")
	cmd.Flags().BoolVar(&showDiff, "diff", false, "change nothing; show what would change")
	return cmd
}

func formatStream(cmd *cobra.Command) error {
	before, err := io.ReadAll(cmd.InOrStdin())
	if err != nil {
		return failed(fmt.Errorf("reading standard input: %w", err))
	}
	after, err := format.Source("<stdin>", before)
	if err != nil {
		return refused(err)
	}
	if _, err := cmd.OutOrStdout().Write(after); err != nil {
		return failed(err)
	}
	return nil
}

// formattable is the files that args mean.
func formattable(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", arg, err)
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(arg, "*.hcl"))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", arg, err)
		}
		files = append(files, inside...)
	}
	return files, nil
}

// replace writes a file anew, so that whoever watches it never sees half of
// it; a symbolic link stays one.
func replace(name string, content []byte) error {
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	temp := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".etl-fmt")
	if err := os.WriteFile(temp, content, info.Mode().Perm()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(temp, target); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", name, err), os.Remove(temp))
	}
	return nil
}

// unparsable is what the language's own loader says of the form of a file that
// is not HCL, else what HCL says.
func unparsable(specs []*component.Spec, name string, err error) diag.List {
	o := load.Options(specs)
	o.Mode = lang.Graph
	var found diag.List
	_, list := lang.Load(name, o)
	for _, d := range list {
		if strings.HasPrefix(string(d.Code), "ETL100") && d.Severity == diag.Error && d.Code != diag.NoPipeline {
			found = append(found, d)
		}
	}
	if len(found) > 0 {
		return found
	}
	var diags hcl.Diagnostics
	if !errors.As(err, &diags) {
		return diag.List{{Code: diag.Syntax, Range: diag.Range{File: name}, Message: err.Error()}}
	}
	for _, d := range diags {
		f := diag.Diagnostic{Code: diag.Syntax, Range: diag.Range{File: name}, Message: d.Summary, Suggestion: d.Detail}
		if d.Subject != nil {
			f.Range.Start, f.Range.End = diag.Pos(d.Subject.Start), diag.Pos(d.Subject.End)
		}
		found = append(found, f)
	}
	return found
}
