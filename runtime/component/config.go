package component

import (
	"io/fs"
	"time"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Template is a per-event value. It is safe for concurrent use.
type Template interface {
	// Value is what the template gives for e: an exactly-one-hole template
	// keeps its type, an object of templates is an object, any other is Text.
	// The error is the event's own.
	Value(e *event.Event) (document.Value, error)
	// AppendText appends the same as text, each hole made safe for the place.
	AppendText(dst []byte, e *event.Event) ([]byte, error)
	// Constant is the text of a template without holes; ok is false otherwise.
	Constant() (text string, ok bool)
}

// Pattern is the text of t with hole in the place of each hole. A template that
// has no such text, as an object, is one hole.
func Pattern(t Template, hole string) string {
	if text, ok := t.Constant(); ok {
		return text
	}
	if p, ok := t.(interface{ Pattern(hole string) string }); ok {
		return p.Pattern(hole)
	}
	return hole
}

// NamedTemplate is one member of an object of templates.
type NamedTemplate struct {
	Name     string // as written; Path is it split at dots outside quotes
	Path     []string
	Template Template
}

// Code is literal text of another language, and where it stands.
type Code struct {
	Text string
	File string // absolute path of the file it stands in
	// Position maps a place in Text (line and column from 1) to the file.
	Position func(line, column int) diag.Range
}

// Config is a component's decoded block. Its accessors panic for a name or
// type that the Spec does not have: that is a mistake in the component.
type Config struct {
	Address  string // of the component, sink.kafka.dfn
	Role     Role
	Pipeline string // its name
	Dir      string // absolute directory of the pipeline file: where `require` and the like look first
	State    string // absolute directory of the pipeline's state: a relative path that is written to is below it
	Values   map[string]any
	Ranges   map[string]diag.Range // of each attribute's value; "" is the block's header
	Unknown  map[string]bool       // attributes made from a variable without value (tests, graphs)
	Subs     map[string]*Config
	// Read is how the loader finds files: see ReadFile.
	Read func(name string) (content []byte, display string, err error)
}

// ReadFile is the content of a file that is part of the configuration: a
// script, a module, a schema, a template. name is absolute (as String gives a read path) or relative to Dir. What is
// not there is looked for in the modules embedded in the binary: lua/xml.lua. display is
// how to call the file in messages. What is read so is watched and part of the component's
// configuration, found or not. The error is fs.ErrNotExist if the file is nowhere.
func (c *Config) ReadFile(name string) (content []byte, display string, err error) {
	if c.Read == nil {
		return nil, name, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return c.Read(name)
}

func get[T any](c *Config, name string) T {
	v, ok := c.Values[name]
	if !ok || v == nil {
		var zero T
		return zero
	}
	return v.(T)
}

// Has says whether the attribute has a value, written or by default.
func (c *Config) Has(name string) bool { return c != nil && c.Values[name] != nil }

// Known is false for an attribute whose value a test or graph does not have.
func (c *Config) Known(name string) bool { return !c.Unknown[name] }

// String is a string, an enumeration value, or a path made absolute.
func (c *Config) String(name string) string { return get[string](c, name) }

// Bool is a boolean.
func (c *Config) Bool(name string) bool { return get[bool](c, name) }

// Count is a whole number.
func (c *Config) Count(name string) int { return get[int](c, name) }

// Number is any number.
func (c *Config) Number(name string) float64 { return get[float64](c, name) }

// Duration is a duration.
func (c *Config) Duration(name string) time.Duration { return get[time.Duration](c, name) }

// Size is a size in bytes.
func (c *Config) Size(name string) int64 { return get[int64](c, name) }

// Rate is a number of events per second.
func (c *Config) Rate(name string) float64 { return get[float64](c, name) }

// Strings is a list of strings.
func (c *Config) Strings(name string) []string { return get[[]string](c, name) }

// Any is any load-time value.
func (c *Config) Any(name string) document.Value { return get[document.Value](c, name) }

// Template is a per-event value; nil if it is not written and has no default.
func (c *Config) Template(name string) Template { return get[Template](c, name) }

// Templates is an object of per-event values in the order written.
func (c *Config) Templates(name string) []NamedTemplate { return get[[]NamedTemplate](c, name) }

// Code is literal text; nil if not written.
func (c *Config) Code(name string) *Code { return get[*Code](c, name) }

// Block is a nested block; nil if it is not there or switched off.
func (c *Config) Block(name string) *Config { return c.Subs[name] }

// Error is an error at the attribute called name: the loader turns it into a
// diagnostic there. An empty name means the block.
func (c *Config) Error(name string, code diag.Code, message, suggestion string) error {
	return diag.Diagnostic{Code: code, Range: c.Ranges[name], Message: message, Suggestion: suggestion}
}
