// Package component is what the engine and its components know of each other:
// a Spec that describes the component's block in a pipeline file, and the
// Source, Transform and Sink that are made from it. With runtime/event,
// runtime/document and runtime/world it is all that a component may import of
// the runtime, in this module or in another.
package component

// Role is the block type a component is written as.
type Role string

// The roles.
const (
	RoleSource    Role = "source"
	RoleTransform Role = "transform"
	RoleSink      Role = "sink"
)

// Spec describes one component. Everything about its block comes from here:
// decoding, validation, suggestions, reference pages, JSON Schema, completion.
type Spec struct {
	Role    Role
	Kind    string // the first label: source "file"
	Summary string // one line, no full stop
	// Guarantee is the first paragraph of a sink's page: what "delivered" means there.
	Guarantee string
	Doc       string // Markdown, below the summary
	Attrs     []Attr
	Blocks    []BlockSpec
	Outputs   []string // documentation of meta.sink members etc: lines "name: meaning"
	Example   string   // HCL, tested by the documentation test
	// Connection are the names of those Attrs and Blocks that components of the
	// kind may share: they may stand in a block connection "KIND" "NAME" instead.
	Connection []string
	// Codec says that a source takes text (codec "json" or "lines"), so that a
	// test can give it text.
	Codec bool
	// Shape names the JSON Schema of the documents that a source so configured
	// gives, a file of the modules in the binary ("schemas/alert.json"); "" if they may
	// be anything. Paths that are close to a member it names, and none themselves, are warned of. May be nil.
	Shape func(*Config) string

	NewSource    func(*Config) (Source, error)
	NewTransform func(*Config) (Transform, error) // or NewStage
	NewStage     func(*Config) (StageTransform, error)
	NewSink      func(*Config) (Sink, error)
}

// Type is the type of an attribute.
type Type string

// The types. What an attribute may be is checked when the file is loaded.
const (
	TypeString    Type = "string"
	TypeBool      Type = "bool"
	TypeCount     Type = "count"    // whole number, not negative
	TypeNumber    Type = "number"   // any number
	TypeDuration  Type = "duration" // "250ms" "30s" "5m" "12h" "7d"
	TypeSize      Type = "size"     // "64KiB" "16MiB" "1GB"
	TypeRate      Type = "rate"     // "300/m"
	TypeEnum      Type = "enum"     // one of Attr.Enum
	TypeStrings   Type = "strings"  // list of strings
	TypeAny       Type = "any"      // any load-time value, kept in the order written
	TypeReadPath  Type = "read path"
	TypeWritePath Type = "write path"
	TypeTemplate  Type = "template"  // per event; text with {{ expr }}
	TypeTemplates Type = "templates" // per event; an object of templates, in the order written
	TypePayload   Type = "payload"   // per event; a template, or an object or list of templates
	TypeCode      Type = "code"      // literal text of another language
)

// Place is where the text of a template will stand, so that no value can
// change the structure around it.
type Place string

// The places.
const (
	PlaceText    Place = ""        // free text
	PlaceTopic   Place = "topic"   // Kafka: [a-zA-Z0-9._-], at most 249
	PlaceSubject Place = "subject" // NATS: one token for each hole
	PlacePath    Place = "path"    // a file name
	PlaceHeader  Place = "header"
	PlaceKey     Place = "key"
)

// Attr describes one attribute.
type Attr struct {
	Name     string
	Type     Type
	Required bool
	Default  any // Go value as the accessor of Config returns it; nil: none. Templates: their source text
	Enum     []string
	Doc      string // Markdown; says unit, default behaviour and limits
	Secret   bool   // always treated as sensitive
	Place    Place  // of a template
	Address  bool   // of a template: nil in it is the event's error
	// Live, of a read path: what is read while the pipeline runs (an alerts
	// file, a socket). It need not be there at load, is not watched, and its content is no configuration.
	Live bool
	// Check is a load-time check of the accessor's value, beyond its type.
	Check func(value any) error
}

// BlockSpec describes a nested block. It is there at most once. Present means
// on, `enabled = false` inside switches it off.
type BlockSpec struct {
	Name  string
	Doc   string
	Attrs []Attr
}
