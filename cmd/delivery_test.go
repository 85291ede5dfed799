//go:build integration

package cmd

import (
	"testing"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// The table of docs/delivery.md: 500 relevant alerts a second, and what
// arrives over a few rotations, over a restart of two seconds, and over kill -9.
func TestDeliveryTable(t *testing.T) {
	broker := servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true})
	for _, c := range []struct {
		name    string
		trouble func(o *operator, m *manager)
	}{
		{"rotations", func(o *operator, m *manager) {
			for range 5 {
				time.Sleep(300 * time.Millisecond)
				m.rotate()
			}
			time.Sleep(300 * time.Millisecond)
		}},
		{"restart of 2 s", func(o *operator, _ *manager) {
			time.Sleep(time.Second)
			o.stop()
			time.Sleep(2 * time.Second)
			o.start()
			time.Sleep(time.Second)
		}},
		{"kill -9", func(o *operator, _ *manager) {
			time.Sleep(1500 * time.Millisecond)
			o.kill()
			time.Sleep(500 * time.Millisecond)
			o.start()
			time.Sleep(time.Second)
		}},
		{"restart of 2 s over two rotations", func(o *operator, m *manager) {
			time.Sleep(time.Second)
			o.stop()
			for range 2 {
				time.Sleep(600 * time.Millisecond)
				m.rotate()
			}
			time.Sleep(800 * time.Millisecond)
			o.start()
			time.Sleep(time.Second)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOperator(t, broker)
			m := o.write(500)
			o.start()
			o.broker.WaitRecords(o.topic, 1, time.Minute) // the first start begins in the file of that moment: what was rotated before is not its
			c.trouble(o, m)
			n := m.end()
			duplicates := o.wantAll(n, time.Minute)
			o.stop()
			t.Logf("| %s | %d written | 0 lost | %d twice |", c.name, n, duplicates)
		})
	}
}
