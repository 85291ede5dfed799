package kafka

import (
	"slices"

	"github.com/wazuh-etl/etl/runtime/event"
)

// progress is what of one source's events is committed. It is the value of a
// checkpoint, and goes into the transaction whose events it tells of.
type progress struct {
	Version int    `json:"v"`
	Marks   []mark `json:"positions"` // one for each generation, newest first
	// Refused are events before a mark that were not committed: their own error.
	Refused []refused `json:"refused,omitempty"`

	last map[int][]*event.Event // of advance: the committed events of the line at a mark, by its index
}

// mark is the last line of a generation with committed events. Everything
// before it is committed, of the line itself the events named.
type mark struct {
	Generation string   `json:"generation"`
	Offset     int64    `json:"offset"` // of the line's begin
	Events     []string `json:"events"`
}

type refused struct {
	Generation string `json:"generation"`
	Offset     int64  `json:"offset"`
	Event      string `json:"event"`
}

// What a checkpoint remembers: more generations than can be on their way at a
// time, and refused events until long after they are in the dead letters.
const (
	mostMarks   = 16
	mostRefused = 1000
)

// nameOf tells the events of one line apart.
func nameOf(e *event.Event) string {
	if f := e.Failure(); f != nil {
		return e.ID() + " failed in " + f.Component
	}
	return e.ID()
}

// has says whether e is committed.
func (p *progress) has(e *event.Event) bool {
	if p == nil {
		return false
	}
	i := p.index(e.Stream().Generation)
	switch {
	case i < 0 || e.Offset() > p.Marks[i].Offset:
		return false
	case e.Offset() == p.Marks[i].Offset:
		return slices.Contains(p.Marks[i].Events, nameOf(e))
	default:
		return !slices.Contains(p.Refused, refusedOf(e))
	}
}

func refusedOf(e *event.Event) refused {
	return refused{e.Stream().Generation, e.Offset(), nameOf(e)}
}

func (p *progress) index(generation string) int {
	return slices.IndexFunc(p.Marks, func(m mark) bool { return m.Generation == generation })
}

// clone is a copy to advance: p may be nil.
func (p *progress) clone() *progress {
	next := &progress{Version: 1, last: map[int][]*event.Event{}}
	if p != nil {
		next.Marks, next.Refused = slices.Clone(p.Marks), slices.Clone(p.Refused)
	}
	return next
}

// advance notes that e will be committed, in the order of the source. seal
// must follow the last.
func (p *progress) advance(e *event.Event) {
	if len(p.Refused) > 0 {
		r := refusedOf(e)
		p.Refused = slices.DeleteFunc(p.Refused, func(o refused) bool { return o == r })
	}
	i := p.index(e.Stream().Generation)
	if i < 0 {
		p.seal()
		i, p.Marks = 0, slices.Insert(p.Marks, 0, mark{Generation: e.Stream().Generation, Offset: -1})
		p.Marks = p.Marks[:min(len(p.Marks), mostMarks)]
	}
	m := &p.Marks[i]
	if e.Offset() > m.Offset {
		m.Offset, m.Events, p.last[i] = e.Offset(), nil, p.last[i][:0]
	}
	if e.Offset() == m.Offset {
		p.last[i] = append(p.last[i], e)
	}
}

// seal makes the names of the last lines' events.
func (p *progress) seal() {
	for i, events := range p.last {
		m := &p.Marks[i]
		m.Events = slices.Clone(m.Events)
		for _, e := range events {
			m.Events = append(m.Events, nameOf(e))
		}
	}
	clear(p.last)
}

// refuse notes events that were not committed, though later ones are.
func (p *progress) refuse(events ...refused) {
	for _, r := range events {
		if !slices.Contains(p.Refused, r) {
			p.Refused = append(p.Refused, r)
		}
	}
	p.Refused = p.Refused[max(0, len(p.Refused)-mostRefused):]
}
