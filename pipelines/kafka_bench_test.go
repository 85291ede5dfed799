//go:build integration

package pipelines_test

import (
	"testing"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// BenchmarkDFNRealKafka is the whole DFN graph into a real broker; for its
// profile, since the broker is another process.
func BenchmarkDFNRealKafka(b *testing.B) {
	benchmarkDFNKafka(b, servers.Kafka(b, servers.KafkaOptions{}).Plain)
}
