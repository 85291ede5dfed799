package main

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

// latency measures each record from the write of its line: until the broker
// stored it (LogAppendTime, in whole milliseconds of the same clock; the
// acknowledgement follows at once), and until a consumer in this process has
// it, which is more than the acknowledgement takes.
func (b *bench) latency(rate int, duration time.Duration) error {
	made, err := makeAlerts(b.dir, corpus.MixBusy, int64(float64(rate)*duration.Seconds())*2000) // no alert twice
	if err != nil {
		return err
	}
	defer os.Remove(made.file)
	f, err := b.follow("latency", nil)
	if err != nil {
		return err
	}
	feed, err := newFeed(made, f.Alerts)
	if err != nil {
		return err
	}
	records := int64(feed.ahead(int(float64(rate) * duration.Seconds())))
	var mu sync.Mutex
	written := make(map[string]time.Time)
	var stored, seen []float64 // ms
	reading := make(chan error, 1)
	go func() {
		reading <- b.broker.read(b.ctx, f.Topic, records, func(r *kgo.Record, alert string) {
			now := time.Now()
			mu.Lock()
			at := written[alert]
			mu.Unlock()
			stored = append(stored, ms(max(0, r.Timestamp.Sub(at))))
			seen = append(seen, ms(now.Sub(at)))
		})
	}()
	err = feed.pace(b.ctx, rate, duration, func(alert string, at time.Time) {
		mu.Lock()
		written[alert] = at
		mu.Unlock()
	})
	if err != nil {
		return err
	}
	if err := errors.Join(<-reading, b.leave(f)); err != nil {
		return err
	}
	slices.Sort(stored)
	slices.Sort(seen)
	b.report.note("Latency at %d alerts/s for %s, %d records: stored by the broker after %.0f ms (p50), %.0f (p99), %.0f (worst); "+
		"seen by a consumer after %.1f ms (p50), %.1f (p99), %.1f (worst); target: acknowledged within 25 (p99)",
		rate, duration, len(seen), percentile(stored, 50), percentile(stored, 99), stored[len(stored)-1],
		percentile(seen, 50), percentile(seen, 99), seen[len(seen)-1])
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
