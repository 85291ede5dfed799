package event

import (
	"fmt"
	"time"

	"github.com/wazuh-etl/etl/runtime/document"
)

// Codes of failures that the engine itself finds.
const (
	CodeNotObject   = "not_an_object" // the shape check: not { … }
	CodeNotJSON     = "not_json"
	CodeLineTooLong = "line_too_long"
	CodeExpression  = "expression"
	CodeTemplate    = "template"
)

// Failure is why an event is on an errors output: meta.error. It is an error,
// always the event's own, never the target's.
type Failure struct {
	Component string // address
	Code      string // stable, for machines
	Message   string // for people
	Attempts  int    // how often a sink tried
	Time      time.Time
	File      string // of a script, where one failed
	Line      int    // in File
	Trace     string
}

func (f *Failure) Error() string { return f.Message }

// Failf is a Failure with a code and a message; the graph fills in the rest.
func Failf(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Delivery is what a sink did with an event: meta.sink.
type Delivery struct {
	Address    string
	Time       time.Time
	Payload    []byte
	Attributes []document.Member // what was filled in (topic, subject …), and what the server said
}

// Meta is the member called name of meta, Missing where there is none.
func (e *Event) Meta(name string) document.Value {
	switch name {
	case "id":
		return document.NewText(e.ID())
	case "source":
		return document.NewText(e.stream.Source)
	case "file":
		if e.stream.File != "" {
			return document.NewText(e.stream.File)
		}
	case "offset":
		return document.NewInt(e.offset)
	case "received":
		return document.NewTime(e.received)
	case "position":
		if e.stream.Position != nil {
			return e.stream.Position(e.offset)
		}
		if e.stream.File != "" {
			return document.NewObject([]document.Member{
				{Name: "path", Value: document.NewText(e.stream.File)},
				{Name: "offset", Value: document.NewInt(e.offset)},
			})
		}
	case "sink":
		if e.delivery != nil {
			return e.delivery.value()
		}
	case "error":
		if e.failure != nil {
			return e.failure.value()
		}
	}
	return document.Value{}
}

// MetaNames are the members that Meta knows, in the order they are shown.
var MetaNames = []string{"id", "source", "file", "offset", "received", "position", "sink", "error"}

// MetaValue is all of meta as one object.
func (e *Event) MetaValue() document.Value {
	var members []document.Member
	for _, name := range MetaNames {
		if v := e.Meta(name); v.Kind() != document.Missing {
			members = append(members, document.Member{Name: name, Value: v})
		}
	}
	return document.NewObject(members)
}

func (d *Delivery) value() document.Value {
	return document.NewObject(append([]document.Member{
		{Name: "address", Value: document.NewText(d.Address)},
		{Name: "time", Value: document.NewTime(d.Time)},
		{Name: "payload", Value: document.NewText(string(d.Payload))},
	}, d.Attributes...))
}

func (f *Failure) value() document.Value {
	members := []document.Member{
		{Name: "component", Value: document.NewText(f.Component)},
		{Name: "code", Value: document.NewText(f.Code)},
		{Name: "message", Value: document.NewText(f.Message)},
		{Name: "attempts", Value: document.NewInt(int64(f.Attempts))},
		{Name: "time", Value: document.NewTime(f.Time)},
	}
	if f.File != "" {
		members = append(members, document.Member{Name: "file", Value: document.NewText(f.File)})
	}
	if f.Line > 0 {
		members = append(members, document.Member{Name: "line", Value: document.NewInt(int64(f.Line))})
	}
	if f.Trace != "" {
		members = append(members, document.Member{Name: "trace", Value: document.NewText(f.Trace)})
	}
	return document.NewObject(members)
}
