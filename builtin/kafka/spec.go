// Package kafka is sink "kafka": each event one record of a topic.
package kafka

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{sinkSpec} }

const exactlyOnce = "exactly_once"

var sinkSpec = &component.Spec{
	Role:    component.RoleSink,
	Kind:    "kafka",
	Summary: "Sends each event as a record to a Kafka topic",
	Guarantee: "Delivered means that the leader of the partition and all its in-sync replicas have stored the record (acks=all). " +
		"The producer is idempotent: what it sends again by itself is stored once, also by a broker that was killed and started again meanwhile " +
		"(unless that took so long that the brokers forgot the producer, `producer.id.expiration.ms`, a day: " +
		"then at most one batch in each partition is there twice). A record whose answer never came " +
		"(etl was killed, the broker's address was changed) is sent again and may then be there twice, with the same event id; " +
		"with delivery = \"exactly_once\" never for a reader of committed records.",
	Doc: documentation(),
	Attrs: []component.Attr{
		{Name: "brokers", Type: component.TypeStrings, Required: true, Check: checkBrokers,
			Doc: "Brokers to ask first, `host:port` (port 9092 if there is none); the rest of the cluster is found through them."},
		{Name: "topic", Type: component.TypeTemplate, Place: component.PlaceTopic, Address: true, Required: true, Check: checkTopic,
			Doc: "Topic. It must exist, unless the brokers create topics that are written to."},
		{Name: "key", Type: component.TypeTemplate, Place: component.PlaceKey, Address: true,
			Doc: "Key of the record: records with the same key go to the same partition, as with Kafka's own producer. Default: none, partitions are filled in turn."},
		{Name: "headers", Type: component.TypeTemplates, Place: component.PlaceHeader, Address: true,
			Doc: "Headers of the record, in the order written."},
		{Name: "compression", Type: component.TypeEnum, Enum: []string{"none", "gzip", "snappy", "lz4", "zstd"}, Default: "zstd",
			Doc: "Compression of record batches. If the brokers don't know it, nothing is compressed."},
		{Name: "max_message_bytes", Type: component.TypeSize, Default: int64(1 << 20), Check: checkMessageBytes,
			Doc: "Most bytes of a batch of records before compression, and so of one record with key and headers. " +
				"A larger record is that event's error. Keep it at or below `message.max.bytes` of the brokers."},
		{Name: "delivery", Type: component.TypeEnum, Enum: []string{"at_least_once", exactlyOnce}, Default: "at_least_once",
			Doc: "`\"exactly_once\"`: transactions, with checkpoints in Kafka itself, so that no reader with `isolation.level=read_committed` " +
				"sees an event twice, whatever dies in between. See [below](#exactly-once)."},
		{Name: "checkpoint_topic", Type: component.TypeString, Default: "etl-checkpoints", Check: checkCheckpointTopic,
			Doc: "With exactly once: the topic of the checkpoints, created with `cleanup.policy=compact` if it is not there. Pipelines may share it."},
		{Name: "client_id", Type: component.TypeString, Default: "etl",
			Doc: "What this client is called in the brokers' logs, metrics and quotas."},
	},
	Blocks:     []component.BlockSpec{tlsconfig.Block, saslBlock},
	Connection: []string{"brokers", tlsconfig.Block.Name, saslBlock.Name},
	Outputs: []string{
		"topic: the topic",
		"key: the key, if there is one",
		"headers: the headers, if there are any",
		"partition: the partition that has the record",
		"offset: its offset in the partition",
	},
	Example: `sink "kafka" "dfn" {
  from    = transform.lua.event_xml
  brokers = ["kafka1.example:9093", "kafka2.example:9093"]
  topic   = "dfn-{{ origin.agent.name ?? 'unknown' }}"

  tls {
    ca_file   = "ca.pem"
    cert_file = "cert.pem"
    key_file  = "key.pem"
  }
}
`,
	NewSink: newSink,
}

