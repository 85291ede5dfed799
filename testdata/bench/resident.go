package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

// follower is etl as a service, which follows a file that is fed.
type follower struct {
	*process
	place
}

// follow starts the DFN job into a topic.
func (b *bench) follow(name string, configs map[string]string) (*follower, error) {
	f := &follower{place: place{Dir: filepath.Join(b.dir, name), Broker: b.broker.address}}
	f.Alerts = filepath.Join(f.Dir, "alerts.json")
	err := os.Mkdir(f.Dir, 0o755)
	if err != nil {
		return nil, err
	}
	if f.Topic, err = b.broker.topic(b.ctx, configs); err != nil {
		return nil, err
	}
	command, err := b.etl(name, nil, true, "dfn.hcl", "kafka.hcl").command(f.place)
	if err != nil {
		return nil, err
	}
	f.process, err = start(b.ctx, slices.DeleteFunc(command, func(arg string) bool { return arg == "--once" })...)
	return f, err
}

// leave stops it and removes what it left.
func (b *bench) leave(f *follower) error {
	defer os.RemoveAll(f.Dir)
	defer b.broker.drop(b.ctx, f.Topic)
	return f.process.stop()
}

// paced watches the resident size while so many alerts a second are written.
func (b *bench) paced(rate int, duration time.Duration) error {
	made, err := makeAlerts(b.dir, corpus.MixBusy, 100e6)
	if err != nil {
		return err
	}
	defer os.Remove(made.file)
	f, err := b.follow("paced", nil)
	if err != nil {
		return err
	}
	feed, err := newFeed(made, f.Alerts)
	if err != nil {
		return err
	}
	sizes := watchSize(f.process, 100*time.Millisecond)
	if err := feed.pace(b.ctx, rate, duration, nil); err != nil {
		return err
	}
	b.awaitRecords(f.process, f.Topic, int64(feed.relevant))
	stored, err := b.broker.stored(b.ctx, f.Topic)
	if err := errors.Join(err, b.leave(f)); err != nil {
		return err
	}
	b.report.note("Resident at %d alerts/s for %s: peak %.0f MiB (target: under 64), %s; %d of %d records stored, %.0f %% of a core",
		rate, duration, float64(f.peak.Load())/(1<<20), <-sizes, stored, feed.relevant, 100*f.cpu().Seconds()/duration.Seconds())
	return nil
}

// soak watches the resident size while alerts are written as fast as they are
// delivered: a file is put in place of the one before when the first record of
// that has come, so that it is open, and the one before that is through.
func (b *bench) soak(size int64, duration time.Duration) error {
	made, err := makeAlerts(b.dir, corpus.MixBusy, size)
	if err != nil {
		return err
	}
	defer os.Remove(made.file)
	f, err := b.follow("soak", map[string]string{"retention.bytes": "268435456", "segment.bytes": "67108864"})
	if err != nil {
		return err
	}
	sizes := watchSize(f.process, time.Second)
	began, files, relevant := time.Now(), 0, int64(len(made.expected))
	for time.Since(began) < duration {
		files++
		if err := copyAlerts(made.file, f.Alerts+".next", files); err != nil {
			return err
		}
		if files > 1 {
			b.awaitRecords(f.process, f.Topic, int64(files-2)*relevant+1)
		}
		select {
		case <-f.ended:
			return fmt.Errorf("etl has ended: %w\n%s", f.err, &f.output)
		default:
		}
		if err := os.Rename(f.Alerts, f.Alerts+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.Rename(f.Alerts+".next", f.Alerts); err != nil {
			return err
		}
	}
	b.awaitRecords(f.process, f.Topic, int64(files)*relevant)
	took := time.Since(began)
	stored, err := b.broker.stored(b.ctx, f.Topic)
	if err := errors.Join(err, b.leave(f)); err != nil {
		return err
	}
	b.report.note("At full speed for %s: %.0f MB/s (the files are written meanwhile), peak %.0f MiB, %s; %d of %d records stored",
		took.Round(time.Second), float64(files)*float64(made.bytes)/1e6/took.Seconds(), float64(f.peak.Load())/(1<<20), <-sizes, stored, int64(files)*relevant)
	if stored != int64(files)*relevant {
		b.report.note("it said:\n%s", &f.output)
	}
	return nil
}

func copyAlerts(from, to string, number int) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, first := out.Write(firstLine(number))
	_, rest := io.Copy(out, in)
	return errors.Join(first, rest, out.Close())
}

// watchSize samples the resident size, and gives the trend when the process
// has ended.
func watchSize(p *process, interval time.Duration) <-chan trend {
	result := make(chan trend, 1)
	go func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		var at, size []float64
		for {
			select {
			case <-p.ended:
				result <- trendOf(at[len(at)/2:], size[len(size)/2:])
				return
			case now := <-tick.C:
				if resident := p.memory("VmRSS"); resident > 0 {
					at, size = append(at, now.Sub(p.began).Minutes()), append(size, float64(resident)/(1<<20))
				}
			}
		}
	}()
	return result
}

// trend is how a size changed.
type trend struct{ mean, slope, noise float64 } // MiB; MiB a minute; twice the standard error of the slope

func (t trend) String() string {
	return fmt.Sprintf("in the second half %.1f MiB, growing by %.2f ± %.2f MiB a minute", t.mean, t.slope, t.noise)
}

// trendOf fits a line by least squares.
func trendOf(at, size []float64) (t trend) {
	n := float64(len(at))
	if n < 3 {
		return trend{math.NaN(), math.NaN(), math.NaN()}
	}
	var when float64
	for i := range at {
		when += at[i] / n
		t.mean += size[i] / n
	}
	var xx, xy float64
	for i := range at {
		xx += (at[i] - when) * (at[i] - when)
		xy += (at[i] - when) * (size[i] - t.mean)
	}
	t.slope = xy / xx
	var rest float64
	for i := range at {
		d := size[i] - t.mean - t.slope*(at[i]-when)
		rest += d * d
	}
	t.noise = 2 * math.Sqrt(rest/(n-2)/xx)
	return t
}
