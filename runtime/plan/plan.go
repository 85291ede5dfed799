// Package plan is a pipeline as the engine runs it: what the language loader
// makes of the files, and all that the graph knows of them.
package plan

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

// Plan is one loaded pipeline.
type Plan struct {
	Name    string   // of the pipeline: the file's base name, or runtime { name }
	Dir     string   // absolute directory of the pipeline file
	State   string   // absolute, STATE/NAME: what the pipeline writes is below it
	Reads   []string // every file the plan came from or its components read, absolute: what --watch watches
	Secrets []string // texts of sensitive values, longest first: no log may show them
	Runtime Runtime
	Nodes   []*Node // inputs before those who read them
	Tests   []*Test
}

// Runtime is the runtime block.
type Runtime struct {
	Workers         int           // goroutines that process; 0: one for each core
	Memory          int64         // bytes that all events in flight may hold; 0: no bound but the queues'
	ShutdownTimeout time.Duration // 30 s
	DrainTimeout    time.Duration // 5 s
	StatsInterval   time.Duration // 1 min
	TemporaryState  bool          // state = "temporary": a new state directory for each run, unless the operator names one
}

// Type is the block type of a node.
type Type string

// The types.
const (
	Source    Type = "source"
	Filter    Type = "filter"
	Transform Type = "transform"
	Sink      Type = "sink"
)

// The outputs of nodes.
const (
	Events    = ""
	Rejected  = "rejected"  // of filters
	Errors    = "errors"    // of all
	Delivered = "delivered" // of sinks
)

// Port is one output of a node.
type Port struct {
	Node   *Node
	Output string
}

func (p Port) String() string {
	if p.Output == Events {
		return p.Node.Address
	}
	return p.Node.Address + "." + p.Output
}

// Node is one component of the graph. A disabled source or sink is not in the
// plan; a disabled filter or transform is, and passes everything.
type Node struct {
	Address     string // source.file.alerts, source.file.alerts["key"], filter.windows
	Type        Type
	Kind, Name  string // Kind is empty for filters
	Group       string // of a source that for_each made: the address of all of them, source.file.alerts
	Description string
	Disabled    bool
	Inputs      []Port
	Range       diag.Range // the block's header

	Where  Condition // filters
	Spec   *component.Spec
	Config *component.Config
	// Connection is the connection block that the node names; nil: none. Nodes that name the same have the same.
	Connection *Connection

	Source    component.Source         // one of these four is set, by Type
	Transform component.Transform      //
	Stage     component.StageTransform //
	Sink      component.Sink           //

	ID         component.Template // sources: the event id; nil: generation and offset
	Payload    component.Template // sinks: nil is the event as JSON
	Queue      Queue              // sources and sinks
	Retry      Retry              // sinks
	Required   bool               // sinks
	DropErrors bool               // errors = "drop"

	// Fingerprint changes when anything changes that decides what the node
	// does, the content of files it reads included; not by where it stands or what feeds it.
	Fingerprint string
	// Settings changes when anything of the node's own block but its name does.
	Settings string
}

// Connection is a connection block that nodes use.
type Connection struct {
	Address     string // connection.nats.bus
	Fingerprint string // changes with its settings, and with the content of the files that they name
}

// Written is n's address as its block has it: that of all where for_each made n.
func (n *Node) Written() string {
	if n.Group != "" {
		return n.Group
	}
	return n.Address
}

// Condition is a filter's where.
type Condition interface {
	// True evaluates the condition; the error is the event's own.
	True(e *event.Event) (bool, error)
	// String is the source text.
	String() string
}

// Sieved is a Condition of which it is known, before an event is made, what
// bytes its document must hold. True must agree: it is false, without an error, for a
// document whose bytes do not meet the need, broken ones included.
type Sieved interface {
	Condition
	// Need is what the bytes must hold for the condition to be true; nil: that is not known.
	Need() sieve.Need
	// Evaluate is True for an event whose bytes meet the need.
	Evaluate(e *event.Event) (bool, error)
}

// WhenFull is what a full queue does.
type WhenFull string

// The policies.
const (
	Block      WhenFull = "block"
	DropOldest WhenFull = "drop_oldest"
	DropNewest WhenFull = "drop_newest"
)

// Queue bounds what waits in front of a node (behind it, for a source).
type Queue struct {
	MaxEvents int   // 10,000
	MaxBytes  int64 // 16 MiB
	WhenFull  WhenFull
	// Disk, of a source that can't be asked again: MaxBytes and WhenFull are
	// those of its log on disk.
	Disk bool
}

// Retry is the pause between tries of a sink whose target fails: it doubles
// from Min to Max, with jitter.
type Retry struct {
	Min, Max time.Duration // 100 ms, 30 s
}