func documentation() string {
	return `Records are sent in the order of the events, and each partition keeps it. There is nothing to tune for batching: while one
lot of records is on its way, the next one gathers, so that a quiet pipeline waits for nothing and a busy one sends full batches. Each broker has one request at a time, with at most one batch
for each partition: of what a producer has sent, a broker that was restarted knows only the last batch in each partition.

An unreachable broker is waited for, without end. ` + "`etl run`" + ` stops with an error only if a broker answers and says that the topic does
not exist and is not created either; after a reload this is a warning, and the sink waits for the topic.

Whose error is it? A record's own errors send it to ` + "`.errors`" + `; everything else keeps it, and what is behind it, in the queue, is
tried again with growing pauses of up to 5 s, and shows as the sink's health. When a broker refuses a batch for the sake of one record, the batch is
sent again record by record, so that only the one is refused.

| what goes wrong, or the brokers say | whose error | then | test |
| --- | --- | --- | --- |
| a record, with key and headers, is larger than ` + "`max_message_bytes`" + ` | the record's | ` + "`.errors`" + `, code ` + "`message_too_large`" + ` | TestEncodeRefuses |
| a value makes a topic that can't be, or is nil | the record's | ` + "`.errors`" + `, code ` + "`invalid_topic`" + ` or ` + "`template`" + ` | TestEncodeRefuses |
` + verdictTable() + `| no connection, TLS or name resolution fails | the target's | tried again | TestOpenUnreachable, TestOutage, TestMutualTLS |
| no answer in time | the target's | tried again | TestSuccessor, TestRealKafka |
| anything else | the target's | tried again | TestVerdictUnknown |

| what happens when … | then | test |
| --- | --- | --- |
| **down**: no broker answers, at the start or later | they are waited for without end; health says why; then all comes in order | TestOpenUnreachable, TestOutage |
| **down**: some of several brokers | the others are asked | TestOpenSecondBroker |
| **down**: brokers come and go in any way | nothing is lost, each partition keeps its order | TestStorm |
| **down**: a broker is stopped or killed when it has stored records and not answered, and refuses connections until it is back, or closes them at once | what is sent again is stored once | TestRealKafka, TestABrokerThatClosesConnectionsAtOnce |
| **down**: the topic is not there at the start | ` + "`etl run`" + ` ends with the error; after a reload it is waited for | TestOpenMissingTopic |
| **down**: the topic is deleted, and made anew | what was not answered is sent to the new one | TestTopicMadeAnew |
| **full**: the brokers' disks, a quota, too few replicas in sync | tried again; no more than a bounded number of bytes is on its way, the rest waits in the queue | TestVerdicts, TestDeliverIsBounded |
| **bad data** | the one record goes to ` + "`.errors`" + `, those around it are sent, in order | TestVerdicts, TestEncodeRefuses |
| **reload**, while a broker is dead or hangs | nobody waits for it; what has no answer goes to the successor in order | TestSuccessor |
| **crash** | what came since the last checkpoint is sent again with the same ids, and may be there twice | TestKillUnderLoadLosesNothing |
| **crash**, with exactly once | what was open is aborted; no reader of committed records sees anything twice | TestOnceAfterACrash, TestOnceCrashLoop |

## Exactly once

` + "`delivery = \"exactly_once\"`" + ` sends what waits as one transaction after the other. Each holds, beside the records, a checkpoint for each source:
the last line that is committed. The checkpoints lie in ` + "`checkpoint_topic`" + `, keyed by pipeline, source and sink. At a start they are read, and what is read
from the source again since its own checkpoint (stored once a second) is looked up there: an event that is committed is not sent, only
answered, so that ` + "`.delivered`" + ` and ` + "`.errors`" + ` miss nothing. They get such an event again: they are at least once, and ` + "`.delivered`" + ` comes after the commit.
From before a crash an event has no ` + "`partition` and `offset`" + `.

The reader has to set ` + "`isolation.level=read_committed`" + `; others see what was aborted, too. A record that the brokers refuse aborts its transaction; what is
left goes again without it, and the one to ` + "`.errors`" + `.

| what happens when … | then | test |
| --- | --- | --- |
| the process or its machine dies | the next start aborts what was open, reads the checkpoints and goes on behind the last commit; without a next start the broker aborts it after a minute, and readers wait that long | TestOnceAfterACrash |
| the answer to a commit never comes | the transactional id is taken anew, which ends the transaction for good; the checkpoints then say which way | TestOnceUnknownOutcome |
| the state directory is lost | the source begins where it begins the first time; what is committed of that is not sent again | TestOnceBegunAnew |
| a second instance starts (same pipeline name, same sink) | it takes over; the first ends with an error that names host and process of the second | TestOnceFenced |
| the sink or the pipeline is renamed, or ` + "`checkpoint_topic`" + ` changed | there are no checkpoints for it: what was on its way may be there twice | TestOnceBegunAnew |
| the source is renamed | it has its checkpoint under the new name, if it takes over the old source's place in the input (the log says so); if not, what was on its way may be there twice, and the log warns | TestOnceRenamed, TestOnceBegunAnew |
| dead letters are replayed | they are sent, whatever is committed behind them: at least once | TestOnceReplayed |
| the way from the source is changed while the process is dead | lines before the last commit are done, whatever the new way would make of them | TestOnceBegunAnew |

` + "`etl validate`" + ` refuses it where it can't be kept: a queue that drops, here or at a source; a source without positions (only files have them), with a queue on disk too; ` + "`required = false`" + `; reading the
outputs of another sink, or what was made of several events.

The login needs the rights to write to the transactional id ` + "`etl/PIPELINE/sink.kafka.NAME`" + `, to write to and read from the checkpoint topic, and to create it if it is not there (one
partition, ` + "`cleanup.policy=compact`" + `). Two pipelines on the same brokers need different names (` + "`runtime { name }`" + `).
`
}

func checkBrokers(value any) error {
	brokers := value.([]string)
	if len(brokers) == 0 {
		return errors.New("at least one broker is needed")
	}
	for _, b := range brokers {
		host, port, err := net.SplitHostPort(b)
		if err != nil {
			host, port = b, "9092"
			if addr, ok := err.(*net.AddrError); !ok || addr.Err != "missing port in address" {
				return fmt.Errorf("%q is not host:port", b)
			}
		}
		if n, err := strconv.ParseUint(port, 10, 16); host == "" || err != nil || n == 0 {
			return fmt.Errorf("%q is not host:port", b)
		}
	}
	return nil
}

func checkCheckpointTopic(value any) error { return validTopic(value.(string)) }

func checkTopic(value any) error {
	if name, ok := value.(component.Template).Constant(); ok {
		return validTopic(name)
	}
	return nil
}

// validTopic says why Kafka would not have a topic of this name.
func validTopic(name string) error {
	if name == "" || name == "." || name == ".." {
		return fmt.Errorf("%q can't be a topic", name)
	}
	if len(name) > 249 {
		return fmt.Errorf("a topic has at most 249 characters, this one has %d", len(name))
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return fmt.Errorf("%q can't be a topic: it may have letters, digits, dots, dashes and underscores", name)
		}
	}
	return nil
}

// The bounds are Kafka's smallest useful batch, and what one request may have.
func checkMessageBytes(value any) error {
	if n := value.(int64); n < 1<<10 || n > 64<<20 {
		return errors.New("between 1KiB and 64MiB are possible")
	}
	return nil
}
