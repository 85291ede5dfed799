package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
)

// restart goes on in a file that was truncated, from its beginning. What had not been
// read of it is read from a copy, if there is one: that is how copytruncate rotates. What was copied
// and truncated since, while nobody looked, is read then.
func (r *reader) restart(ctx context.Context, g *generation) error {
	read := r.split.Next()
	seen := r.before // before others are looked at
	copied, err := r.readCopy(ctx, g)
	if err != nil {
		return err
	}
	switch {
	case copied != "" && seen > r.split.Next():
		r.report(r.host, gap{generation: g.name, path: r.path, from: r.split.Next(), to: seen,
			why: "the file was truncated, and what had been written to it behind the end of its copy could not be read"})
	case copied != "":
		r.host.Log.Info("the file was truncated, and the rest of it was read from its copy; "+betweenCopyAndCut, "file", r.path, "copy", copied, "from", read, "to", r.split.Next())
	case read > 0 || len(g.head) > 0:
		to := int64(-1)
		if seen > read { // this much was seen to be there
			to = seen
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
		if _, err := r.catchUp(ctx, g); err != nil {
			return err
		}
	}
	err = r.retry(ctx, g, func() error { return r.seek(ctx, g, 0) })
	if errors.Is(err, errReplaced) {
		return r.restart(ctx, g)
	}
	return err
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
		cut := g.cut.Load()
		copies, err := r.catchUp(ctx, g)
		if err != nil {
			return err
		}
		if cut && !copies {
			r.report(r.host, gap{generation: g.name, path: r.path, to: -1,
				why: "the file was truncated before anything of it was read, and what was in it could not be seen"})
		}
		if err := r.retry(ctx, g, func() error { return r.seek(ctx, g, 0) }); err != nil {
			return err
		}
	}
	return r.retry(ctx, g, func() error { return r.identify(g) })
}

// catchUp finds what g is now in the history, and reads what that has between the generation before and it:
// copies of what its file held meanwhile, if there are any.
func (r *reader) catchUp(ctx context.Context, g *generation) (copies bool, err error) {
	var missed []*generation
	err = r.retry(ctx, g, func() error {
		members, err := r.follower.members(since{})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(members, func(m member) bool { return g.is(m) && m.at >= 0 })
		if i < 0 { // it has been removed
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
		if ok {
			missed, err = r.openAll(between(members, places, before, places[m.id]))
		}
		if err == nil {
			g.before = m.before
			r.follower.lookedInto(g)
		}
		return err
	})
	if err != nil {
		return false, err
	}
	if len(missed) > 0 {
		r.follower.history.unwatched(r.path)
	}
	for _, c := range missed {
		if err == nil {
			err = r.generation(ctx, c, 0)
		}
		c.file.Close()
	}
	return len(missed) > 0, err
}

// openAll opens files that were put aside. The error is errMoved: one has another name by now.
func (r *reader) openAll(list []member) (opened []*generation, err error) {
	for _, m := range list {
		g, err := r.follower.open(m)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && !g.is(m):
			if g != nil {
				g.file.Close()
			}
			for _, g := range opened {
				g.file.Close()
			}
			return nil, errMoved
		case err != nil:
			r.host.Log.Warn("a rotated file can't be opened, what is in it is not read", "file", m.path, "error", err)
		default:
			g.final = true
			opened = append(opened, g)
		}
	}
	return opened, nil
}
