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

var sinkSpec = &component.Spec{
	Role:    component.RoleSink,
	Kind:    "kafka",
	Summary: "Sends each event as a record to a Kafka topic",
	Guarantee: "Delivered means that the leader of the partition and all its in-sync replicas have stored the record (acks=all). " +
		"The producer is idempotent: what it sends again by itself is stored once. A record whose answer never came " +
		"(the process was killed, the broker's address was changed) is sent again and may then be there twice, with the same event id.",
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
		{Name: "client_id", Type: component.TypeString, Default: "etl",
			Doc: "What this client is called in the brokers' logs, metrics and quotas."},
	},
	Blocks: []component.BlockSpec{tlsconfig.Block, saslBlock},
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
lot of records is on its way, the next one gathers, so that a quiet pipeline waits for nothing and a busy one sends full batches.

An unreachable broker is waited for, without end. ` + "`etl run`" + ` stops with an error only if a broker answers and says that the topic does
not exist and is not created either; after a reload this is a warning, and the sink waits for the topic.

Whose error is it? A record's own errors send it to ` + "`.errors`" + `; everything else keeps it, and what is behind it, in the queue, is
tried again with growing pauses of up to 5 s, and shows as the sink's health. When a broker refuses a batch for the sake of one record, the batch is
sent again record by record, so that only the one is refused.

| the brokers say | whose | what happens |
| --- | --- | --- |
` + verdictTable() + `| no connection, no answer in time, TLS or name resolution fails | target | tried again |
| anything else | target | tried again |
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
