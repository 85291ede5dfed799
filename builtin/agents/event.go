package agents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// schemaVersion is that of schemas/agent-event.json.
const schemaVersion = "1.0"

// eventType is what has happened.
type eventType string

const (
	typeRegistered     eventType = "registered"
	typeRemoved        eventType = "removed"
	typeConnected      eventType = "connected"
	typeDisconnected   eventType = "disconnected"
	typeStatusChange   eventType = "status_change" // any other pair
	typeSnapshot       eventType = "snapshot"
	typeHeartbeat      eventType = "heartbeat"
	typeManagerRestart eventType = "manager_restart"
)

// common is what all events begin with.
type common struct {
	SchemaVersion string    `json:"schema_version"`
	EventID       string    `json:"event_id"`
	EventType     eventType `json:"event_type"`
	Timestamp     string    `json:"timestamp"`
	ManagerNode   string    `json:"manager_node"`
}

// agentEvent is an event about one agent.
type agentEvent struct {
	common
	AgentID        string          `json:"agent_id"`
	AgentName      *string         `json:"agent_name"`
	AgentVersion   *string         `json:"agent_version"`
	AgentNode      *string         `json:"agent_node"`
	Previous       status          `json:"previous_status"`
	Current        status          `json:"current_status"`
	StatusCode     int32           `json:"status_code"`
	IP             *string         `json:"ip_address"`
	LastKeepalive  *string         `json:"last_keepalive"`
	Groups         []string        `json:"groups"`
	OS             *system         `json:"os"`
	Flaps          int             `json:"flaps"`
	ManagerRestart *string         `json:"manager_restart"`
	Fleet          *fleetMember    `json:"fleet,omitempty"`
	Snapshot       *snapshotMember `json:"snapshot,omitempty"`
	Signature      *string         `json:"signature"`
}

// fleetMember is how many agents there are after a change.
type fleetMember struct {
	Total        int `json:"total_agents"`
	Active       int `json:"active_agents"`
	Disconnected int `json:"disconnected_agents"`
}

// snapshotMember says which part of which snapshot an event is.
type snapshotMember struct {
	ID    string `json:"id"`
	Index int    `json:"index"` // from 1
	Count int    `json:"count"`
}

// restartEvent stands for all agents that a start of the manager has reset.
type restartEvent struct {
	common
	RestartedAt string  `json:"restarted_at"`
	Agents      int     `json:"agents"`
	Signature   *string `json:"signature"`
}

// heartbeatEvent says how the manager is, as far as its agents can be read.
type heartbeatEvent struct {
	common
	Manager   managerHealth `json:"manager"`
	Summary   summary       `json:"summary"`
	Signature *string       `json:"signature"`
}

type managerHealth struct {
	Status     string  `json:"status"` // ok, unreadable
	Error      *string `json:"error"`
	LastRead   *string `json:"last_read"`   // when all agents were last read
	LastChange *string `json:"last_change"` // when a read last found anything new
}

type summary struct {
	Total          int `json:"total_agents"`
	Active         int `json:"active_agents"`
	Disconnected   int `json:"disconnected_agents"`
	NeverConnected int `json:"never_connected_agents"`
	Pending        int `json:"pending_agents"`
	Unknown        int `json:"unknown_agents"`
	Changes        int `json:"changes_detected"` // since the last heartbeat
}

// about fills in what is known of a.
func (e *agentEvent) about(a *agent) {
	e.AgentID = shownID(a.ID)
	p := a.Shared.profile()
	e.AgentName, e.AgentVersion = text(a.Name), text(p.Version)
	e.StatusCode = a.Code
	e.LastKeepalive = second(a.Keepalive)
	e.Groups = splitGroups(p.Groups)
	if a.IP != "any" {
		e.IP = text(a.IP)
	}
	if p.Node != "unknown" {
		e.AgentNode = text(p.Node)
	}
	if p.OS != (system{}) {
		e.OS = &p.OS
	}
}

// kind is what the change from before to after is called.
func kind(before, after *agent) eventType {
	switch {
	case before == nil:
		return typeRegistered
	case after == nil:
		return typeRemoved
	case after.Status == active:
		return typeConnected
	case after.Status == disconnected:
		return typeDisconnected
	default:
		return typeStatusChange
	}
}

// eventID is the same for the same change, whenever it is read: it is made of
// what the manager says of it. origin is what reads, past how much of the id is over:
// a change that comes again after the way back from it was told is another one.
func eventID(origin string, what eventType, before, after *agent, past int) string {
	a := after
	if a == nil {
		a = before
	}
	key := []any{origin, what, a.ID, a.Added, past}
	at := a.Added
	if before != nil && after != nil {
		// A disconnection has a time of its own, and so has what ends it. What is neither begins or ends with a keepalive.
		key = append(key, before.Status, after.Status, before.Disconnected, after.Disconnected)
		at = max(before.Disconnected, after.Disconnected)
		if at == 0 {
			at = after.Keepalive
			key = append(key, at)
		}
	}
	return nameEvent(shownID(a.ID), at, what, key...)
}

// nameEvent is an event_id: what it is about, when, which, and the hash of what makes it unlike others.
func nameEvent(about string, at int64, what eventType, key ...any) string {
	hash := sha256.New()
	for _, part := range key {
		fmt.Fprintf(hash, "%v\x00", part)
	}
	return fmt.Sprintf("evt_%s_%d_%s_%s", about, at, what, hex.EncodeToString(hash.Sum(nil)[:6]))
}

// text is s, or null if it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// beyond is the keepalive of an agent that is always there: the end of the year 9999.
const beyond = 253402300799

// second is a time that the manager says, null if it says none.
func second(at int64) *string {
	if at <= 0 || at >= beyond {
		return nil
	}
	s := time.Unix(at, 0).UTC().Format(time.RFC3339)
	return &s
}

// moment is a time of ours.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// splitGroups reads the manager's list of groups.
func splitGroups(list string) []string {
	if list == "" {
		return []string{}
	}
	return strings.Split(list, ",")
}

// render is the event as it goes into the pipeline.
func render(event any) (json.RawMessage, error) {
	var b lineBuffer
	if err := encode(&b, event); err != nil {
		return nil, fmt.Errorf("rendering an event: %w", err)
	}
	return json.RawMessage(b), nil
}
