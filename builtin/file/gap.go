package file

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// gap is a part of a generation that can't be read: it is gone, or damaged.
type gap struct {
	generation string
	path       string
	from       int64
	to         int64 // -1: nobody knows how long it was
	why        string
}

// report logs and counts g: no gap is silent.
func (s *Source) report(host *component.Host, g gap) {
	gaps, to := s.gaps.Add(1), "unknown"
	if g.to >= 0 {
		to = strconv.FormatInt(g.to, 10)
		s.missing.Add(g.to - g.from)
	}
	host.Log.Warn("a gap: "+g.why, "file", g.path, "generation", g.generation, "from", g.from, "to", to, "gaps", gaps)
}

// unwatched says that the file at path was truncated while nobody read it. How much was written to it between its copy, if
// there is one, and the truncation nobody can know, so it is no gap that could be counted, and nothing to wake anybody for: each
// rotation of this kind is one line.
func (h *history) unwatched(path string) {
	if h.log != nil {
		h.log.Info("the file was truncated while nobody read it; "+betweenCopyAndCut, "file", path)
	}
}

// betweenCopyAndCut is what no reader of a file that is copied and truncated can know, and what to do about it.
const betweenCopyAndCut = "a line written between copy and truncation is in neither, and nobody can see whether there was one: " +
	"rotation by renaming has no such moment (logrotate: create, not copytruncate)"

// Missed is how many gaps there were in what this run has read, and how many bytes they had, as far
// as their ends are known.
func (s *Source) Missed() (gaps, bytes int64) { return s.gaps.Load(), s.missing.Load() }

// damaged reports what can't be read of g.
func (r *reader) damaged(g *generation, d *damage) {
	from := max(d.at, r.split.Next())
	end, err := g.size()
	if err != nil || end < from || errors.Is(d, io.ErrUnexpectedEOF) || errors.Is(d, gzip.ErrHeader) {
		end = -1 // the length is not written at its end
	}
	name := g.name
	if name == "" {
		name = g.dated
	}
	r.report(r.host, gap{generation: name, path: g.path, from: from, to: end,
		why: "a compressed file is damaged, and what can't be read of it is lost: " + d.err.Error()})
}

// cut ends a generation that is damaged: what there is of its last line fails.
func (r *reader) cut(ctx context.Context, g *generation, d *damage) error {
	r.damaged(g, d)
	if r.split.Pending() == 0 || !r.split.Finish(r.lot) {
		return nil
	}
	last := &r.lot.Lines[len(r.lot.Lines)-1]
	if last.Failure == nil {
		last.Failure = event.Failf(event.CodeNotObject, "the line is cut off: the compressed file is damaged there")
	}
	return r.emit(ctx, g)
}
