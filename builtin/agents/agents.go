// Package agents is source "wazuh_agents": it reads the agents that a Wazuh
// manager knows, from the manager's database, from wazuh-db's socket or from the
// Wazuh API, and gives an event for each difference between two reads.
//
// What is not lost, and why. A difference can't be asked for again: once the
// manager has gone on, nothing tells what was before. So the source keeps a
// ledger in its state directory, in this order:
//
//  1. The ledger holds the fleet as it was when it was last read, and the events of
//     every difference since that some sink may still lack.
//  2. A difference is written to the ledger, its events and the new state in one
//     record, and synced, before its first event is given to the pipeline. So the
//     old state is forgotten only where the events are kept; a difference
//     that is not in the ledger is found again by the next read.
//  3. An event has its number in the ledger, and its event_id, from then on. A start
//     gives what is kept again from the earliest position of the sinks: same number,
//     same event_id, same bytes. A number is never used twice, because numbers are
//     reserved in the ledger before they are used.
//  4. An event leaves the ledger when all sinks have it and this is stored
//     (component.Forgetter).
//
// A sink that has fallen behind gets what is kept by a second reader of the same ledger (again),
// which writes nothing.
//
// Snapshots and heartbeats take numbers too, but are not kept: they tell how
// things are, and a start tells it anew.
package agents

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unique"
)

// status is an agent's, as events name it.
type status uint8

const (
	unknown status = iota
	neverConnected
	pending
	active
	disconnected
	statuses // how many there are
)

var (
	statusNames = [statuses]string{"Unknown", "NeverConnected", "Pending", "Active", "Disconnected"}
	// inWazuh is what the manager calls them.
	inWazuh = [statuses]string{neverConnected: "never_connected", pending: "pending", active: "active", disconnected: "disconnected"}
)

func (s status) String() string { return statusNames[s] }

// parseStatus reads the manager's word for a status; one it does not know is unknown.
func parseStatus[T string | []byte](text T) status {
	for s := neverConnected; s < statuses; s++ {
		if string(text) == inWazuh[s] {
			return s
		}
	}
	return unknown
}

func (s status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *status) UnmarshalText(text []byte) error {
	i := slices.Index(statusNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is no status of an agent", text)
	}
	*s = status(i) //nolint:gosec // an index of statusNames
	return nil
}

// reading is what every read looks at. Times are seconds since 1970.
type reading struct {
	ID           int64  `json:"id"`
	Added        int64  `json:"added,omitempty"` // an id with another one is another agent
	Status       status `json:"status"`
	Code         int32  `json:"code,omitempty"`
	Disconnected int64  `json:"disconnected,omitempty"` // 0: it is not
	Keepalive    int64  `json:"keepalive,omitempty"`    // 0: never
}

// resetByManager is the status code of agents that a manager which starts has
// set to disconnected, whatever they are.
const resetByManager = 5

// details are read only of agents that have changed.
type details struct {
	Name   string `json:"name,omitempty"`
	IP     string `json:"ip,omitempty"`
	Shared shared `json:"shared,omitzero"`
}

// profile is what many agents have in common.
type profile struct {
	Version string `json:"version,omitempty"`
	Node    string `json:"node,omitempty"`
	Groups  string `json:"groups,omitempty"` // with commas between them, as the manager has them
	OS      system `json:"os,omitzero"`
}

// shared is a profile that takes memory once, however many agents have it.
type shared struct{ handle unique.Handle[profile] }

// share is p for an agent. It keeps nothing that p's texts may be a part of.
func share(p profile) shared { return shared{unique.Make(p)} }

// profile is none if there is none.
func (s shared) profile() (p profile) {
	if s != (shared{}) {
		p = s.handle.Value()
	}
	return p
}

func (s shared) MarshalJSON() ([]byte, error) { return json.Marshal(s.profile()) }

func (s *shared) UnmarshalJSON(text []byte) error {
	var p profile
	err := json.Unmarshal(text, &p)
	*s = share(p)
	return err
}

// system is an agent's operating system.
type system struct {
	Name     string `json:"name,omitempty"`
	Version  string `json:"version,omitempty"`
	Platform string `json:"platform,omitempty"`
	Arch     string `json:"arch,omitempty"`
}

// agent is one agent as it was last read.
type agent struct {
	reading
	details
	// Flaps are the times at which it came or went, oldest first.
	Flaps []int64 `json:"flaps,omitempty"`
	// missing is since when it is not there any more, while that is not believed yet.
	missing time.Time
}

// shownID is an agent's id as Wazuh writes it.
func shownID(id int64) string { return fmt.Sprintf("%03d", id) }

// encode appends v as JSON to b, without the escapes that are for HTML.
func encode(b *lineBuffer, v any) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	*b = (*b)[:len(*b)-1] // the line break
	return nil
}

// lineBuffer takes what is written.
type lineBuffer []byte

func (b *lineBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
