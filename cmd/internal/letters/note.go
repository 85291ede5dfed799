package letters

import (
	"context"
	"errors"
	"strings"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/deadletter"
	"github.com/wazuh-etl/etl/runtime/linefile"
)

// keepNotes notes what is through in the archives, as long as the graph runs. If
// it can't, the graph is stopped: what nobody notes would be sent again.
func (r *Replay) keepNotes(ended <-chan struct{}, stop context.CancelCauseFunc, dry bool) error {
	for {
		over := false
		select {
		case <-r.wake:
		case <-ended:
			over = true
		}
		r.mu.Lock()
		through := r.through
		r.through = nil
		r.mu.Unlock()
		if err := r.note(through, dry); err != nil {
			stop(err)
			<-ended
			return err
		}
		for range through {
			<-r.flying
		}
		if over {
			return nil
		}
	}
}

// note takes out what went through, and puts what failed again in its place.
func (r *Replay) note(through []*letter, dry bool) error {
	changes := make([][]deadletter.Change, len(r.Archives))
	more := make([][]string, len(r.Archives))
	var went, failed int
	for _, l := range through {
		if l.outcome == ack.Abandoned {
			continue
		}
		if l.stays || l.outcome == ack.Rejected && len(l.again) == 0 {
			failed++
			continue
		}
		texts := l.instead()
		if len(texts) > 0 {
			failed++
		} else {
			went++
		}
		for _, k := range l.records {
			changes[k.archive] = append(changes[k.archive], deadletter.Change{Taken: k.print, Instead: texts[k.archive]})
			delete(texts, k.archive)
		}
		for archive, t := range texts { // of another store than before
			more[archive] = append(more[archive], t...)
		}
	}
	if !dry {
		for i, a := range r.Archives {
			if err := r.append(a, more[i]); err != nil {
				return err
			}
			if len(changes[i]) > 0 {
				if err := a.Apply(changes[i]...); err != nil {
					return err
				}
			}
		}
	}
	r.result.Went += went
	r.result.Again += failed
	return nil
}

// instead is the texts of the records that the event has now, by archive: those
// that went to stores, or, if there are none, the last failure that something else took,
// or nobody, in the place of the first record.
func (l *letter) instead() map[int][]string {
	texts := map[int][]string{}
	other := ""
	for _, a := range l.again {
		if a.archive < 0 {
			other = a.text
			continue
		}
		texts[a.archive] = append(texts[a.archive], a.text)
	}
	if len(texts) == 0 && other != "" {
		texts[l.records[0].archive] = []string{other}
	}
	return texts
}

// append adds records to a store.
func (r *Replay) append(a *deadletter.Archive, texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	f := linefile.New(r.World.FS, a.Path(), linefile.Options{Log: r.Log}) // its limit is for who runs the pipeline to keep
	err := f.Append([]byte(strings.Join(texts, "\n") + "\n"))
	return errors.Join(err, f.Close())
}

// appendLate stores what failed behind the answers that counted.
func (r *Replay) appendLate() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, texts := range r.late {
		if err := r.append(r.Archives[i], texts); err != nil {
			return err
		}
	}
	return nil
}

// store is the double of a dead letter store: what comes there has failed again.
type store struct {
	replay  *Replay
	archive int
}

func (s *store) Encode(*component.Message) error             { return nil }
func (s *store) Open(context.Context, *component.Host) error { return nil }
func (s *store) Close() error                                { return nil }

func (s *store) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		s.replay.fails(s.archive, m.Event)
		m.Done()
	}
	return nil
}
