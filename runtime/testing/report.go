package testing

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Report puts results into words, and into JUnit's XML. Its zero value is
// ready.
type Report struct {
	Verbose bool
	// Source reads a pipeline file, to show the line that a failure is about.
	Source func(name string) ([]byte, error)

	Passed, Failed int
	suites         []suite
}

type suite struct {
	file    string
	results []*Result
}

// Add writes how the tests of a file went.
func (r *Report) Add(w io.Writer, file string, results []*Result) error {
	r.suites = append(r.suites, suite{file, results})
	for _, t := range results {
		if t.Passed() {
			r.Passed++
		} else {
			r.Failed++
		}
		if err := r.result(w, t); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) result(w io.Writer, t *Result) error {
	var b strings.Builder
	switch {
	case !t.Passed():
		fmt.Fprintf(&b, "FAIL  %s (%s:%d)\n", printable(t.Test.Name), t.Test.Range.File, t.Test.Range.Start.Line)
	case r.Verbose:
		fmt.Fprintf(&b, "ok    %s (%s)\n", printable(t.Test.Name), t.Duration.Round(time.Millisecond))
	}
	for _, f := range t.Failures {
		b.WriteString(indent(r.failure(f), "      "))
	}
	for _, name := range t.Updated {
		fmt.Fprintf(&b, "      updated %s\n", name)
	}
	if r.Verbose {
		for _, j := range t.Trace {
			fmt.Fprintf(&b, "      %s %s\n", j.ID, j.File)
			for _, s := range j.Steps {
				fmt.Fprintf(&b, "        %s\n", printable(s))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// failure is one failure in words, with the line that is not met.
func (r *Report) failure(f Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", f.Range, printable(f.Message))
	if line := r.line(f); line != "" {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if f.Diff != "" {
		b.WriteString(indent(f.Diff, "  "))
	}
	return b.String()
}

func (r *Report) line(f Failure) string {
	if r.Source == nil {
		return ""
	}
	raw, err := r.Source(f.Range.File)
	if err != nil {
		return ""
	}
	lines := strings.Split(string(raw), "\n")
	if n := f.Range.Start.Line; n > 0 && n <= len(lines) {
		return strings.TrimSpace(lines[n-1])
	}
	return ""
}

func indent(s, by string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(s, "\n")) {
		b.WriteString(by + printable(strings.TrimRight(line, "\n")) + "\n")
	}
	return b.String()
}

// printable escapes what would change a terminal: event text is not to be
// trusted.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			return '\uFFFD'
		}
		return c
	}, s)
}

// Finish writes the last line.
func (r *Report) Finish(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d passed, %d failed\n", r.Passed, r.Failed)
	return err
}

// The elements of JUnit's XML, as far as readers of it agree.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes all results to the file name.
func (r *Report) WriteJUnit(name string) error {
	var all junitSuites
	for _, s := range r.suites {
		suite := junitSuite{Name: s.file, Tests: len(s.results)}
		var total time.Duration
		for _, t := range s.results {
			c := junitCase{Name: t.Test.Name, Class: s.file, File: t.Test.Range.File, Line: t.Test.Range.Start.Line, Time: seconds(t.Duration)}
			total += t.Duration
			if !t.Passed() {
				suite.Failures++
				var text strings.Builder
				for _, f := range t.Failures {
					text.WriteString(r.failure(f))
				}
				c.Failure = &junitFailure{Message: t.Failures[0].Message, Text: text.String()}
			}
			suite.Cases = append(suite.Cases, c)
		}
		suite.Time = seconds(total)
		all.Suites = append(all.Suites, suite)
	}
	raw, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit results: %w", err)
	}
	if err := os.WriteFile(name, append([]byte(xml.Header), append(raw, '\n')...), 0o644); err != nil {
		return fmt.Errorf("writing JUnit results: %w", err)
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
