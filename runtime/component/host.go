package component

import (
	"log/slog"

	"github.com/wazuh-etl/etl/runtime/world"
)

// Host is what a running component gets from the runtime, its own and named
// after it.
type Host struct {
	world.World
	Address  string
	Log      *slog.Logger // has the component's address
	StateDir string       // absolute; for data a component keeps in files of its own (an embedded server); made by who uses it
	State    State
	// Health says how the target is: nil is well, an error is why not and is
	// shown to the operator until the next call. Safe for concurrent use.
	Health func(err error)
	// Names are those that the source has had which gave an event as source: what it is called now
	// first, the oldest last. Nil: it was never renamed. Safe for concurrent use.
	Names func(source string) []string
	// Connection is the connection block that the component names, nil if it names none. See Share.
	Connection Connection
	// Peers are the components (Source, Sink, …) that name the same connection block in the pipeline as it is now, this
	// one too, open or not: for what is said of all of them at once. Nil without a connection
	// block. Safe for concurrent use.
	Peers func() []any
}

// State is a small crash-safe store that belongs to one component. A Set is
// durable when it returns.
type State interface {
	Get(key string) (value []byte, ok bool)
	Set(key string, value []byte) error
	Delete(key string) error
	Keys() []string
}

// Checker is a component that can look at what its configuration names
// without reaching out: certificates, keys, scripts. `etl validate` and `run`
// ask it, `test` and `graph` do not. It returns all it finds.
type Checker interface {
	Check(*Host) []error
}

// Reads names the files that a component reads beside the pipeline file:
// they are watched, and a change is a changed configuration.
type Reads interface {
	Files() []string
}
