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
| the input ends | the last line counts without its line break, then the source ends | TestReadsToTheEnd |
| the pipeline stops or is reloaded while a line is half there | the half is kept for the source that comes next in this process | TestReloadKeepsHalfALine |
| a line is no JSON object, or too long | it goes to ` + "`.errors`" + ` | TestReadsToTheEnd |
| reading fails | the pipeline stops with the error | TestReadError |
`

const stdoutDoc = `The payload and a line break are written; without ` + "`payload`" + ` that is the event as JSON. On a terminal control
characters are shown as ` + "`\\u001b`" + `, so that no event can write there what it likes; a pipe or file gets every byte.

| what happens when … | whose error | then | test |
| --- | --- | --- | --- |
| the reader is slow or has stopped | the target's | it is waited for | TestSlowReader |
| writing fails | the target's | it is tried again | TestWriteError |
`
