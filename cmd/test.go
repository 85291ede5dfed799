package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/testing"
	"github.com/wazuh-etl/etl/runtime/world"
)

// testFlags are those of etl test.
type testFlags struct {
	pipelineFlags
	run     string
	update  bool
	junit   string
	verbose bool
}

func newTest(specs []*component.Spec) *cobra.Command {
	flags := testFlags{pipelineFlags: pipelineFlags{specs: specs}}
	cmd := &cobra.Command{
		Use:   "test FILE…",
		Short: "Run the tests of pipelines",
		Long: `Run the test blocks of pipelines, and of NAME.test.hcl beside each: fixture events go through
the real graph up to the sinks, which write down what they would send. No broker, no
certificate and no credential is needed, and a variable without a value is no error.

A failing test shows the difference, and for an event that is missing the component that
dropped it and why.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: pipelineFiles,
		RunE: func(cmd *cobra.Command, files []string) error {
			return runTests(cmd.Context(), files, &flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&flags.run, "run", "", "run only tests whose sentence matches `REGEXP`")
	cmd.Flags().BoolVar(&flags.update, "update", false, "write what came out as the new golden files")
	cmd.Flags().StringVar(&flags.junit, "junit", "", "also write the results to `FILE` in JUnit's XML form")
	cmd.Flags().BoolVarP(&flags.verbose, "verbose", "v", false, "also show the tests that pass, and every event's way")
	return cmd
}

func runTests(ctx context.Context, files []string, flags *testFlags, stdout, stderr io.Writer) error {
	pattern, err := regexp.Compile(flags.run)
	if err != nil {
		return refused(fmt.Errorf("--run %s: %w", flags.run, err))
	}
	report := testing.Report{Verbose: flags.verbose, Source: os.ReadFile}
	refusedAny := false
	for _, file := range files {
		results, list, err := testPipeline(ctx, file, pattern, flags)
		if e := printer(stderr).Text(stderr, list); e != nil {
			return failed(e)
		}
		if err != nil {
			return err
		}
		refusedAny = refusedAny || list.Failed()
		if err := report.Add(stdout, file, results); err != nil {
			return failed(err)
		}
	}
	if err := report.Finish(stdout); err != nil {
		return failed(err)
	}
	if flags.junit != "" {
		if err := report.WriteJUnit(flags.junit); err != nil {
			return failed(err)
		}
	}
	switch {
	case refusedAny:
		return refused(nil)
	case report.Failed > 0:
		return failed(nil)
	case report.Passed == 0 && flags.run != "":
		return failed(fmt.Errorf("no test matches %s", flags.run))
	case report.Passed == 0:
		return failed(errors.New("there is no test: write a test block, see docs/testing.md"))
	}
	return nil
}

// testPipeline runs the tests of one pipeline that pattern matches. Each gets
// a plan of its own, made with its variables.
func testPipeline(ctx context.Context, file string, pattern *regexp.Regexp, flags *testFlags) ([]*testing.Result, diag.List, error) {
	o, err := flags.options(lang.Graph)
	if err != nil {
		return nil, nil, err
	}
	all, list := load.Pipeline(file, o)
	if all == nil {
		return nil, list, nil
	}
	var results []*testing.Result
	for _, t := range all.Tests {
		if !pattern.MatchString(t.Name) {
			continue
		}
		o.Mode, o.Test = lang.Test, t.Name
		p, found := load.Pipeline(file, o)
		if p == nil {
			return results, append(list, found...), nil
		}
		r, err := testing.Run(ctx, p, only(p, t.Name), testing.Options{World: world.OS(), Update: flags.update})
		if err != nil {
			return nil, list, failed(fmt.Errorf("%s: test %q: %w", file, t.Name, err))
		}
		results = append(results, r)
	}
	return results, list, nil
}

func only(p *plan.Plan, name string) *plan.Test {
	for _, t := range p.Tests {
		if t.Name == name {
			return t
		}
	}
	return nil
}
