package kafka

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// BenchmarkDeliver sends alerts of about 1 KB to a broker in this process that
// throws them away, with each compression; MB/s are before compression.
func BenchmarkDeliver(b *testing.B) {
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		b.Run(compression, func(b *testing.B) {
			c := cluster(b, kfake.BlackholeProduce())
			benchmark(b, map[string]any{"brokers": c.ListenAddrs(), "topic": text("dfn"), "compression": compression})
		})
	}
}

// BenchmarkExactlyOnce commits the same alerts in transactions, lot by lot, to
// a broker in this process that keeps them.
func BenchmarkExactlyOnce(b *testing.B) {
	payloads := alerts(b)
	for _, lot := range []int{100, 1000, lotRecords} {
		b.Run(strconv.Itoa(lot), func(b *testing.B) {
			c := cluster(b)
			r := newOnceRig(b, c.ListenAddrs())
			r.open()
			size := 0
			b.ReportAllocs()
			b.ResetTimer()
			for sent := 0; sent < b.N; {
				messages := make([]*component.Message, min(lot, b.N-sent))
				for i := range messages {
					m := &component.Message{
						Event:   event.New(stream, int64(sent), []byte("{}"), time.Time{}, ack.Token{}),
						Payload: payloads[sent%len(payloads)],
						Answer: func(_ *component.Message, _ []document.Member, err error) {
							if err != nil {
								b.Error(err)
							}
						},
					}
					if err := r.sink.Encode(m); err != nil {
						b.Fatal(err)
					}
					messages[i] = m
					size += len(m.Payload)
					sent++
				}
				if err := r.sink.Deliver(b.Context(), messages); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
		})
	}
}

func benchmark(b *testing.B, values map[string]any, subs ...*component.Config) {
	payloads := alerts(b)
	e := event.New(stream, 0, []byte("{}"), time.Now(), ack.Token{})
	r := newRig(b, values, subs...)
	var answers sync.WaitGroup
	room := make(chan struct{}, mostRecords)
	answer := func(_ *component.Message, _ []document.Member, err error) {
		if err != nil {
			b.Error(err)
		}
		<-room
		answers.Done()
	}
	var wire wire
	dial := r.host.Dial
	r.host.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return counted{conn, &wire}, err
	}
	r.open()
	size, sent := 0, 0
	b.ReportAllocs()
	b.ResetTimer()
	for sent < b.N {
		lot := make([]*component.Message, min(len(payloads), b.N-sent))
		all := make([]component.Message, len(lot))
		for i := range lot {
			room <- struct{}{}
			answers.Add(1)
			lot[i] = &all[i]
			*lot[i] = component.Message{Event: e, Payload: payloads[i], Answer: answer}
			if err := r.sink.Encode(lot[i]); err != nil {
				b.Fatal(err)
			}
			size += len(payloads[i])
		}
		_ = r.sink.Deliver(b.Context(), lot)
		sent += len(lot)
	}
	answers.Wait()
	b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
	b.ReportMetric(float64(wire.bytes.Load())/float64(size), "wire/payload")
}

// alerts are 1,024 alerts of about 1 KB, no two the same.
func alerts(b *testing.B) (payloads [][]byte) {
	content, err := os.ReadFile("../../testdata/alerts/alerts.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; ; i++ {
		for line := range bytes.Lines(content) {
			if len(line) > 8<<10 {
				continue
			}
			payloads = append(payloads, bytes.ReplaceAll(line, []byte("2025"), fmt.Appendf(nil, "%d", 200000+i*7919%900000)))
			if len(payloads) == 1024 {
				return payloads
			}
		}
	}
}

// wire counts what is written to connections.
type wire struct{ bytes atomic.Int64 }

type counted struct {
	net.Conn
	wire *wire
}

func (c counted) Write(p []byte) (int, error) {
	c.wire.bytes.Add(int64(len(p)))
	return c.Conn.Write(p)
}
