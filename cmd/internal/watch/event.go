package watch

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// event is what matters here of a message: of schemas/agent-event.json, and of the
// batches and the notes of suppressed changes that pipeline agent-status adds.
type event struct {
	ID        string    `json:"event_id"`
	Type      string    `json:"event_type"`
	Timestamp time.Time `json:"timestamp"`
	Manager   string    `json:"manager_node"`

	Agent     string    `json:"agent_id"`
	Name      string    `json:"agent_name"`
	Version   string    `json:"agent_version"`
	Node      string    `json:"agent_node"`
	Previous  Status    `json:"previous_status"`
	Current   Status    `json:"current_status"`
	Code      int       `json:"status_code"`
	IP        string    `json:"ip_address"`
	Keepalive time.Time `json:"last_keepalive"`
	Groups    []string  `json:"groups"`
	OS        system    `json:"os"`
	Flaps     int       `json:"flaps"`
	Snapshot  snapshot  `json:"snapshot"`

	Reset   int    `json:"agents"`  // manager_restart
	Health  health `json:"manager"` // heartbeat
	Summary struct {
		Total int `json:"total_agents"`
	} `json:"summary"`

	Events []jsontext.Value `json:"events"` // batch
}

type system struct {
	Name     string `json:"name,omitempty"`
	Version  string `json:"version,omitempty"`
	Platform string `json:"platform,omitempty"`
	Arch     string `json:"arch,omitempty"`
}

// snapshot is the one that an event is a part of.
type snapshot struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

// health is a heartbeat's.
type health struct {
	Status   string    `json:"status"`
	Error    string    `json:"error"`
	LastRead time.Time `json:"last_read"`
}

// Messages that are no events to show, and not wrong either.
var (
	errOther     = errors.New("it is about something else")
	errEncrypted = errors.New("it is encrypted")
)

// parse reads an event. A member that stands there twice, which could be read in two ways, is
// an error.
func parse(raw []byte) (*event, error) {
	var kind struct {
		Type     jsontext.Value `json:"event_type"`
		Envelope jsontext.Value `json:"encrypted"` // seal.DefaultEnvelope
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return nil, err
	}
	if kind.Envelope.Kind() == '{' {
		return nil, errEncrypted
	}
	switch string(kind.Type) {
	case `"registered"`, `"removed"`, `"connected"`, `"disconnected"`, `"status_change"`, `"snapshot"`, `"suppressed"`:
	case `"manager_restart"`, `"heartbeat"`, `"batch"`:
	default:
		return nil, errOther
	}
	e := &event{}
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, err
	}
	switch {
	case e.Type == "batch":
	case e.Timestamp.IsZero() || e.Manager == "":
		return nil, fmt.Errorf("%s has no time or no manager", e.Type)
	case e.Agent == "" && e.Type != "manager_restart" && e.Type != "heartbeat":
		return nil, fmt.Errorf("%s has no agent", e.Type)
	}
	return e, nil
}
