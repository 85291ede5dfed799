package file

import (
	"fmt"
	"path"
	"time"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
)

// Specs are the components of this package.
func Specs() []*component.Spec {
	return []*component.Spec{sourceSpec(), sinkSpec(), deadLetterSpec()}
}

func sourceSpec() *component.Spec {
	return &component.Spec{
		Role:      component.RoleSource,
		Kind:      "file",
		Summary:   "Reads a file as it grows, through every kind of rotation, and resumes where its sinks stand",
		Doc:       sourceDoc,
		Codec:     true,
		NewSource: newSource,
		Shape: func(c *component.Config) string {
			if c.String("profile") == "" && (path.Base(c.String("path")) != "alerts.json" || c.String("codec") != string(codec.JSON)) {
				return ""
			}
			return "schemas/alert.json"
		},
		Example: `source "file" "alerts" {
  path    = "/var/ossec/logs/alerts/alerts.json"
  profile = "wazuh4"
}
`,
		Attrs: append([]component.Attr{
			{Name: "path", Type: component.TypeReadPath, Live: true, Required: true,
				Doc: "The file to read. It need not be there yet: it is waited for, unless `follow = false`."},
			{Name: "profile", Type: component.TypeEnum, Enum: []string{"wazuh4", "wazuh5"},
				Doc: "Who writes the file. `wazuh4`: a Wazuh 4.x manager, whose `alerts.json` is a hard link to `YYYY/Mon/ossec-alerts-DD.json`, or `-DD-NNN.json` after a rotation within the day. `wazuh5`: the `file` output of a Wazuh 5 engine, whose `CHANNEL.json` is one to `YYYY/Mon/CHANNEL-DD.json`. After downtime the dated files are read in order, compressed ones too, and their path becomes part of each event's id. Left out: any writer."},
			{Name: "follow", Type: component.TypeBool, Default: true,
				Doc: "Wait for more at the end of the file. `false` ends the source there; a file that is not there is an error then. `etl run --once` sets it for all files."},
			{Name: "start_at", Type: component.TypeEnum, Enum: []string{"beginning", "end"}, Default: "beginning",
				Doc: "Where to begin when no position is known: with the first line, or with the first one that is complete after the start. A file that appears later is always read from its beginning; older files, dated or rotated, are not read at a first start."},
			{Name: "poll_interval", Type: component.TypeDuration, Default: 250 * time.Millisecond, Check: positive,
				Doc: "How often to look at the file when nothing says that it has changed, as on network mounts."},
			{Name: "rate", Type: component.TypeRate,
				Doc: "The most lines that are handed over in a time. Left out: as fast as they can be taken."},
		}, codec.Attrs()...),
	}
}

func positive(value any) error {
	if d, ok := value.(time.Duration); ok && d <= 0 {
		return fmt.Errorf("must be more than nothing")
	}
	return nil
}

