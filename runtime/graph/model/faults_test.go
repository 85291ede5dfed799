package model

import "strings"

// fault is what is wrong with the protocol.
type fault uint8

const (
	none fault = iota
	acknowledgedAtEnqueue
	checkpointBeforeAnswer
	answersMoveAlone
	deliveredNotCounted
	deadLettersNotCounted
	skippedMoves
	noSkip
	writtenInPlace
	readOneByOne
	beginningForgotten
	beginNotTold
	offsetKept
	notDrained
	notReadAgain
	halfLineTaken
	halfArchiveTrusted
	compressedNotFound
	lostBeginsLate
	lostBehindLatest
	waitingCopyMissed
	reloadDrops
	reloadPutsBehind
	answeredOvertake
	newSinkWithoutPosition
	resumeForgotten
	skipsKept
	detachedAtEmitted
	detachedAtLot
	joinWithoutSkip
	joinByOffset
	joinUnreached
	sideMovesAlone
	joinForgotten
)

// plant is a fault, and a world in which it shows.
type plant struct {
	fault fault
	name  string
	world bounds
}

// file is the name as one of a file.
func (p plant) file() string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\'' {
			return '-'
		}
		return r
	}, p.name)
}

var planted = []plant{
	{acknowledgedAtEnqueue, "acknowledged when it is queued", delivery},
	{checkpointBeforeAnswer, "acknowledged when it is sent", delivery},
	{answersMoveAlone, "an answer moves the position over what is owed before", delivery},
	{deliveredNotCounted, "what is behind delivered does not count for the first sink", delivery},
	{deadLettersNotCounted, "dead letters do not count for the sink that refused", delivery},
	{skippedMoves, "the position moves while skipping", delivery},
	{noSkip, "nothing is skipped after a start", delivery},
	{writtenInPlace, "the checkpoint has one file only", storing},
	{readOneByOne, "the checkpoint reads one position after the other", storing},
	{beginningForgotten, "the first beginning is not remembered", atEnd},
	{beginNotTold, "nobody is told in which generation a start begins", rotation},
	{offsetKept, "the offset is kept in the next generation", rotation},
	{notDrained, "the old generation is left at once", rotation},
	{notReadAgain, "the old generation is not read again after its writer has left", rotation},
	{halfLineTaken, "half a line is taken", rotation},
	{halfArchiveTrusted, "half an archive is trusted", rotation},
	{compressedNotFound, "a compressed generation is not found", rotation},
	{lostBeginsLate, "a lost position is taken for that of the other sink", deleting},
	{lostBehindLatest, "of two lost positions the later one counts", seenGone},
	{waitingCopyMissed, "the copy of a generation that waits is not read", copying},
	{reloadDrops, "a reload drops what is in flight", replaced},
	{reloadPutsBehind, "a reload puts what is in flight behind the queue", replaced},
	{answeredOvertake, "what is answered overtakes what is sent again", windows},
	{newSinkWithoutPosition, "a sink that comes with a reload has no position", coming},
	{resumeForgotten, "a source that is replaced before its first lot starts anew", sources},
	{skipsKept, "what is skipped is kept for a source that reads another file", moved},
	{detachedAtEmitted, "a detached sink reads on behind what was read", alone},
	{detachedAtLot, "a detached sink reads a lot again that was half queued", alone},
	{joinWithoutSkip, "a sink joins and nothing is skipped", alone},
	{joinByOffset, "a sink joins by the offset in whatever generation", alone},
	{joinUnreached, "a sink joins and skips until a generation that has passed", alone},
	{sideMovesAlone, "the own reader moves the position over what is owed before", refusing},
	{joinForgotten, "a sink that is detached again stands where it joined", again},
}
