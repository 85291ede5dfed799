package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
)

// reader is one run of a source.
type reader struct {
	*Source
	host     *component.Host
	out      component.Output
	follower *follower
	split    *codec.Splitter
	lot      *component.Lot // the next one, empty

	first    bool   // there was no checkpoint
	previous string // name of the generation before the one that is read
	size     int64  // of the file that is read, when it was last looked at
	before   int64  // its size at the look before
	looked   int    // reads since then
	idle     bool   // nothing was read since its end was reached
	told     string // the last error that was logged

	// How far generations were read, the latest last: a writer may come back to one, or its file to the path.
	done []read
}

// read is how far a generation was read.
type read struct {
	generation string
	to         int64
}

// run reads one generation after the other.
func (r *reader) run(ctx context.Context, begin start) error {
	defer func() { r.lot.Free() }()
	r.previous = begin.previous
	g, offset := begin.generation, begin.offset
	for begun := false; ; begun = true {
		for g == nil {
			if g = r.follower.take(); g != nil {
				break
			}
			if !r.follow || !r.wait(ctx) {
				return nil
			}
		}
		err := error(nil)
		if !begun {
			err = r.begins(ctx, g, offset)
		}
		if err == nil {
			err = r.generation(ctx, g, offset)
		}
		g.file.Close()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if g.name != "" {
			r.previous = g.name
		}
		g, offset = nil, 0
	}
}

// begins is told where the run begins, before anything is read.
func (r *reader) begins(ctx context.Context, g *generation, offset int64) error {
	if err := r.retry(ctx, g, func() error { return r.identifyEarly(g) }); err != nil {
		return err
	}
	if r.first {
		if err := r.retry(ctx, g, func() error { return r.remember(r.host, g, offset) }); err != nil { // on a full disk
			return err
		}
	}
	if g.stream == nil {
		return nil
	}
	// A lot without lines: what was written before the first start, or nothing but blank
	// lines, is not read again after the next one; and who is behind the source learns
	// which generation it is in before it comes to another.
	lot := component.NewLot()
	lot.Stream, lot.Received, lot.Position = g.stream, r.host.Now(), g.position(offset)
	return r.out.Emit(ctx, lot)
}

// wait waits for something to happen; false means that ctx is done.
func (r *reader) wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-r.follower.wake:
		return true
	}
}

// generation reads a file until there is nothing more to come in it. An error
// is ctx's, or that of a file that is to be read once.
func (r *reader) generation(ctx context.Context, g *generation, offset int64) error {
	err := r.retry(ctx, g, func() error { return r.identifyEarly(g) })
	if err != nil {
		return err
	}
	if done := r.readTo(g.name); done > offset {
		if fits, err := g.fits(g.position(done)); fits && err == nil {
			offset = done
		}
	}
	err = r.retry(ctx, g, func() error { return r.seek(ctx, g, offset) })
	if errors.Is(err, errReplaced) { // while it waited
		err = r.restart(ctx, g)
	}
	damaged := new(damage)
	if errors.As(err, &damaged) {
		r.damaged(g, damaged)
		return nil
	}
	if err != nil {
		return err
	}
	for {
		n, err := 0, r.awaitName(ctx, g)
		if err == nil {
			n, err = r.fill(g)
		}
		if n > 0 && r.split.Fill(r.lot) {
			if err := r.emit(ctx, g); err != nil {
				return err
			}
		}
		switch {
		case n > 0:
			r.fails(g, nil)
		case errors.As(err, &damaged):
			return r.cut(ctx, g, damaged)
		case errors.Is(err, errReplaced):
			if err := r.restart(ctx, g); err != nil {
				return err
			}
		case err != io.EOF:
			if err := r.hold(ctx, g, err); err != nil {
				return err
			}
		case g.final || !r.follow:
			return r.finish(ctx, g)
		case r.follower.peek():
			g.final = true // what was written before the writer went on is all there now
		default:
			if !r.wait(ctx) {
				return ctx.Err()
			}
		}
	}
}

// retry does what can fail until it does not.
func (r *reader) retry(ctx context.Context, g *generation, do func() error) error {
	for {
		err := do()
		if err == nil {
			r.fails(g, nil)
			return nil
		}
		if err := r.hold(ctx, g, err); err != nil {
			return err
		}
	}
}

// hold waits until it is time to try again what failed with err. A file that is
// to be read once is not tried again, nor one that is damaged or was replaced.
func (r *reader) hold(ctx context.Context, g *generation, err error) error {
	if !r.follow || errors.As(err, new(*damage)) || errors.Is(err, errReplaced) {
		return err
	}
	if r.fails(g, err); !pause(ctx, r.poll) {
		return ctx.Err()
	}
	return nil
}