const sourceDoc = `Every line is an event. Its id is the file's generation and the line's offset: a
generation is one file from its first byte to its last, whatever names it has had, and is named by the hash of its
first line. Device and inode only help to find it again.

Invalid UTF-8 is left as it is in the event's bytes; it reads and writes as U+FFFD where something looks inside.

| what happens when … | then | test |
| --- | --- | --- |
| **gone**: the file is not there | it is waited for; with ` + "`follow = false`" + ` it is an error | TestWaitsForTheFile, TestOnceWithoutFile |
| **unreadable**: the file can't be opened or read, also at a start with checkpoints | health and the log say why, and, if it may not be read, as which user etl runs, whose the file is and what to do; it is tried again, and read from the checkpoints on as soon as it can be. With ` + "`etl run --once`" + ` it is an error | TestUnreadableFileIsTriedAgain, TestUnreadableAtAResume, TestInputThatCannotBeReadYetIsWaitedFor |
| the last line has no line break | it is waited for; at the end of a file that is not followed, or is rotated away, it is taken as it is | TestLastLineWithoutBreak |
| **bad data**: a line is no JSON object, is longer than ` + "`max_line_bytes`" + ` | it goes to ` + "`.errors`" + `, the next one does not suffer | TestBrokenLinesAreFailures |
| **rotated**: the file is renamed and a new one made | the old one is read to its end, then the new one from its start | TestRotationsLoseNothing |
| **rotated**: Wazuh unlinks it and links a new dated file | likewise | TestRotationsLoseNothing |
| **rotated**: several times while the sinks are held up | each file is held open and read in turn | TestRotationsWhileHeldUp |
| **rotated**: it is copied and truncated | the rest is read from the copy beside it, then the file from its start; bytes that were seen and are in no copy are a gap. What was written between the copy and the truncation is in neither, and nobody can know how much it was: a warning says so at each truncation, one while etl was down or the file was empty too | TestRotationsLoseNothing, TestUnwatchedTruncationIsTold |
| **rotated**: the copy is compressed at once, or gets its name after the truncation | an archive that is being made is waited for; a copy is looked for twice, a ` + "`poll_interval`" + ` apart, before a gap is counted | TestCopiedTruncatedAndCompressed, TestCopyComesBehindTheTruncation |
| **rotated**: it is copied and truncated, also several times within moments, while it waits to be read, or from empty to empty while etl is down | each copy is read in turn | TestTruncationsInARow, TestWaitingFileIsCopiedAndTruncated, TestEmptyFileIsWrittenCopiedAndTruncated |
| **rotated**: numbers are shifted, or count on; names have a date, or a suffix that nobody can foretell | what is new beside the file is read, and nothing twice, whatever it is called by then | TestRotationsUnderAnyName, TestWhatIsThroughIsNotReadAgain |
| it is truncated without a copy | it is read from its start; what was written behind the last offset read could not be seen: a gap | TestTruncationWithoutCopy, TestWaitingFileIsTruncated |
| it is replaced by a smaller file, also one that begins with the same line | that is read from its start, with ids of its own | TestReplacedByASmallerFile, TestTruncationWithoutCopy |
| **gone**: it vanishes and comes back | as a rename | TestVanishesAndComesBack |
| **rotated**: while the process is down | the file of the position is found by its first line among those beside it (and the dated ones), read to its end, then those after it | TestResumeAfterRotation, TestDownOverRotations, TestRotationsUnderAnyName |
| files are compressed (` + "`.gz`" + `) while the process is down | reading goes on inside the archive, at the same offset of what it holds, with the same ids | TestDownOverRotations, TestDownOverRotationsOnDisk, TestCompressedSiblings |
| a file is compressed while it is read, or waits to be | the file that is open is read to its end; of one that is not, the archive is | TestCompressedWhileRead, TestAnySchedule |
| **rotated**: into another directory, as by logrotate's ` + "`olddir`" + ` | while etl is at work the file is read to its end; nobody looks into other directories, so what is put there while it is down is a gap | TestOldDir |
| a file is there plain and compressed | the plain one is read; if they begin with different lines, both are | TestUnpackedBesideItsArchive, TestDatedNameTwice |
| an archive is damaged or cut off | what can be read is, the line at the damage goes to ` + "`.errors`" + `, the rest is a gap; reading goes on with the next file | TestDamagedArchive, TestCheckpointBehindTheDamage |
| days have many parts, months and years change, empty files are removed | they are read in the order of date and part | TestDatedNamesInOrder, TestDownOverRotations |
| there are more files to catch up with than can be held open | they are opened by and by | TestLongWalk |
| the clock of the manager is put back | the file it goes on in is read; what this run has read of it already is not read again | TestClockPutBack |
| **crash**: the process is killed at any moment, rotating or not | the next run goes on at the last checkpoint, with the same ids | TestKilledAgainAndAgain |
| **crash**: before there is a checkpoint | the next run goes on where the first one began | TestKilledBeforeTheFirstCheckpoint |
| **gone**: the file of the position | a gap; reading goes on at the start of the oldest file that is left behind it | TestWalkGoesOnBehindAFileThatIsGone, TestResumeWhereTheFileIsGone, TestLostPlaceBeginsWithTheOldestThatIsLeft, TestTheBeginningIsGone |
| the position lies behind the end of the only copy of its file | reading goes on at that end; what may have been written in between is a gap | TestPlaceBehindTheEndOfTheCopy |
| **reload**: the source's attributes have changed | its successor goes on behind the last lot that it gave | TestReloadedSourceGoesOnBehindItsPredecessor |
| **reload**: the source has a new name in the pipeline | it goes on behind the last lot that the old one gave, which read the same path, and the log says so; nothing comes twice. At a start, or while a sink is detached, it takes over the checkpoints, and what was on its way may come twice | TestClaims, TestASourceGoesOnOverReloads, TestARenamedSourceTakesOver |
| the inode was given to another file | its first line differs, so it is not taken for the old one | TestReusedInode |
| files begin with the same line | their generations are told apart by a number, so that no two events have the same id, and are found again by inode and by what else they begin with | TestSameFirstLine, TestSameFirstLineAgainLater, TestSameFirstLineCompressed |
| files are the same byte for byte, as a sample that is replayed | each is read that etl sees come; of several that come while it is down those that can't be told from copies of another are not, and the log names them | TestSameBytesAgain, TestSameBytesWhileDown |
| a file that was put aside, under whatever name, is still written to | it is read until there is something in the next one; what its writer adds to it after that is not read | TestPutAsideAndStillWritten, TestWriterGoesOnInTheOldFile |
| it is truncated, and begins as it did before when it is read again | that it was shorter was seen: the rest is read from the copy, then the file from its start; without a copy it is a gap | TestTruncatedFileBeginsAsBefore, TestWaitingEmptyFileIsTruncated |
| a file beside the path can't be read | one that nobody may read is left out with a warning; else it is tried again | TestFilesBesideThatCannotBeRead |
| the state can't be written, or what is stored of the files is damaged | reading goes on, it is tried again; files that are not known are ordered by their names | TestHistoryOnAFullDisk, TestHistoryIsDamaged |
| notifications do not come, or can't be had | the file is polled | TestPollsWhereNothingNotifies, TestWithoutNotifier |

Without a profile, files that a rotation puts aside are looked for in the directory of the path: those whose names begin like it, with ` + "`.`" + `, ` + "`-`" + ` or
` + "`_`" + ` behind that. Each is written down in the state when it is seen first, before anything of it is read, with its inode and how it begins. What is not known when the current
file is another one than before was put aside since: it is read if its name has a number or a date, or if files are put aside under names like it. Everything
else is left alone: copies, and files that were there at the first start. New files are read in the order of their numbers (the direction is
taken from those that are known), dates, or else times.

Of logrotate's options all work that leave the files in the directory: ` + "`create`" + `, ` + "`nocreate`" + `, ` + "`dateext`" + ` with any ` + "`dateformat`" + `, ` + "`extension`" + `,
` + "`start`" + `, ` + "`rotate`" + `, ` + "`compress`" + ` with gzip, ` + "`delaycompress`" + `. ` + "`copytruncate`" + ` loses what is written between the copy and the truncation, whoever
reads: prefer ` + "`create`" + ` where the writer can be told to open its file anew. With ` + "`olddir`" + `, and with a ` + "`compresscmd`" + ` other than gzip (` + "`.zst`" + `, ` + "`.xz`" + `, ` + "`.bz2`" + ` are
not read), nothing is lost while etl is at work, and what was not read before it stopped is a gap if it was put aside, or compressed, before the next start:
` + "`delaycompress`" + ` gives it a rotation more.

A **gap** is what could not be read, and for ever. Each is logged with file, generation and the offsets it goes from and to
(` + "`unknown`" + ` where nobody knows how long the file was), and counted in ` + "`gaps`" + ` and ` + "`missed_bytes`" + ` of the statistics.
A rotated file that is removed before anybody has opened it leaves no trace, nor does a file that was empty when etl stopped, and
was written to, truncated without a copy and written to again before the next start.

At a first start only the live file is read. To read archives as well, begin with a position in the first of them
(` + "`etl state set`" + `).
`
