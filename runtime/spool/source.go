package spool

import (
	"context"
	"fmt"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Source is a source that can't be asked again, behind its log: it gives what
// the log holds, and can be resumed at any position in it.
type Source struct {
	inner    component.Source
	log      *Log
	settings string
	reader
}

// Wrap puts inner behind its log. settings tell it from others of its kind, whatever
// they are called; empty if nothing does.
func Wrap(inner component.Source, log *Log, settings string) *Source {
	return &Source{inner: inner, log: log, settings: settings, reader: reader{log: log, first: true}}
}

// Settings are those of Wrap.
func (s *Source) Settings() string { return s.settings }

// Finite tells the source behind the log, if it can be told.
func (s *Source) Finite() {
	if f, ok := s.inner.(component.Finite); ok {
		f.Finite()
	}
}

// Resume says which of from are positions in the log.
func (s *Source) Resume(host *component.Host, from []component.Position) ([]bool, error) {
	return s.reader.resume(host, from)
}

func (r *reader) resume(host *component.Host, from []component.Position) ([]bool, error) {
	if err := r.log.open(host); err != nil {
		return nil, err
	}
	reachable := make([]bool, len(from))
	for i, p := range from {
		reachable[i] = p.Generation == r.log.generation()
	}
	r.log.vanished(from)
	return reachable, nil
}

// vanished tells, once, if there is no record at all though sinks stand at different places:
// the files are gone, and what is there can't show it. Numbers that were never used may be among those
// that are counted.
func (l *Log) vanished(from []component.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked {
		return
	}
	l.asked = true
	low, high := l.next, int64(0)
	for _, p := range from {
		if p.Generation == l.generation() {
			low, high = min(low, p.Offset), max(high, p.Offset)
		}
	}
	gone := Range{max(low, l.numbers.First), high - 1} // what was dropped by hand is not missed
	if len(l.segments) == 0 && gone.Count() > 0 && l.numbers.droppedIn(gone) == 0 && l.numbers.tell(gone) {
		l.lost(gone)
	}
}

// Run runs the source into the log, and gives what the log holds to out.
func (s *Source) Run(ctx context.Context, host *component.Host, from []component.Position, out component.Output) error {
	if err := s.log.open(host); err != nil {
		return err
	}
	if err := s.log.belong(s.settings); err != nil {
		return err
	}
	s.log.end(false)
	s.begin(from)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		err := s.inner.Run(ctx, host, nil, s.log)
		if err != nil {
			stop()
		}
		s.log.end(true)
		ended <- err
	}()
	err := s.run(ctx, host.Address, out)
	stop()
	if e := <-ended; e != nil {
		return e
	}
	return err
}

// belong stores whose events the log gets from now on.
func (l *Log) belong(settings string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.numbers.Settings == settings {
		return nil
	}
	l.numbers.Settings = settings
	return l.numbers.store(l.state)
}

// end says whether the source has come to its end.
func (l *Log) end(finished bool) {
	l.mu.Lock()
	l.finished = finished
	broadcast(&l.more)
	l.mu.Unlock()
}

// Progress is how many bytes of the log are read and how many there are.
func (s *Source) Progress() (read, total int64) { return s.reader.Progress() }

// Progress is how many bytes of the log are read and how many there are.
func (r *reader) Progress() (read, total int64) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.read.Load(), r.log.written
}

// Forget removes from the log what all sinks have.
func (s *Source) Forget(p component.Position) { s.log.Forget(p) }

// Again is a second reader of the log, for a sink that is detached.
func (s *Source) Again() component.Source { return &again{reader{log: s.log}} }

// again reads the log beside the source.
type again struct{ reader }

func (a *again) Resume(host *component.Host, from []component.Position) ([]bool, error) {
	return a.resume(host, from)
}

func (a *again) Run(ctx context.Context, host *component.Host, from []component.Position, out component.Output) error {
	if err := a.log.open(host); err != nil {
		return fmt.Errorf("reading the queue again: %w", err)
	}
	a.begin(from)
	return a.run(ctx, host.Address, out)
}

var (
	_ component.Resumable = (*Source)(nil)
	_ component.Finite    = (*Source)(nil)
	_ component.Progress  = (*Source)(nil)
	_ component.Resumable = (*again)(nil)
)
