package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// restart goes on in a file that was truncated, from its beginning. What had not been
// read of it is read from a copy, if there is one: that is how copytruncate rotates. What was copied
// and truncated since, while nobody looked, is read then.
func (r *reader) restart(ctx context.Context, g *generation) error {
	read := r.split.Next()
	copied := r.copyOf(g, read)
	if copied != nil {
		defer copied.file.Close()
		if err := r.drain(ctx, g, copied, read); err != nil {
			return err
		}
		r.host.Log.Warn("the file was truncated, and the rest of it was read from its copy: "+betweenCopyAndCut, "file", r.path, "copy", copied.path, "from", read, "to", r.split.Next())
	}
	switch {
	case copied != nil && r.before > r.split.Next():
		r.report(r.host, gap{generation: g.name, path: r.path, from: r.split.Next(), to: r.before,
			why: "the file was truncated, and what had been written to it behind the end of its copy could not be read"})
	case copied == nil && (read > 0 || len(g.head) > 0):
		to := int64(-1)
		if r.before > read { // this much was seen to be there
			to = r.before
		}
		r.report(r.host, gap{generation: g.name, path: r.path, from: read, to: to,
			why: "the file was truncated, and what was written to it between the last read and the truncation, if anything, could not be seen"})
	}
	if err := r.finish(ctx, g); err != nil {
		return err
	}
	r.previous = g.name
	g.name, g.stream, g.head = "", nil, nil
	if r.follower.history != nil {
		r.follower.history.leave(g.id.Load(), read)
		g.before = g.id.Load()
		if err := r.catchUp(ctx, g); err != nil {
			return err
		}
	}
	err := r.retry(ctx, g, func() error { return r.seek(ctx, g, 0) })
	if errors.Is(err, errReplaced) {
		return r.restart(ctx, g)
	}
	return err
}

// catchUp finds what g is now in the history, and reads what that has between the generation before and it:
// copies of what its file held meanwhile.
func (r *reader) catchUp(ctx context.Context, g *generation) error {
	var missed []member
	err := r.retry(ctx, g, func() error {
		members, err := r.follower.members(since{})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(members, func(m member) bool { return g.is(m) && m.at >= 0 })
		if i < 0 { // it has been removed
			missed = nil
			return nil
		}
		m := members[i]
		g.id.Store(m.id)
		g.name, g.head = m.generation, append([]byte(nil), m.head[:min(len(m.head), headLength)]...)
		places := r.follower.history.places()
		before, ok := places[g.before]
		if g.before == 0 { // it was the first
			before, ok = -1, true
		}
		if missed = nil; ok {
			missed = between(members, places, before, places[m.id])
		}
		g.before = m.before
		return nil
	})
	if err != nil {
		return err
	}
	if len(missed) > 0 {
		r.follower.history.unwatched(r.path)
	}
	for _, m := range missed {
		c, err := r.follower.open(m)
		if err != nil {
			r.host.Log.Warn("a rotated file can't be opened, what is in it is not read", "file", m.path, "error", err)
			continue
		}
		c.final = true
		err = r.generation(ctx, c, 0)
		c.file.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitName names a generation whose first line was not complete when it was found, before anything of it is
// read: io.EOF as long as it is not. What its file held in between comes first.
func (r *reader) awaitName(ctx context.Context, g *generation) error {
	if r.follower.history == nil || g.stream != nil || g.final || !r.follow {
		return nil
	}
	if g.name == "" {
		if _, complete, err := fingerprint(g.file); err != nil {
			return err
		} else if !complete {
			return io.EOF
		}
		if err := r.catchUp(ctx, g); err != nil {
			return err
		}
		if err := r.retry(ctx, g, func() error { return r.seek(ctx, g, 0) }); err != nil {
			return err
		}
	}
	return r.retry(ctx, g, func() error { return r.identify(g) })
}

// copyOf finds a file that holds what g held when it was read up to offset.
func (r *reader) copyOf(g *generation, offset int64) *generation {
	if len(g.head) == 0 {
		return nil
	}
	var candidates []member
	members, _ := r.follower.members(since{order: g.order})
	for _, m := range members {
		if !g.is(m) && m.kind != current {
			candidates = append(candidates, m)
		}
	}
	for i := len(candidates) - 1; i >= 0; i-- { // the newest is the likeliest
		c, err := r.follower.open(candidates[i])
		if err != nil {
			continue
		}
		c.head = append(c.head[:0], g.head...)
		if same, err := c.intact(); err == nil && same {
			return c
		}
		c.file.Close()
	}
	return nil
}

// drain reads the rest of a copy of g.
func (r *reader) drain(ctx context.Context, g, copied *generation, offset int64) error {
	if err := copied.seek(ctx, offset); err != nil {
		return err
	}
	for {
		n, err := copied.file.Read(r.split.Room())
		if n == 0 {
			if err != nil && err != io.EOF {
				return fmt.Errorf("reading %s: %w", copied.path, err)
			}
			return nil
		}
		r.split.Advance(n)
		r.read.Add(int64(n))
		if r.split.Fill(r.lot) {
			if err := r.emit(ctx, g); err != nil {
				return err
			}
		}
	}
}
