package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// readCopy reads what has not been read of g, which was truncated, from the copy that was made of it before. path is
// that of the copy, empty if there is none. A copy may be compressed at once, and an archive be incomplete: what is
// missing is waited for as long as something comes, and looked for twice.
func (r *reader) readCopy(ctx context.Context, g *generation) (path string, err error) {
	for before := int64(-2); ; { // how long an archive was that was not enough; -1: there was nothing
		now := int64(-1)
		damaged := new(damage)
		if c := r.copyOf(g, r.split.Next()); c != nil {
			path = c.path
			if a := c.archive(); a != nil {
				if info, err := a.file.Stat(); err == nil {
					now = info.Size()
				}
			}
			err = r.drain(ctx, g, c, r.split.Next())
			if errors.As(err, &damaged) && (!r.follow || now == before) {
				r.damaged(c, damaged)
				err = nil
			}
			c.file.Close()
			if !errors.As(err, &damaged) {
				return path, err
			}
		} else if !r.follow || now == before {
			return path, nil
		}
		if before = now; !pause(ctx, r.poll) {
			return path, ctx.Err()
		}
	}
}

// copyOf finds a file that holds what g held when it was read up to offset: the longest, a
// plain one if it is long enough, since an archive may not be whole yet.
func (r *reader) copyOf(g *generation, offset int64) *generation {
	if len(g.head) == 0 {
		return nil
	}
	for range 20 {
		members, err := r.follower.members(since{order: g.order})
		if err != nil && !errors.Is(err, errMoved) {
			return nil
		}
		candidates := slices.DeleteFunc(members, func(m member) bool { return g.is(m) || m.kind == current })
		slices.Reverse(candidates) // the newest is the likeliest
		slices.SortStableFunc(candidates, func(a, b member) int { return a.compareCopies(b, offset) })
		moved := err != nil
		for _, m := range candidates {
			c, err := r.follower.open(m)
			if err != nil {
				moved = moved || errors.Is(err, fs.ErrNotExist)
				continue
			}
			c.head = append(c.head[:0], g.head...)
			if same, err := c.intact(); err == nil && same {
				return c
			}
			c.file.Close()
		}
		if !moved {
			return nil
		}
	}
	return nil
}

// compareCopies sorts what may be copies of a file that was read up to offset.
func (m member) compareCopies(n member, offset int64) int {
	rank := func(m member) int {
		switch {
		case m.archive:
			return 1
		case m.size >= offset:
			return 0
		}
		return 2
	}
	if c := cmp.Compare(rank(m), rank(n)); c != 0 || m.archive {
		return c
	}
	return cmp.Compare(n.size, m.size)
}

// drain reads the rest of a copy of g. The error is *damage, or ctx's, or that of a file that is to be read once.
func (r *reader) drain(ctx context.Context, g, copied *generation, offset int64) error {
	if err := r.retry(ctx, g, func() error { return copied.seek(ctx, offset) }); err != nil {
		return err
	}
	for {
		n, err := copied.file.Read(r.split.Room())
		switch {
		case n > 0:
			r.split.Advance(n)
			r.read.Add(int64(n))
			if r.split.Fill(r.lot) {
				if err := r.emit(ctx, g); err != nil {
					return err
				}
			}
		case err == nil || err == io.EOF:
			return nil
		default:
			if err := r.hold(ctx, g, fmt.Errorf("reading %s: %w", copied.path, err)); err != nil {
				return err
			}
		}
	}
}
