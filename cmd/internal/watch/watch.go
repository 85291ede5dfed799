// Package watch shows the agents of Wazuh managers: as a table that stays up to
// date on a terminal, and as lines or JSON elsewhere.
//
// What is shown are always the events of source "wazuh_agents": those of one that
// runs in this process (Source), or those that a pipeline has published (NATS). A Board is what
// they come to. Nothing in them is trusted: names of agents are whatever who enrolled them liked.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Feed gives a board what there is to know.
type Feed interface {
	// Run gives messages until ctx ends. What heals is waited for, and told to the board;
	// an error is one that does not.
	Run(ctx context.Context, b *Board) error
}

// Options say what to show, and how.
type Options struct {
	Feed Feed
	From string // what the feed reads, for people

	Once    bool          // one picture, when it is whole
	Timeout time.Duration // how long that may take
	JSON    bool
	Sort    Order
	Status  []Status      // only agents with one of them; nil: all
	Stale   time.Duration // how long after its last sign a manager's agents count as stale
	Keys    []Key         // to check and decrypt messages with; nil: they are neither

	Out io.Writer
	// Size is that of the terminal that Out is, in characters. Nil: Out is none.
	Size    func() (columns, rows int)
	Color   bool
	Resized <-chan struct{} // may be nil
	Typed   <-chan byte     // the terminal's keys; may be nil
}

// ErrTimeout says that there was no whole picture after Options.Timeout.
var ErrTimeout = errors.New("not all agents are known")

// Run shows what the feed gives until ctx ends, the user types q, or, with Once, all is
// shown. The terminal is as it was before when it returns.
func Run(ctx context.Context, o Options) error {
	b := newBoard(&o)
	inner, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- o.Feed.Run(inner, b) }()
	err := show(ctx, b, &o, ended)
	cancel()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	return err
}

// show returns when the feed's goroutine has ended, or ends with the context it has.
func show(ctx context.Context, b *Board, o *Options, ended <-chan error) error {
	switch {
	case o.Once:
		return once(ctx, b, o, ended)
	case o.JSON || o.Size == nil:
		return changes(ctx, b, o, ended)
	default:
		return live(ctx, b, o, ended)
	}
}

// once waits for the whole picture and shows it.
func once(ctx context.Context, b *Board, o *Options, ended <-chan error) error {
	timer := time.NewTimer(o.Timeout)
	defer timer.Stop()
	for {
		if b.whole() {
			return printed(b, o)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case <-timer.C:
			return b.why(o.Timeout)
		case <-b.news:
			if err := b.hopeless(); err != nil {
				return err
			}
		}
	}
}

func printed(b *Board, o *Options) error {
	p := b.picture(time.Now())
	if o.JSON {
		return writeJSON(o.Out, p.document(o))
	}
	columns := 0
	if o.Size != nil {
		columns, _ = o.Size()
	}
	_, err := o.Out.Write(joined(frame(p, o, columns, 0)))
	return err
}

func joined(lines []string) []byte {
	var b []byte
	for _, line := range lines {
		b = append(append(b, line...), '\n')
	}
	return b
}

// changes writes a line for each change.
func changes(ctx context.Context, b *Board, o *Options, ended <-chan error) error {
	b.keepChanges()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case <-b.news:
		}
		if err := b.hopeless(); err != nil {
			return err
		}
		for _, c := range b.taken() {
			if len(o.Status) > 0 && !c.concerns(o.Status) {
				continue
			}
			var err error
			if o.JSON {
				err = writeJSON(o.Out, c.document())
			} else {
				_, err = fmt.Fprintln(o.Out, c.line())
			}
			if err != nil {
				return err
			}
		}
	}
}

// How often a terminal is drawn: when there is news, and for the ages' sake.
const (
	drawGap   = 200 * time.Millisecond
	drawEvery = time.Second
)

// live draws a terminal.
func live(ctx context.Context, b *Board, o *Options, ended <-chan error) (err error) {
	s := &screen{out: o.Out}
	if err := s.enter(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.leave()) }()
	draw := func() error {
		columns, rows := o.Size()
		return s.draw(frame(b.picture(time.Now()), o, columns, rows))
	}
	if err := draw(); err != nil {
		return err
	}
	timer := time.NewTimer(drawEvery)
	defer timer.Stop()
	last, soon := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case <-b.news:
			if wait := drawGap - time.Since(last); wait > 0 {
				if !soon {
					soon = true
					timer.Reset(wait)
				}
				continue
			}
		case key, ok := <-o.Typed:
			switch {
			case !ok:
				o.Typed = nil
				continue
			case key == 'q' || key == 'Q' || key == ctrlC:
				return nil
			}
			s.forget()
		case <-o.Resized:
			s.forget()
		case <-timer.C:
		}
		if err := draw(); err != nil {
			return err
		}
		last, soon = time.Now(), false
		timer.Reset(drawEvery)
	}
}

// ctrlC is what a terminal in raw mode gives instead of a signal.
const ctrlC = 3
