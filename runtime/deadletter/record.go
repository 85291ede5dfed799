// Package deadletter stores events that failed and that nothing else took: a
// bounded file of JSON lines. A component may import it.
package deadletter

import (
	"encoding/base64"
	"time"
	"unicode/utf8"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// AppendRecord appends the record of a failed event, one JSON object without
// line break:
//
//	time       of the failure, RFC 3339
//	id         of the event
//	source     address it came from
//	component  address that could not take it
//	code, message, attempts, script, line, trace   of the failure, where there are any
//	generation, offset   of the source's event: its id, unless the pipeline writes its own
//	position   in the source: {path, offset} or what the source has
//	received   when it was read
//	raw        the text it came as; raw_base64 instead where that is not UTF-8
//	event      the document as it entered the component; not there if it could not be parsed
func AppendRecord(dst []byte, e *event.Event) []byte {
	f := e.Failure()
	if f == nil {
		f = &event.Failure{Time: e.Received()}
	}
	m := members{{Name: "time", Value: document.NewText(f.Time.UTC().Format(time.RFC3339Nano))}}
	m.text("id", e.ID())
	m.text("source", e.Stream().Source)
	m.text("component", f.Component)
	m.text("code", f.Code)
	m.text("message", f.Message)
	if f.Attempts > 0 {
		m = append(m, document.Member{Name: "attempts", Value: document.NewInt(int64(f.Attempts))})
	}
	m.text("script", f.File)
	if f.Line > 0 {
		m = append(m, document.Member{Name: "line", Value: document.NewInt(int64(f.Line))})
	}
	m.text("trace", f.Trace)
	m.text("generation", e.Stream().Generation)
	m = append(m, document.Member{Name: "offset", Value: document.NewInt(e.Offset())})
	if p := e.Meta("position"); !p.IsNil() {
		m = append(m, document.Member{Name: "position", Value: p})
	}
	m.text("received", e.Received().UTC().Format(time.RFC3339Nano))
	if raw := e.Origin().Raw(); utf8.Valid(raw) {
		m.text("raw", string(raw))
	} else {
		m.text("raw_base64", base64.StdEncoding.EncodeToString(raw))
	}
	if root, err := e.Root(); err == nil {
		m = append(m, document.Member{Name: "event", Value: root})
	}
	return flat(document.NewObject(m).AppendJSON(dst), len(dst))
}

// members are those of the record, in order.
type members []document.Member

// text adds a member unless it would be empty.
func (m *members) text(name, value string) {
	if value != "" {
		*m = append(*m, document.Member{Name: name, Value: document.NewText(value)})
	}
}

// flat makes one line of JSON that was written behind start: line breaks stand
// only between its tokens, where blanks are as good.
func flat(json []byte, start int) []byte {
	for i := start; i < len(json); i++ {
		if json[i] == '\n' || json[i] == '\r' {
			json[i] = ' '
		}
	}
	return json
}
