package file

import (
	"fmt"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/deadletter"
)

func sinkSpec() *component.Spec {
	return &component.Spec{
		Role:    component.RoleSink,
		Kind:    "file",
		Summary: "Appends a line for each event to a file",
		Guarantee: "Delivered means: on disk. All lines of a batch are written and then synced once (`fsync`), and only then " +
			"acknowledged. A line that a crash has cut is removed when the file is opened again; it was not acknowledged.",
		Doc:     sinkDoc,
		NewSink: newSink,
		Outputs: []string{"path: the absolute path of the file"},
		Example: `sink "file" "bans" {
  from      = filter.fail2ban
  path      = "bans/{{ agent.name ?? 'unknown' }}.jsonl"
  max_bytes = "256MiB"
  keep      = 3
}
`,
		Attrs: []component.Attr{
			{Name: "path", Type: component.TypeTemplate, Place: component.PlacePath, Address: true, Required: true,
				Doc: "The file. A relative path is below the state directory; directories are made. A value that is filled in can't leave its place in the path."},
			{Name: "max_bytes", Type: component.TypeSize, Check: positiveSize,
				Doc: "A file that would grow beyond it is renamed to `PATH.1` first, and a new one begun. Left out: it grows for ever, or until somebody else renames it, which is noticed."},
			{Name: "keep", Type: component.TypeCount, Default: 5, Check: positiveCount,
				Doc: "How many renamed files are kept, `PATH.1` being the newest. The number of lines in one that is removed is logged."},
			{Name: "max_open", Type: component.TypeCount, Default: 64, Check: positiveCount,
				Doc: "How many files are kept open at a time when the path depends on the event."},
			compression.Attr("Compresses each batch by itself, so that it is whole once it is synced; `zstdcat` and `zcat` read the file. Its name gets the suffix `.zst` or `.gz`, if the path does not end so (renamed: `PATH.zst.1`). " +
				"The more events come at a time, the more it saves. `max_bytes` is of what is on disk. Default: none."),
		},
	}
}

func deadLetterSpec() *component.Spec {
	return &component.Spec{
		Role:    component.RoleSink,
		Kind:    "dead_letter",
		Summary: "Keeps failed events in a bounded file, with what failed and the text they came as",
		Guarantee: "Delivered means: on disk. All records of a batch are written and then synced once (`fsync`), and only then " +
			"acknowledged. A record that a crash has cut is removed when the file is opened again; it was not acknowledged.",
		Doc:     deadLetterDoc,
		NewSink: newDeadLetters,
		Example: `sink "dead_letter" "failed" {
  from      = errors
  path      = "failed.jsonl"
  max_bytes = "1GiB"
}
`,
		Attrs: []component.Attr{
			{Name: "path", Type: component.TypeWritePath, Required: true,
				Doc: "The file. A relative path is below the state directory; directories are made."},
			{Name: "max_bytes", Type: component.TypeSize, Default: int64(deadletter.DefaultMaxBytes), Check: positiveSize,
				Doc: "The most that is kept, in two files, `PATH` and `PATH.1`. When both are full the older half is removed, and the number of its records logged."},
		},
	}
}

func positiveSize(value any) error {
	if n, ok := value.(int64); ok && n <= 0 {
		return fmt.Errorf("must be more than nothing")
	}
	return nil
}

func positiveCount(value any) error {
	if n, ok := value.(int); ok && n <= 0 {
		return fmt.Errorf("must be at least 1")
	}
	return nil
}

const sinkDoc = `The payload and a line break are appended; without ` + "`payload`" + ` that is the event as JSON. A payload of more than one line
stays what it is. No other component, and no other process, should write to the file.

| what goes wrong | whose error | then | test |
| --- | --- | --- | --- |
| a value makes a path that is a directory, or lies below a file | the record's | ` + "`.errors`" + `, code ` + "`path`" + ` | TestOwnPath |
| a value in the path is nil | the record's | ` + "`.errors`" + `, code ` + "`template`" + ` | TestOwnPath |
| the disk is full | the target's | what was written of the batch is taken back, it is tried again | TestDiskFull |
| a write, or opening a file, fails | the target's | likewise | TestWriteFails |
| a sync fails | the target's | the file is given up and set aside as ` + "`PATH.unsynced-TIME`" + `, the batch goes to a new file; a sync is never repeated | TestSyncFails |

| what happens when … | then | test |
| --- | --- | --- |
| **down**: the directory can't be made, permission is missing, at start | ` + "`etl run`" + ` ends with the error | TestOpenErrors |
| **down**: the same later | it is tried again, health says why | TestWriteFails |
| **full** | what fits is never left as half a line; it goes on when there is room | TestDiskFull |
| **bad data** | the payload is written as it is; only a path that can't be is an error | TestOwnPath |
| **reload** | what is not written yet goes to the successor, which goes on in the same file | TestSinkAnswersWhenStopped, TestReloadPutsANewSinkBehindTheSameQueue |
| **crash**: the process or the machine dies | the cut line is removed at the next open, the batch comes again: lines may be there twice | TestCrashLeavesWholeLines, TestCompressedCutAnywhere |
| with ` + "`compression`" + `, the file at the path has something else in it | it is left alone: ` + "`etl run`" + ` ends with the error, or, later, health says so and it is waited for | TestCompressedLeavesOtherFilesAlone |
| somebody renames or removes the file | a new one is begun at the next batch | TestRenamedByOthers |
| ` + "`max_bytes`" + ` is reached | it is renamed, the oldest is removed | TestSinkRotates |
`

const deadLetterDoc = `Each event is a line of JSON: ` + "`time`, `id`, `source`, `component`, `code`, `message`, `attempts`, `script`, `line`, `trace`, `generation`, `offset`, `position`, `received`" + `,
then ` + "`raw`" + `, the text the event came as (` + "`raw_base64`" + ` where that is not UTF-8), and ` + "`event`" + `, the document as it entered the component that
failed (missing where it could not be parsed). What does not apply is left out. ` + "`payload`" + ` plays no part. ` + "`etl dead-letter`" + ` lists,
shows and replays them.

| what goes wrong | whose error | then | test |
| --- | --- | --- | --- |
| an event is no JSON, or no UTF-8 | nobody's | it is kept as it came, ` + "`raw_base64`" + ` where it has to be | TestRecord |
| the disk is full, a write or a sync fails | the target's | as with sink ` + "`file`" + ` | TestDeadLetterErrors |

| what happens when … | then | test |
| --- | --- | --- |
| **down**: the file can't be opened or written | as with sink ` + "`file`" + ` | TestDeadLetterOpenErrors, TestDeadLetterErrors |
| **full**: ` + "`max_bytes`" + ` is reached | the older half is removed, its records are counted in the log | TestDeadLettersAreBounded |
| **full**: the disk is | the events wait; it goes on when there is room | TestDeadLetterErrors |
| **bad data** | it is what this sink is for: nothing is refused | TestRecord |
| **reload** | what it was given is written, the rest waits for the successor, which goes on in the same file | TestReloadPutsANewSinkBehindTheSameQueue |
| **crash** | a cut record is removed at the next open, the batch comes again: records may be there twice, with the same id | TestCrashAnywhere |
`
