package plan

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
)

// Test is one test block. Addresses are resolved: they name nodes of the plan
// that was loaded with the test's Vars, or groups of them.
type Test struct {
	Name    string // the sentence
	Range   diag.Range
	Vars    map[string]string // raw, as they go to the loader; "\x00" is null
	Clock   *Clock            // stands at now, if the test says it
	Inputs  []Input
	Mocks   []Mock
	Expects []Expect
	Ignore  []string // addresses
}

// Input feeds a source. A test's inputs come one after the other.
type Input struct {
	Address string
	Range   diag.Range
	After   time.Duration    // that passes between what comes before and this
	Files   []string         // absolute, what the glob found, sorted
	Text    string           // through the source's codec
	Events  []document.Value // documents as they are
}

// Mock answers for a component that would talk to the world: with Events, or
// with Set, or with the failure Error if both are nil.
type Mock struct {
	Address string
	Range   diag.Range
	Error   string
	// Events are what a transform makes of each event, or what a source gives once.
	Events []document.Value
	// Set is what a transform sets in each event, or what a sink's target says.
	Set []component.NamedTemplate
}

// Expect is what must come out at an address.
type Expect struct {
	Address    string // of the node
	Output     string // plan.Events and so on; at a sink without output: what it sends
	Range      diag.Range
	Count      *int // nil: at least one, if nothing else says so
	Where      Condition
	WhereRange diag.Range
	Golden     string         // absolute path; empty: none
	Equals     document.Value // Missing: not asked for
}
