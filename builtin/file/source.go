// Package file reads files as they grow, rotate and are replaced, and writes
// files that a crash leaves with whole lines: source "file", sink "file" and sink
// "dead_letter".
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Source is source "file".
type Source struct {
	address string
	path    string
	profile string // who writes the file; empty: anybody
	follow  bool
	atEnd   bool
	poll    time.Duration
	rate    float64 // events a second; 0: as fast as they can be taken
	options codec.Options

	read, total atomic.Int64 // bytes, of this run
	held        atomic.Int64 // bytes read that the pace has not let go yet

	gaps, missing atomic.Int64 // what could not be read, and how many bytes of it are known

	opening sync.Once
	history *history // nil for a profile
}

func newSource(c *component.Config) (component.Source, error) {
	return &Source{
		address: c.Address,
		path:    c.String("path"),
		profile: c.String("profile"),
		follow:  c.Bool("follow"),
		atEnd:   c.String("start_at") == "end",
		poll:    c.Duration("poll_interval"),
		rate:    c.Rate("rate"),
		options: codec.FromConfig(c),
	}, nil
}

// Finite makes Run end at the end of the file, as follow = false does.
func (s *Source) Finite() { s.follow = false }

// Progress is how many bytes were read, and how many there are to read, since Run began.
func (s *Source) Progress() (read, total int64) {
	read, total = s.read.Load(), s.total.Load()
	return max(read-s.held.Load(), 0), max(read, total)
}

// Decode gives the lines of text to out as if they were a file.
func (s *Source) Decode(text []byte, out component.Output) error {
	print, _ := printOfHead(text)
	stream := &event.Stream{Source: s.address, Generation: print, File: s.path}
	return s.options.Decode(stream, text, func(lot *component.Lot) error {
		lot.Received = time.Now()
		lot.Position.Generation, lot.Position.Path = print, s.path
		return out.Emit(context.Background(), lot)
	})
}

// Resume says which positions lie behind the earliest of them in what there is to read. As long as a file can't be
// read nobody knows whether it is the one that a position means: an error may pass.
func (s *Source) Resume(host *component.Host, from []component.Position) ([]bool, error) {
	err := s.readable(host)
	var begin start
	if err == nil {
		begin, err = s.start(host, from)
	}
	if err != nil {
		return nil, component.NotYet(err)
	}
	if begin.generation != nil {
		begin.generation.file.Close()
	}
	return begin.reachable, nil
}

// Run reads from the earliest of from on.
func (s *Source) Run(ctx context.Context, host *component.Host, from []component.Position, out component.Output) error {
	if s.rate > 0 {
		out = &paced{Output: out, rate: s.rate, held: &s.held}
	}
	start, err := s.await(ctx, host, from)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	for _, p := range start.lost {
		s.report(host, gap{generation: p.Generation, path: p.Path, from: p.Offset, to: -1,
			why: "the file that was being read is gone, and what had not been read of it is lost; going on with the one behind it that is there"})
	}
	for _, p := range start.cut {
		s.report(host, gap{generation: p.Generation, path: p.Path, from: p.Offset, to: -1,
			why: "the file was truncated, and what was written to it behind what had been read, if anything, is in no copy of it"})
	}
	if len(from) > 0 {
		if err := s.forget(host); err != nil { // no harm: where there are checkpoints nobody asks for it
			host.Log.Warn("the place where the first run began is kept beside the checkpoints", "error", err)
		}
	}
	f := &follower{
		family: s.family(host), notifier: host.Notifier, poll: s.poll,
		log: host.Log, health: host.Health, wake: make(chan struct{}, 1), last: start.generation,
	}
	if !s.follow {
		f.look()
		if start.generation == nil && f.last == nil {
			if _, err := host.FS.Stat(s.path); err != nil {
				return fmt.Errorf("opening the file to read to its end: %w", err)
			}
			return nil // it is empty
		}
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	defer func() {
		stop()
		watcher.Wait()
		f.close()
	}()
	r := &reader{Source: s, host: host, out: out, follower: f, split: codec.NewSplitter(s.options, 0), lot: component.NewLot(), first: len(from) == 0}
	if s.follow {
		watcher.Go(func() { f.run(watching) })
	}
	return r.run(ctx, start)
}

// readable says why the file that is there can't be opened. One that is not
// there is no error.
func (s *Source) readable(host *component.Host) error {
	g, err := openGeneration(host.FS, s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening the file to read: %w", denied(host.FS, s.path, err))
	}
	return g.file.Close()
}

// await is start as soon as the files that it needs can be read: as long as one can't, nobody
// can tell whether it is the one that a position means. The error is ctx's, or that of a
// file that is to be read once.
func (s *Source) await(ctx context.Context, host *component.Host, from []component.Position) (start, error) {
	told := false
	for {
		var begin start
		err := error(nil)
		if s.follow {
			err = s.readable(host)
		}
		if err == nil {
			begin, err = s.start(host, from)
		}
		if err == nil || !s.follow {
			if told {
				host.Health(nil)
			}
			return begin, err
		}
		if host.Health(err); !told {
			host.Log.Warn("the file can't be read, trying again", "file", s.path, "error", err)
			told = true
		}
		if !pause(ctx, s.poll) {
			return begin, ctx.Err()
		}
	}
}

// pause waits for d; false means that ctx is done.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *Source) family(host *component.Host) family {
	f := family{files: host.FS, path: s.path, calendar: calendarOf(s.profile, s.path)}
	if f.calendar == nil {
		s.opening.Do(func() { s.history = &history{state: host.State, log: host.Log} })
		f.history = s.history
	}
	return f
}
