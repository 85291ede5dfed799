package deadletter

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Record is a record that was read again.
type Record struct {
	Text []byte `json:"-"` // the line, without line break

	Time       time.Time       `json:"time"`
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	Component  string          `json:"component"`
	Code       string          `json:"code"`
	Message    string          `json:"message"`
	Attempts   int             `json:"attempts"`
	Script     string          `json:"script"`
	Line       int             `json:"line"`
	Trace      string          `json:"trace"`
	Generation string          `json:"generation"`
	Offset     int64           `json:"offset"`
	Position   json.RawMessage `json:"position"`
	Received   time.Time       `json:"received"`
	Raw        string          `json:"raw"`
	RawBase64  []byte          `json:"raw_base64"`
	Event      json.RawMessage `json:"event"`
}

// byPosition is an id as it is unless the pipeline writes its own.
var byPosition = regexp.MustCompile(`^(.+?)@([0-9]+)(?:/.*)?$`)

// Parse reads the line of one record; the record keeps it.
func Parse(line []byte) (*Record, error) {
	r := &Record{Text: line, Offset: -1}
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("reading a dead letter: %w", err)
	}
	if r.Source == "" || r.ID == "" {
		return nil, errors.New("reading a dead letter: it has no id or no source")
	}
	if r.Offset < 0 { // of an etl that did not write them
		r.Offset = 0
		if m := byPosition.FindStringSubmatch(r.ID); m != nil && r.Generation == "" {
			r.Generation = m[1]
			r.Offset, _ = strconv.ParseInt(m[2], 10, 64)
		}
	}
	return r, nil
}

// Bytes are those that the source's event came as; nil for an event that
// stands for several.
func (r *Record) Bytes() []byte {
	if r.Raw != "" {
		return []byte(r.Raw)
	}
	return r.RawBase64
}

// Stream is the one of the source's event.
func (r *Record) Stream() *event.Stream {
	s := &event.Stream{Source: r.Source, Generation: r.Generation}
	position, err := document.Parse(r.Position)
	if err != nil {
		return s
	}
	root := position.Root()
	if path := root.Get("path"); path.Kind() == document.Text && root.Get("offset").Kind() == document.Number {
		s.File = path.Text()
		return s
	}
	s.Position = func(int64) document.Value { return root }
	return s
}

// Failed is the event as the errors output gave it.
func (r *Record) Failed() *event.Event {
	e := event.New(r.Stream(), r.Offset, r.Bytes(), r.Received, ack.Token{})
	if len(r.Event) > 0 {
		if d, err := document.Parse(r.Event); err == nil {
			e = e.Derive(r.Component, -1, d.Root())
		}
	}
	e.SetID(r.ID)
	return e.WithFailure(&event.Failure{
		Component: r.Component, Code: r.Code, Message: r.Message, Attempts: r.Attempts,
		Time: r.Time, File: r.Script, Line: r.Line, Trace: r.Trace,
	})
}
