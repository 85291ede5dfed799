package file

import (
	"context"
	"fmt"
	"io"
)

// restart goes on in a file that was truncated, from its beginning. What had not been
// read of it is read from a copy, if there is one: that is how copytruncate rotates.
func (r *reader) restart(ctx context.Context, g *generation) error {
	read := r.split.Next()
	copied := r.copyOf(g, read)
	if copied != nil {
		defer copied.file.Close()
		if err := r.drain(ctx, g, copied, read); err != nil {
			return err
		}
		r.host.Log.Info("the file was truncated; the rest of it was read from its copy", "file", r.path, "copy", copied.path, "from", read, "to", r.split.Next())
	} else if read > 0 {
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
	if copied != nil {
		if err := r.between(ctx, copied); err != nil {
			return err
		}
	}
	g.name, g.stream, g.head = "", nil, nil
	return r.retry(ctx, g, func() error { return r.seek(ctx, g, 0) })
}

// between reads the copies that were made after an older one: the file was truncated
// several times while nobody looked.
func (r *reader) between(ctx context.Context, older *generation) error {
	copies, _ := r.follower.after(older)
	for _, m := range copies {
		if m.kind == current {
			continue
		}
		g, err := r.follower.open(m)
		if err != nil {
			r.host.Log.Warn("a rotated file can't be opened, what is in it is not read", "file", m.path, "error", err)
			continue
		}
		g.final = true
		err = r.generation(ctx, g, 0)
		g.file.Close()
		if err != nil {
			return err
		}
		if g.name != "" {
			r.previous = g.name
		}
	}
	return nil
}

// copyOf finds a file that holds what g held when it was read up to offset.
func (r *reader) copyOf(g *generation, offset int64) *generation {
	if len(g.head) == 0 {
		return nil
	}
	var candidates []member
	members, _ := r.follower.members(g.order)
	for _, m := range members {
		if !g.is(m) && m.kind != current && (m.archive || m.size >= offset) {
			candidates = append(candidates, m)
		}
	}
	for i := len(candidates) - 1; i >= 0; i-- { // the newest is the likeliest
		c, err := r.follower.open(candidates[i])
		if err != nil {
			continue
		}
		c.head = append(c.head, g.head...)
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
