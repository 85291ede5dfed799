// Package stdio is source "stdin" and sink "stdout".
package stdio

import (
	"os"

	"golang.org/x/term"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
)

// Specs are the components of this package.
func Specs() []*component.Spec {
	return []*component.Spec{
		{
			Role:    component.RoleSource,
			Kind:    "stdin",
			Summary: "Reads lines from standard input until it ends",
			Doc:     stdinDoc,
			Codec:   true,
			Attrs:   codec.Attrs(),
			Example: `source "stdin" "lines" { codec = "lines" }
`,
			NewSource: func(c *component.Config) (component.Source, error) {
				return &source{address: c.Address, options: codec.FromConfig(c), input: standardInput}, nil
			},
		},
		{
			Role:      component.RoleSink,
			Kind:      "stdout",
			Summary:   "Writes a line for each event to standard output",
			Guarantee: "Delivered means: written. What reads the other end of a pipe may not have seen it yet.",
			Doc:       stdoutDoc,
			Example: `sink "stdout" "show" { from = source.stdin.lines }
`,
			NewSink: func(*component.Config) (component.Sink, error) {
				return &sink{out: os.Stdout, visible: term.IsTerminal(int(os.Stdout.Fd()))}, nil
			},
		},
	}
}

const stdinDoc = `Standard input can't be read again: after a restart what was in flight is gone, and each run has a part of its own in
the ids of its events. The source ends with its input.

| what happens when … | then | test |
| --- | --- | --- |
| **gone**: the input ends | the last line counts without its line break, then the source ends | TestReadsToTheEnd |
| **reload**, while a line is half there | the half is kept for the source that comes next in this process | TestReloadKeepsHalfALine |
| **crash** | what was in flight is gone, unless ` + "`queue { storage = \"disk\" }`" + ` had it | TestRunsHaveIDsOfTheirOwn, TestQueueOnDiskOutlivesAKill |
| **bad data**: a line is no JSON object, or too long | it goes to ` + "`.errors`" + ` | TestReadsToTheEnd |
| **unreadable**: reading fails | the pipeline stops with the error | TestReadError |
`

const stdoutDoc = `The payload and a line break are written; without ` + "`payload`" + ` that is the event as JSON. On a terminal control
characters are shown as ` + "`\\u001b`" + `, so that no event can write there what it likes; a pipe or file gets every byte.

| what goes wrong | whose error | then | test |
| --- | --- | --- | --- |
| writing fails | the target's | it is tried again | TestWriteError |
| the reader is slow or has stopped | the target's | it is waited for | TestSlowReader |

| what happens when … | then | test |
| --- | --- | --- |
| **down**: who read the pipe has ended | the process is ended by SIGPIPE, as every other in a pipe; what was not written comes again at the next start | TestAPipeThatNobodyReads |
| **full**: the disk under a redirection is, or the pipe | it is tried again, or waited for | TestWriteError, TestSlowReader |
| **bad data** | it is written as it is; a payload of several lines makes several | TestStdoutWritesLines, TestATerminalGetsNoControlCharacters |
| **reload**, or a stop, while the reader does not read | nobody waits for it: what was being written may come twice | TestSlowReader |
| **crash** | what was written since the last checkpoint comes again | TestEachSinkResumesWhereItStood |
`
