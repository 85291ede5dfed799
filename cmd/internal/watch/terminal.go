package watch

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// Attach makes o show a table on the terminal that out is, and read keys from in if that is one too.
// restore gives the terminal back as it was; it is called when Run has returned.
func (o *Options) Attach(ctx context.Context, in, out *os.File) (restore func(), err error) {
	o.Size = func() (columns, rows int) {
		columns, rows, err := term.GetSize(int(out.Fd()))
		if err != nil || columns <= 0 || rows <= 0 {
			return 80, 24
		}
		return columns, rows
	}
	if o.Once || o.JSON {
		return func() {}, nil
	}
	signals, resized := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case <-signals:
				select {
				case resized <- struct{}{}:
				case <-ctx.Done():
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	o.Resized = resized
	restore = func() { signal.Stop(signals) }
	if fd := int(in.Fd()); term.IsTerminal(fd) {
		before, err := term.MakeRaw(fd) // what is typed is not to be seen, nor to be given to the shell later
		if err != nil {
			restore()
			return nil, fmt.Errorf("preparing the terminal: %w", err)
		}
		restore = func() {
			signal.Stop(signals)
			_ = term.Restore(fd, before) // nobody is left to be told
		}
		o.Typed = typed(ctx, in)
	}
	return restore, nil
}

// typed gives what is typed. Its goroutine waits for a key as long as the process lives.
func typed(ctx context.Context, in *os.File) <-chan byte {
	keys := make(chan byte)
	go func() {
		defer close(keys)
		var b [1]byte
		for {
			if n, err := in.Read(b[:]); n == 0 || err != nil {
				return
			}
			select {
			case keys <- b[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	return keys
}