// fails says once for each cause why the file can't be read.
func (r *reader) fails(g *generation, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == r.told {
		return
	}
	r.told = text
	r.host.Health(err)
	if err != nil {
		r.host.Log.Warn("the file can't be read, trying again", "file", g.path, "error", err)
	}
}

// errReplaced says that the file is not the one any more that was being read,
// under the same inode: it was truncated.
var errReplaced = errors.New("the file was replaced in place")

// seek goes to offset, the beginning of a line.
func (r *reader) seek(ctx context.Context, g *generation, offset int64) error {
	r.split.Reset(offset)
	r.size, r.before, r.looked, r.idle = 0, 0, 0, false
	if same, err := g.intact(); err != nil {
		return fmt.Errorf("reading %s: %w", g.path, err)
	} else if !same && g.archive() == nil {
		return errReplaced
	}
	if err := g.seek(ctx, offset); err != nil {
		return err
	}
	r.measure(g)
	return nil
}

// fill reads once; at the end of the file the error is io.EOF.
func (r *reader) fill(g *generation) (int, error) {
	n, err := g.file.Read(r.split.Room())
	if n == 0 {
		if err == io.EOF || err == nil {
			r.measure(g)
			if replaced, err := r.replaced(g); err != nil || replaced {
				return 0, cmp.Or(err, errReplaced)
			}
			r.idle = true
			return 0, io.EOF
		}
		return 0, fmt.Errorf("reading %s: %w", g.path, err)
	}
	if g.archive() != nil { // nobody writes into it
		r.took(g, n)
		return n, nil
	}
	same, err := g.intact()
	if err != nil {
		_, back := g.file.Seek(r.split.Next(), io.SeekStart)
		return 0, fmt.Errorf("reading %s: %w", g.path, errors.Join(err, back))
	}
	switch {
	case same && g.cut.Load(): // what is there now only begins alike
		return 0, errReplaced
	case !same:
		// If the file is shorter now than what was read, it was truncated behind the
		// read, and these are its last bytes. If not, they may be of what came after.
		if r.measure(g); r.size >= r.split.Next()+int64(n) {
			return 0, errReplaced
		}
	}
	r.took(g, n)
	return n, nil
}

// replaced says at the end of g's file that there is something else in it now: it is shorter, or was, or is as long and
// begins otherwise. Behind a read the last has been looked at.
func (r *reader) replaced(g *generation) (bool, error) {
	switch {
	case g.archive() != nil:
		return false, nil
	case g.cut.Load():
		return true, nil
	case r.size < r.split.Next():
		return true, nil
	case !r.idle:
		return false, nil
	}
	same, err := g.intact()
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", g.path, err)
	}
	return !same, nil
}

// took says that n bytes of g were read.
func (r *reader) took(g *generation, n int) {
	r.idle = false
	r.split.Advance(n)
	r.read.Add(int64(n))
	if r.looked++; r.looked == 16 || r.split.Next() > r.size {
		r.measure(g)
	}
}

// measure looks how much there is to read.
func (r *reader) measure(g *generation) {
	r.looked = 0
	size, err := g.size()
	if err != nil {
		return
	}
	r.before, r.size = r.size, size
	r.total.Store(r.read.Load() + max(0, size-r.split.Next()) + r.follower.waiting())
}

// emit hands r.lot over.
func (r *reader) emit(ctx context.Context, g *generation) error {
	if g.stream == nil {
		if err := r.retry(ctx, g, func() error { return r.identify(g) }); err != nil {
			return err
		}
	}
	lot := r.lot
	r.lot = component.NewLot()
	lot.Stream, lot.Received, lot.Position = g.stream, r.host.Now(), g.position(r.split.Offset())
	return r.out.Emit(ctx, lot)
}

// finish hands over a last line without line break: nothing comes behind it.
func (r *reader) finish(ctx context.Context, g *generation) error {
	if r.split.Pending() > 0 && r.split.Finish(r.lot) {
		if err := r.emit(ctx, g); err != nil {
			return err
		}
	}
	if g.name != "" {
		r.done = slices.DeleteFunc(r.done, func(d read) bool { return d.generation == g.name })
		if len(r.done) == historyLength {
			r.done = slices.Delete(r.done, 0, 1)
		}
		r.done = append(r.done, read{g.name, r.split.Offset()})
	}
	return nil
}

// readTo is how far a generation was read.
func (r *reader) readTo(generation string) int64 {
	for _, d := range r.done {
		if d.generation == generation {
			return d.to
		}
	}
	return 0
}
