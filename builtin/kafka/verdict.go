package kafka

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// owner is whose error a refusal is.
type owner int

const (
	target owner = iota // another record would fare no better now
	record              // another record could be taken at the same moment
)

// verdict is one row of the error table. What is not in the table is the
// target's.
type verdict struct {
	err   *kerr.Error
	owner owner
	code  string // of the event's failure
	words string
	// quiet errors are answered by the client itself, which sends again
	// under the same sequence numbers.
	quiet bool
}

var verdicts = []verdict{
	{err: kerr.MessageTooLarge, owner: record, code: "message_too_large", words: "the record is larger than the broker or topic allows"},
	{err: kerr.RecordListTooLarge, owner: record, code: "message_too_large", words: "the record is larger than a log segment of the broker"},
	{err: kerr.InvalidRecord, owner: record, code: "invalid_record", words: "the broker refuses the record (a compacted topic without key, a schema)"},
	{err: kerr.InvalidTopicException, owner: record, code: "invalid_topic", words: "records can't be sent to a topic of this name"},
	{err: kerr.UnknownTopicOrPartition, words: "the topic does not exist"},
	{err: kerr.TopicAuthorizationFailed, words: "not authorised to write to the topic"},
	{err: kerr.ClusterAuthorizationFailed, words: "not authorised to use the cluster as an idempotent producer"},
	{err: kerr.TransactionalIDAuthorizationFailed, words: "not authorised to use the transactional id"},
	{err: kerr.ProducerFenced, words: "another producer has begun under the same transactional id, or the transaction took too long"},
	{err: kerr.InvalidTxnState, words: "the transaction took too long"},
	{err: kerr.SaslAuthenticationFailed, words: "user name or password is refused"},
	{err: kerr.UnsupportedSaslMechanism, words: "the SASL mechanism is not supported"},
	{err: kerr.PolicyViolation, words: "a policy of the broker refuses it"},
	{err: kerr.CorruptMessage, words: "the batch arrived damaged"},
	{err: kerr.InvalidTimestamp, words: "the time is too far from the broker's: check the clocks"},
	{err: kerr.UnsupportedCompressionType, words: "the compression is not supported: choose another"},
	{err: kerr.UnsupportedForMessageFormat, words: "the topic has an old message format"},
	{err: kerr.InvalidRequiredAcks, words: "acks=all is not supported"},
	{err: kerr.UnknownServerError, words: "the broker had an unexpected error: see its log"},
	{err: kerr.NotEnoughReplicas, words: "fewer replicas are in sync than the topic requires", quiet: true},
	{err: kerr.NotEnoughReplicasAfterAppend, words: "fewer replicas are in sync than the topic requires", quiet: true},
	{err: kerr.LeaderNotAvailable, words: "the partition has no leader just now", quiet: true},
	{err: kerr.NotLeaderForPartition, words: "the partition has moved to another broker", quiet: true},
	{err: kerr.RequestTimedOut, words: "the replicas did not answer in time", quiet: true},
	{err: kerr.KafkaStorageError, words: "the broker can't write to its disk", quiet: true},
	{err: kerr.ThrottlingQuotaExceeded, words: "a quota is used up", quiet: true},
	{err: kerr.OutOfOrderSequenceNumber, words: "the broker has lost track of this producer", quiet: true},
	{err: kerr.UnknownProducerID, words: "the broker has forgotten this producer", quiet: true},
	{err: kerr.InvalidProducerEpoch, words: "the broker has a newer epoch of this producer", quiet: true},
}

// judge is the verdict on what a record's promise said. A topic that is the
// same for every event is wrong for all of them, so that it is the target's.
func judge(err error, constant bool) verdict {
	for _, v := range verdicts {
		if errors.Is(err, v.err) {
			if constant && v.err == kerr.InvalidTopicException {
				v.owner, v.code = target, ""
			}
			return v
		}
	}
	return verdict{}
}

// verdictTable is the rows of the documentation's table.
func verdictTable() string {
	var rows strings.Builder
	for _, v := range verdicts {
		whose, what := "the target's", "tried again"
		if v.owner == record {
			whose, what = "the record's", "`.errors`, code `"+v.code+"`"
		}
		if v.err == kerr.InvalidTopicException {
			whose, what = "the record's; the target's if `topic` is the same for all", what+"; tried again"
		}
		fmt.Fprintf(&rows, "| `%s`: %s | %s | %s | TestVerdicts |\n", v.err.Message, v.words, whose, what)
	}
	return rows.String()
}
